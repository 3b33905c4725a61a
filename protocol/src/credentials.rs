use crate::{
    base64url::Bytes,
    commitment::Commitment,
    step_up::{Action, Kind, Locale, quoted},
};
use serde::{Deserialize, Serialize};

/// What a credential or a channel is called, for ever: 1 to 64 of the letters `A` to `Z` and `a` to `z`, the
/// digits, `_`, `.` and `-`, and neither of the last two at the beginning. So it stands in an address and in
/// a sentence as it is, and no letter of another alphabet passes for one of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")))]
pub struct Name(String);

/// The text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAName;

impl core::fmt::Display for NotAName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not the name of a credential or a channel")
    }
}

impl std::error::Error for NotAName {}

/// The channel whose credentials every other has that has none of its own by that name.
pub const DEFAULT: &str = "default";

impl Name {
    /// Takes a name as it was written.
    pub fn parse(text: &str) -> Result<Self, NotAName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let is_one =
            (1..=64).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with(['.', '-']);
        if is_one { Ok(Self(text.to_owned())) } else { Err(NotAName) }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// `POST /v1/credentials/set`, an action with a secret: stores it, in place of what had the same name in the
/// same channel. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CredentialStoring"))]
#[serde(deny_unknown_fields)]
pub struct Storing {
    /// What it is called.
    pub name: Name,
    /// Whose it is, or [`DEFAULT`].
    pub channel: Name,
    /// To the secret that comes beside the parameters.
    pub commitment: Commitment,
}

impl Action for Storing {
    type Answer = ();

    const KIND: Kind = Kind::CredentialSet;

    fn target(&self) -> String {
        target(&self.channel, &self.name)
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (name, place) = (quoted(self.name.as_str()), place(&self.channel));
        ["Store the credential ", &name, &place, ". Its agents can read it; a value that it had is lost."]
            .concat()
    }

    fn commitment(&self) -> Option<&Commitment> {
        Some(&self.commitment)
    }
}

/// `POST /v1/credentials/remove`, an action: deletes one. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CredentialRemoval"))]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// What it is called.
    pub name: Name,
    /// Whose it is, or [`DEFAULT`].
    pub channel: Name,
}

impl Action for Removal {
    type Answer = ();

    const KIND: Kind = Kind::CredentialRemove;

    fn target(&self) -> String {
        target(&self.channel, &self.name)
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (name, place) = (quoted(self.name.as_str()), place(&self.channel));
        ["Delete the credential ", &name, &place, ". Its value is lost."].concat()
    }
}

fn target(channel: &Name, name: &Name) -> String {
    [channel.as_str(), "/", name.as_str()].concat()
}

fn place(channel: &Name) -> String {
    match channel.as_str() {
        DEFAULT => " of every channel that has no other".to_owned(),
        channel => [" of the channel ", &quoted(channel)].concat(),
    }
}

/// `GET /v1/credentials`: every credential of the account, by name and channel. No value ever comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialList {
    /// The credentials.
    pub credentials: Vec<CredentialView>,
}

/// A credential as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialView {
    /// What it is called.
    pub name: Name,
    /// Whose it is, or [`DEFAULT`].
    pub channel: Name,
    /// When this value was stored: milliseconds since 1970.
    pub stored_at_ms: u64,
    /// Who has read this value last; `None`: nobody.
    pub read: Option<LastRead>,
    /// Whether the server still has the key that it was stored under.
    pub state: CredentialState,
}

/// Who has read a value last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastRead {
    /// The agent's id.
    pub agent: String,
    /// Milliseconds since 1970, to the minute.
    pub at_ms: u64,
}

/// Whether a credential can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// The server has its key.
    Readable,
    /// The server no longer has its key: storing it anew is the cure.
    Unreadable,
}

/// `GET /v1/agents/credentials`: what the agent that asks can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadableCredentials {
    /// Of its channel, and of [`DEFAULT`]; each once, in order.
    pub names: Vec<Name>,
}

/// `GET /v1/agents/credentials/{name}`: the value in the agent's channel, or else in [`DEFAULT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialValue {
    /// As it was stored.
    pub value: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_look_and_needs_no_escaping() {
        for good in ["OPENAI_API_KEY", "a", "7", "_", "db.main-2", &"x".repeat(64)] {
            assert_eq!(Name::parse(good).map(String::from).as_deref(), Ok(good));
        }
        for bad in ["", ".", "..", ".a", "-a", "a b", "a/b", "a@b", "a\n", "é", "“", "a%2f", &"x".repeat(65)]
        {
            assert_eq!(Name::parse(bad), Err(NotAName), "{bad}");
            assert!(serde_json::from_value::<Name>(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sentence_tells_one_channel_from_all() {
        let removal =
            |channel| Removal { name: Name::parse("KEY").unwrap(), channel: Name::parse(channel).unwrap() };
        let said = |channel| removal(channel).sentence(Locale::En);
        assert_eq!(said("chat"), "Delete the credential “KEY” of the channel “chat”. Its value is lost.");
        assert_eq!(
            said(DEFAULT),
            "Delete the credential “KEY” of every channel that has no other. Its value is lost."
        );
        assert_eq!(removal("chat").target(), "chat/KEY");
    }
}
