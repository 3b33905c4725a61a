use crate::{
    ids::AccountId,
    step_up::{Action, Kind, Locale, quoted},
};
use serde::{Deserialize, Serialize};

/// `POST /v1/terminal/open`, an action: this session gets one ticket for `/v1/streams/terminal`, if it asks
/// for it at once. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Who opens it.
    pub account: AccountId,
    /// The account's address.
    pub email: String,
}

impl Action for Admission {
    const KIND: Kind = Kind::TerminalOpen;

    fn target(&self) -> String {
        self.account.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (email, id) = (quoted(&self.email), self.account.as_str());
        let may = "). It can do everything there that the console itself can.";
        ["Open a terminal on this console's machine for ", &email, " (", id, may].concat()
    }
}

/// What a browser says in a text message of the stream; its binary messages are what was typed, and the
/// server's are what the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Characters across: 1 to 1,000.
    pub columns: u16,
    /// Lines: 1 to 1,000.
    pub rows: u16,
}

impl Size {
    /// Takes a message as it came.
    pub fn read(text: &str) -> Option<Self> {
        let size: Self = serde_json::from_str(text).ok()?;
        let fits = |number| (1..=1_000).contains(&number);
        (fits(size.columns) && fits(size.rows)).then_some(size)
    }
}

/// What the server says last, in its only text message: the shell has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its exit status; `None`: a signal has ended it.
    pub status: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_bounds() {
        let size = Size { columns: 80, rows: 24 };
        assert_eq!(Size::read(r#"{"columns":80,"rows":24}"#), Some(size));
        for other in [
            "",
            "80x24",
            r#"{"columns":80}"#,
            r#"{"columns":0,"rows":24}"#,
            r#"{"columns":80,"rows":1001}"#,
            r#"{"columns":80,"rows":-1}"#,
            r#"{"columns":80,"rows":24,"more":1}"#,
        ] {
            assert_eq!(Size::read(other), None, "{other}");
        }
    }
}
