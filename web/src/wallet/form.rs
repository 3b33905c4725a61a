use super::text;
use crate::{money, problem::Failure};
use holdfast_protocol::{
    ids::WalletId,
    wallet::{Send, Usd},
};

/// What is to be sent, as it is typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Form {
    pub(super) to: String,
    pub(super) to_name: String,
    pub(super) amount: String,
    pub(super) note: String,
    pub(super) phase: Phase,
    /// How often it was submitted: each time the focus goes to what is wrong.
    pub(super) tries: u32,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Phase {
    #[default]
    Typing,
    Faulty(Faults),
    /// On its way, or being confirmed.
    Sending,
    /// So much, to whom.
    Sent(String),
    Failed(Failure),
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    To,
    ToName,
    Amount,
    Note,
}

impl Place {
    /// The `id` of its input.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Place::To => "to",
            Place::ToName => "to-name",
            Place::Amount => "amount",
            Place::Note => "note",
        }
    }
}

/// Why a field will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Faults {
    pub(super) to: Option<&'static str>,
    pub(super) to_name: Option<&'static str>,
    pub(super) amount: Option<&'static str>,
}

impl Faults {
    /// The first field that will not do, from above.
    pub(super) fn first(self) -> Option<Place> {
        let places = [(self.to, Place::To), (self.to_name, Place::ToName), (self.amount, Place::Amount)];
        places.into_iter().find(|(fault, _)| fault.is_some()).map(|(_, place)| place)
    }
}

impl Form {
    /// The field, to be typed into.
    pub(super) fn at(&mut self, place: Place) -> &mut String {
        match place {
            Place::To => &mut self.to,
            Place::ToName => &mut self.to_name,
            Place::Amount => &mut self.amount,
            Place::Note => &mut self.note,
        }
    }

    /// What it asks for, from this wallet; or what is wrong with it, as far as a browser can tell.
    pub(super) fn read(&self, from: &WalletId) -> Result<Send, Faults> {
        let to = match WalletId::parse(self.to.trim()) {
            Ok(to) if to == *from => Err(text::TO_OWN),
            Ok(to) => Ok(to),
            Err(_) if self.to.trim().is_empty() => Err(text::TO_MISSING),
            Err(_) => Err(text::TO_MALFORMED),
        };
        let to_name = self.to_name.trim();
        let to_name = if to_name.is_empty() { Err(text::TO_NAME_MISSING) } else { Ok(to_name.to_owned()) };
        let amount = match money::amount(&self.amount) {
            Some(Usd::ZERO) => Err(text::AMOUNT_NOTHING),
            Some(amount) => Ok(amount),
            None if self.amount.trim().is_empty() => Err(text::AMOUNT_MISSING),
            None => Err(text::AMOUNT_MALFORMED),
        };
        let note = Some(self.note.trim()).filter(|note| !note.is_empty()).map(str::to_owned);
        match (to, to_name, amount) {
            (Ok(to), Ok(to_name), Ok(amount)) => Ok(Send { from: from.clone(), to, to_name, amount, note }),
            (to, to_name, amount) => {
                Err(Faults { to: to.err(), to_name: to_name.err(), amount: amount.err() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet(byte: u8) -> WalletId {
        WalletId::make([byte; 16])
    }

    fn filled() -> Form {
        Form {
            to: [" ", wallet(2).as_str(), "\n"].concat(),
            to_name: "Anna Reis ".to_owned(),
            amount: "250".to_owned(),
            ..Form::default()
        }
    }

    #[test]
    fn what_is_typed_is_what_is_asked_for() {
        let send = filled().read(&wallet(1)).unwrap();
        assert_eq!(
            (send.to, send.to_name.as_str(), send.amount.to_string()),
            (wallet(2), "Anna Reis", "250.00".to_owned())
        );
        assert_eq!((send.from, send.note), (wallet(1), None));
        let noted = Form { note: " rent ".to_owned(), ..filled() };
        assert_eq!(noted.read(&wallet(1)).unwrap().note.as_deref(), Some("rent"));
    }

    #[test]
    fn every_slip_is_named_at_its_field() {
        let empty = Form::default().read(&wallet(1)).unwrap_err();
        assert_eq!(
            empty,
            Faults {
                to: Some(text::TO_MISSING),
                to_name: Some(text::TO_NAME_MISSING),
                amount: Some(text::AMOUNT_MISSING),
            }
        );
        assert_eq!(empty.first(), Some(Place::To));
        for (form, place, fault) in [
            (Form { to: "wal_1".to_owned(), ..filled() }, Place::To, text::TO_MALFORMED),
            (Form { to: wallet(1).as_str().to_owned(), ..filled() }, Place::To, text::TO_OWN),
            (Form { amount: "12,50".to_owned(), ..filled() }, Place::Amount, text::AMOUNT_MALFORMED),
            (Form { amount: "0.00".to_owned(), ..filled() }, Place::Amount, text::AMOUNT_NOTHING),
        ] {
            let faults = form.read(&wallet(1)).unwrap_err();
            assert_eq!(faults.first(), Some(place));
            assert!([faults.to, faults.to_name, faults.amount].contains(&Some(fault)), "{faults:?}");
        }
    }
}
