use super::form::{Form, Phase, Place};
use crate::problem::Failure;
use holdfast_protocol::{
    ids::WalletId,
    wallet::{TransferView, Usd, WalletView},
};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The wallet.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wallet {
    Loading,
    Failed(Failure),
    Loaded(Box<Loaded>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    pub(super) id: WalletId,
    pub(super) balance: Usd,
    /// The newest first, without a gap.
    pub(super) transfers: Vec<TransferView>,
    /// Older ones exist.
    pub(super) more: bool,
    pub(super) older: Older,
    pub(super) form: Form,
    /// The id is on the clipboard, or is not.
    pub(super) copied: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Older {
    Idle,
    Fetching,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Fetched(WalletView),
    CouldNotFetch(Failure),
    OlderAsked,
    OlderFetched(WalletView),
    CouldNotFetchOlder(Failure),
    Typed(Place, String),
    /// Sent as typed, if that can be sent.
    Submitted,
    /// So much, to whom.
    Sent(String),
    NotSent(Failure),
    /// The prompt was closed.
    Left,
    Copied(&'static str),
}

impl Reducible for Wallet {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut loaded = match &*self {
            Wallet::Loaded(loaded) => loaded.clone(),
            Wallet::Loading | Wallet::Failed(_) => {
                return match action {
                    Action::Fetched(view) => Rc::new(Wallet::Loaded(Box::new(Loaded::first(view)))),
                    Action::CouldNotFetch(failure) => Rc::new(Wallet::Failed(failure)),
                    _ => self,
                };
            }
        };
        match action {
            Action::Fetched(view) => loaded.renew(view),
            // The wallet in sight is better than none.
            Action::CouldNotFetch(_) => {}
            Action::OlderAsked => loaded.older = Older::Fetching,
            Action::OlderFetched(view) => loaded.append(view),
            Action::CouldNotFetchOlder(failure) => loaded.older = Older::Failed(failure),
            Action::Typed(place, typed) => {
                *loaded.form.at(place) = typed;
                if loaded.form.phase != Phase::Sending {
                    loaded.form.phase = Phase::Typing;
                }
            }
            Action::Submitted => {
                loaded.form.tries += 1;
                loaded.form.phase =
                    loaded.form.read(&loaded.id).map_or_else(Phase::Faulty, |_| Phase::Sending);
            }
            Action::Sent(said) => loaded.form = Form { phase: Phase::Sent(said), ..Form::default() },
            Action::NotSent(failure) => loaded.form.phase = Phase::Failed(failure),
            Action::Left => loaded.form.phase = Phase::Typing,
            Action::Copied(said) => loaded.copied = Some(said),
        }
        Rc::new(Wallet::Loaded(loaded))
    }
}

impl Loaded {
    fn first(WalletView { id, balance, transfers, more }: WalletView) -> Self {
        Self { id, balance, transfers, more, older: Older::Idle, form: Form::default(), copied: None }
    }

    /// The newest ones anew; what was fetched below them stays, where nothing is missing in between.
    fn renew(&mut self, view: WalletView) {
        let WalletView { id, balance, mut transfers, more } = view;
        let reaches = transfers.last().map_or(0, |oldest| oldest.number);
        let below = self.transfers.iter().position(|known| known.number < reaches);
        let joins =
            below.and_then(|at| self.transfers.get(at)).is_some_and(|next| next.number + 1 == reaches);
        if let (Some(at), true) = (below, joins) {
            transfers.extend(self.transfers.drain(at..));
        } else {
            self.more = more;
        }
        (self.id, self.balance, self.transfers) = (id, balance, transfers);
    }

    fn append(&mut self, view: WalletView) {
        let oldest = self.transfers.last().map_or(i64::MAX, |oldest| oldest.number);
        self.transfers.extend(view.transfers.into_iter().filter(|older| older.number < oldest));
        (self.more, self.older) = (view.more, Older::Idle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::form::Faults;
    use holdfast_protocol::{ids::TransferId, wallet::Direction};

    fn transfer(number: i64) -> TransferView {
        TransferView {
            id: TransferId::make([1; 16]),
            number,
            at_ms: 1_796_000_000_000,
            direction: Direction::Received,
            amount: Usd::ZERO,
            balance: Usd::ZERO,
            other: None,
            note: None,
        }
    }

    fn view(newest: i64, oldest: i64) -> WalletView {
        let transfers = (oldest..=newest).rev().map(transfer).collect();
        WalletView { id: WalletId::make([1; 16]), balance: Usd::ZERO, transfers, more: oldest > 1 }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Loaded {
        let start = Rc::new(Wallet::Loading).reduce(Action::Fetched(view(6, 4)));
        match &*actions.into_iter().fold(start, |state, action| state.reduce(action)) {
            Wallet::Loaded(loaded) => (**loaded).clone(),
            _ => panic!("loaded"),
        }
    }

    fn numbers(loaded: &Loaded) -> Vec<i64> {
        loaded.transfers.iter().map(|transfer| transfer.number).collect()
    }

    fn typed() -> [Action; 3] {
        [
            Action::Typed(Place::To, WalletId::make([2; 16]).as_str().to_owned()),
            Action::Typed(Place::ToName, "Anna".to_owned()),
            Action::Typed(Place::Amount, "12.5".to_owned()),
        ]
    }

    #[test]
    fn older_transfers_stand_below_and_stay_when_the_newest_come_anew() {
        let paged = after([Action::OlderAsked, Action::OlderFetched(view(3, 2))]);
        assert_eq!((numbers(&paged), paged.more, paged.older), (vec![6, 5, 4, 3, 2], true, Older::Idle));
        let renewed = after([Action::OlderFetched(view(3, 1)), Action::Fetched(view(7, 5))]);
        assert_eq!((numbers(&renewed), renewed.more), (vec![7, 6, 5, 4, 3, 2, 1], false));
        let twice = after([Action::OlderFetched(view(3, 2)), Action::OlderFetched(view(3, 2))]);
        assert_eq!(numbers(&twice), [6, 5, 4, 3, 2]);
    }

    #[test]
    fn a_gap_is_never_shown_as_none() {
        let renewed = after([Action::OlderFetched(view(3, 1)), Action::Fetched(view(12, 10))]);
        assert_eq!((numbers(&renewed), renewed.more), (vec![12, 11, 10], true));
    }

    #[test]
    fn what_was_sent_is_gone_from_the_form_and_nothing_else_is() {
        let sending = after(typed().into_iter().chain([Action::Submitted]));
        assert_eq!(sending.form.phase, Phase::Sending);
        let all = || typed().into_iter().chain([Action::Submitted]);
        let sent = after(all().chain([Action::Sent("12.50 USD".to_owned())]));
        assert_eq!(sent.form, Form { phase: Phase::Sent("12.50 USD".to_owned()), ..Form::default() });
        for (end, phase) in [
            (Action::Left, Phase::Typing),
            (Action::NotSent(Failure::Offline), Phase::Failed(Failure::Offline)),
        ] {
            let ended = after(all().chain([end]));
            assert_eq!((ended.form.amount.as_str(), ended.form.phase), ("12.5", phase));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_not() {
        let state = after([Action::Submitted]);
        assert!(matches!(state.form.phase, Phase::Faulty(Faults { to: Some(_), .. })));
    }

    #[test]
    fn a_wallet_in_sight_survives_a_server_that_is_away() {
        assert_eq!(numbers(&after([Action::CouldNotFetch(Failure::ServerAway)])), [6, 5, 4]);
    }
}
