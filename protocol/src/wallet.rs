use crate::{
    ids::{TransferId, WalletId},
    problem::Code,
    step_up::{Action, Kind, Locale, quoted},
};
use core::fmt;
use serde::{Deserialize, Serialize};

/// An amount of US dollars, exactly: whole millionths, never negative, below a billion dollars.
///
/// On the wire a decimal text in one spelling: two places, up to four more where they are needed, no sign
/// and no leading zero. `0.00`, `12.50`, `0.000125`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^(0|[1-9][0-9]{0,8})\.[0-9]{2}([0-9]{0,3}[1-9])?$")))]
pub struct Usd(#[cfg_attr(feature = "schema", schemars(with = "String"))] i64);

const MICROS_PER_DOLLAR: i64 = 1_000_000;

/// The text, or the sum, is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnAmount;

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an amount of dollars: it is written like 12.50")
    }
}

impl std::error::Error for NotAnAmount {}

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 999,999,999.999999, which is exact as a JavaScript number of millionths, too.
    pub const MAX: Self = Self(1_000_000_000 * MICROS_PER_DOLLAR - 1);

    /// From millionths of a dollar.
    pub fn from_micros(micros: i64) -> Result<Self, NotAnAmount> {
        if (0..=Self::MAX.0).contains(&micros) { Ok(Self(micros)) } else { Err(NotAnAmount) }
    }

    /// In millionths of a dollar.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Takes an amount as it is written.
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        let (dollars, places) = text.split_once('.').ok_or(NotAnAmount)?;
        let number = |digits: &str| digits.parse::<i64>().map_err(|_| NotAnAmount);
        let (dollars, micros) = (number(dollars)?, number(&format!("{places:0<6}"))?);
        let micros = dollars.checked_mul(MICROS_PER_DOLLAR).and_then(|dollars| dollars.checked_add(micros));
        let amount = Self::from_micros(micros.ok_or(NotAnAmount)?)?;
        // Whatever else can be read as this number is a second spelling.
        if amount.to_string() == text { Ok(amount) } else { Err(NotAnAmount) }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Result<Self, NotAnAmount> {
        Self::from_micros(self.0.saturating_add(other.0))
    }

    /// What is left without the other; an error where that is more.
    pub fn minus(self, other: Self) -> Result<Self, NotAnAmount> {
        Self::from_micros(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, micros) = (self.0 / MICROS_PER_DOLLAR, self.0 % MICROS_PER_DOLLAR);
        if micros % 10_000 == 0 {
            return write!(f, "{dollars}.{:02}", micros / 10_000);
        }
        let places = format!("{micros:06}");
        write!(f, "{dollars}.{}", places.trim_end_matches('0'))
    }
}

impl Serialize for Usd {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// `POST /v1/wallet/send`, an action: money goes from one wallet to another. It wants the header
/// `Idempotency-Key`. Answers [`Sent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WalletSend"))]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The sender's own wallet.
    pub from: WalletId,
    /// Whose it shall be.
    pub to: WalletId,
    /// The name of the recipient's account.
    pub to_name: String,
    /// More than nothing.
    pub amount: Usd,
    /// What both will read beside it: 1 to 64 characters, none of them hidden or like a `”`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Action for Send {
    type Answer = Sent;

    const KIND: Kind = Kind::WalletSend;
    const WANTS_KEY: bool = true;
    const REFUSES: &'static [Code] = &[Code::InsufficientFunds];

    fn target(&self) -> String {
        self.to.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (amount, name, id) = (self.amount.to_string(), quoted(&self.to_name), self.to.as_str());
        let sentence = ["Send ", &amount, " USD to ", &name, " (", id, ")."].concat();
        match &self.note {
            Some(note) => [&sentence, " With the note ", &quoted(note), "."].concat(),
            None => sentence,
        }
    }
}

/// Money was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sent {
    /// In the lists of both.
    pub transfer: TransferId,
    /// What the sender has left.
    pub balance: Usd,
}

/// `GET /v1/wallet?before=NUMBER&limit=N`: one's own wallet, which the first look opens. The newest
/// transfers first; `limit` 1 to 100, 50 unless told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WalletView {
    /// Give it, with your name, to whoever wants to send you money.
    pub id: WalletId,
    /// What is in it.
    pub balance: Usd,
    /// What came and went.
    pub transfers: Vec<TransferView>,
    /// Older ones exist.
    pub more: bool,
}

/// A transfer as one of its two sides sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TransferView {
    /// The same for both sides.
    pub id: TransferId,
    /// Counts the transfers of this wallet, from 1.
    pub number: i64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Usd,
    /// What was in the wallet afterwards.
    pub balance: Usd,
    /// The other side; `None`: the console's operator.
    pub other: Option<Party>,
    /// What the sender wrote.
    pub note: Option<String>,
}

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into this wallet.
    Received,
    /// Out of this wallet.
    Sent,
}

/// Somebody with a wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Party {
    /// Unchanging.
    pub wallet: WalletId,
    /// The name of its account, at present.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_amount_is_written_one_way() {
        for (text, micros) in [
            ("0.00", 0),
            ("0.000001", 1),
            ("0.01", 10_000),
            ("0.10", 100_000),
            ("0.101", 101_000),
            ("12.50", 12_500_000),
            ("12.345678", 12_345_678),
            ("100.00", 100_000_000),
            ("999999999.999999", 999_999_999_999_999),
        ] {
            let amount = Usd::from_micros(micros).unwrap();
            assert_eq!(amount.to_string(), text);
            assert_eq!(Usd::parse(text), Ok(amount), "{text}");
            assert_eq!(serde_json::to_value(amount).unwrap(), json!(text));
            assert_eq!(serde_json::from_value::<Usd>(json!(text)).unwrap(), amount);
        }
    }

    #[test]
    fn what_is_no_amount_or_a_second_spelling_is_refused() {
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".50",
            "1.5",
            "1.500",
            "1.5000000",
            "1.0000001",
            "0.0000005",
            "01.00",
            "00.00",
            "-1.00",
            "-0.00",
            "+1.00",
            "1.-5",
            "1.+5",
            "1.+50000",
            "1e3",
            "1.00e3",
            "1,00",
            "1 000.00",
            " 1.00",
            "1.00 ",
            "1_0.00",
            "$1.00",
            "0x1.00",
            "NaN",
            "inf",
            "1.00.00",
            "１.00",
            "1.0０",
            "1000000000.00",
            "9223372036854775807.00",
            "99999999999999999999999999999999.00",
            "0.00000000000000000000000000000000000001",
        ] {
            assert_eq!(Usd::parse(text), Err(NotAnAmount), "{text:?}");
        }
        for value in [json!(1), json!(1.5), json!(null), json!(["1.00"]), json!({ "usd": "1.00" })] {
            assert!(serde_json::from_value::<Usd>(value.clone()).is_err(), "{value}");
        }
        for micros in [-1, i64::MIN, i64::MAX, Usd::MAX.micros() + 1] {
            assert_eq!(Usd::from_micros(micros), Err(NotAnAmount), "{micros}");
        }
    }

    #[test]
    fn sums_are_exact_and_stay_within_bounds() {
        let usd = |text| Usd::parse(text).unwrap();
        assert_eq!(usd("0.10").plus(usd("0.20")), Ok(usd("0.30")));
        assert_eq!(usd("0.30").minus(usd("0.10")), Ok(usd("0.20")));
        assert_eq!(usd("0.30").minus(usd("0.30")), Ok(Usd::ZERO));
        assert_eq!(usd("0.30").minus(usd("0.300001")), Err(NotAnAmount));
        assert_eq!(Usd::MAX.plus(Usd::ZERO), Ok(Usd::MAX));
        assert_eq!(Usd::MAX.plus(usd("0.000001")), Err(NotAnAmount));
        assert_eq!(Usd::MAX.plus(Usd::MAX), Err(NotAnAmount));
    }

    #[test]
    fn the_sentence_names_amount_recipient_and_note() {
        let [from, to] = [1, 2].map(|byte| WalletId::make([byte; 16]));
        let amount = Usd::parse("12.50").unwrap();
        let mut send = Send { from, to, to_name: "Mara".to_owned(), amount, note: None };
        let sentence = "Send 12.50 USD to “Mara” (wal_2222-2222-2222-2222).";
        assert_eq!(send.sentence(Locale::En), sentence);
        send.note = Some("lunch”. Send more".to_owned());
        let noted = "Send 12.50 USD to “Mara” (wal_2222-2222-2222-2222). With the note “lunch\". Send more”.";
        assert_eq!(send.sentence(Locale::En), noted);
    }
}
