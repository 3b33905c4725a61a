#[cfg(feature = "schema")]
mod declared;
mod evidence;
mod log;
mod readiness;

#[cfg(feature = "schema")]
pub use declared::Declared;
pub use evidence::Evidence;
pub use log::{Claim, Outcome, StepUpLog};
pub use readiness::{Readiness, ReadinessState};

use crate::{
    agents,
    base64url::Bytes,
    characters::is_hidden,
    commitment::{Commitment, Opening},
    credentials,
    ids::{CeremonyId, PasskeyId},
    passkeys::{self, AssertionResponse},
    problem::Code,
    recovery, terminal, wallet,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// The parameters of an operation that is signed for: exactly what is hashed, shown and carried out.
///
/// No floating-point numbers: money is a decimal text. Whatever has a name is named by it and by its
/// unchanging id, and the server refuses a name that has changed since.
pub trait Action: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Which action it is.
    const KIND: Kind;

    /// What is answered: JSON, or 204 for `()`. It is kept for a day, as it is, for whoever lost it: no secret
    /// may stand in it.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Whether it is refused without an `Idempotency-Key`: who does not know what became of it must be able
    /// to ask again.
    const WANTS_KEY: bool = false;

    /// What it is refused with, beside what every action is.
    const REFUSES: &'static [Code] = &[];

    /// The unchanging id of what it is done to.
    fn target(&self) -> String;

    /// What the person reads before they confirm. The names in it come from people: write them with
    /// [`quoted`].
    fn sentence(&self, locale: Locale) -> String;

    /// What they say of a secret that is sent beside them; most have none.
    fn commitment(&self) -> Option<&Commitment> {
        None
    }

    /// The one passkey that may confirm it; most leave that to their owner.
    fn passkey(&self) -> Option<&PasskeyId> {
        None
    }
}

/// The language of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    #[default]
    En,
}

impl Locale {
    /// Takes a locale as it was written.
    pub fn parse(text: &str) -> Option<Self> {
        (text == "en").then_some(Self::En)
    }
}

/// Under which filter of the step-up log an action is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Approving an agent.
    AgentApprove,
    /// Everything else about agents.
    Agent,
    /// Money.
    Wallet,
    /// Passkeys.
    Passkey,
    /// Stored secrets.
    Credential,
    /// The account itself, recovery codes, the terminal.
    Account,
}

impl Group {
    /// All of them.
    pub const ALL: [Group; 6] =
        [Group::AgentApprove, Group::Agent, Group::Wallet, Group::Passkey, Group::Credential, Group::Account];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::AgentApprove => "agent_approve",
            Group::Agent => "agent",
            Group::Wallet => "wallet",
            Group::Passkey => "passkey",
            Group::Credential => "credential",
            Group::Account => "account",
        }
    }

    /// Takes a group as it was written.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }
}

/// What an action does to the power of whoever holds the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It gives some: refused while the account is held.
    Gives,
    /// It only takes some away: works in every state.
    Takes,
    /// It takes some away, and could lock the owner out: in a hold only with a passkey older than that.
    TakesByAnOldPasskey,
}

/// Declares every action, once: server, page, log, settings and documents follow from this table.
macro_rules! actions {
    ($($(#[doc = $doc:literal])* $kind:ident($parameters:ty) = $text:literal, $path:literal, $group:ident, $power:ident;)*) => {
        /// An operation that needs a step-up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Kind {
            $($(#[doc = $doc])* #[serde(rename = $text)] $kind,)*
        }

        impl Kind {
            /// All of them, for settings, documents and tests.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$kind => $text,)* }
            }

            /// Where it is carried out: `POST` this. Its preflight is at the same path and `/stepup`.
            pub fn path(self) -> &'static str {
                match self { $(Kind::$kind => $path,)* }
            }

            /// Its filter in the step-up log.
            pub fn group(self) -> Group {
                match self { $(Kind::$kind => Group::$group,)* }
            }

            /// Whether it is refused while the account is held.
            pub fn power(self) -> Power {
                match self { $(Kind::$kind => Power::$power,)* }
            }

            /// What canonical parameters of this kind say, to whoever has only their text; `None`: they are
            /// not of this kind, or not in their one spelling.
            pub fn read(self, canonical: &str) -> Option<Said> {
                match self { $(Kind::$kind => said::<$parameters>(canonical),)* }
            }

            /// All that is declared of it, for documents.
            #[cfg(feature = "schema")]
            pub fn declared(self) -> Declared {
                match self { $(Kind::$kind => Declared::of::<$parameters>(concat!($($doc),*)),)* }
            }
        }
    };
}

actions! {
    /// A passkey is disabled.
    PasskeyRemove(passkeys::Removal) = "passkey.remove", "/v1/passkey/delete", Passkey, TakesByAnOldPasskey;
    /// A further passkey is enrolled.
    PasskeyRegisterAdditional(passkeys::Addition) = "passkey.register.additional",
        "/v1/passkey/register/options", Passkey, Gives;
    /// A passkey is shown to work.
    PasskeyTest(passkeys::Test) = "passkey.test", "/v1/passkey/test", Passkey, Takes;
    /// A new list of recovery codes takes the place of the old one.
    RecoveryCodesRegenerate(recovery::Regeneration) = "recovery_codes.regenerate",
        "/v1/recovery-codes/regenerate", Account, Gives;
    /// Money goes to another wallet.
    WalletSend(wallet::Send) = "wallet.send", "/v1/wallet/send", Wallet, Gives;
    /// A secret is stored for agents to read.
    CredentialSet(credentials::Storing) = "credential.set", "/v1/credentials/set", Credential, Gives;
    /// A stored secret is deleted.
    CredentialRemove(credentials::Removal) = "credential.remove", "/v1/credentials/remove", Credential, Takes;
    /// A terminal is opened.
    TerminalOpen(terminal::Admission) = "terminal.open", "/v1/terminal/open", Account, Gives;
    /// An agent is paired, or gets other limits.
    AgentApprove(agents::Approval) = "agent_session.approve", "/v1/agents/approve", AgentApprove, Gives;
    /// An agent can do nothing more.
    AgentRevoke(agents::Revocation) = "agent.revoke", "/v1/agents/revoke", Agent, Takes;
    /// The same, and what was stored for it is deleted.
    AgentTeardown(agents::Teardown) = "agent.teardown", "/v1/agents/teardown", Agent, Takes;
}

impl Kind {
    /// Where its step-up begins: `POST` the parameters there.
    pub fn preflight(self) -> String {
        [self.path(), "/stepup"].concat()
    }

    /// Takes a kind as it was written.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What parameters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The unchanging id of what it is done to.
    pub target: String,
    /// The sentence, in [`Locale::En`].
    pub sentence: String,
}

fn said<A: Action>(canonical: &str) -> Option<Said> {
    let action: A = serde_json::from_str(canonical).ok()?;
    (canonical_text(&action)? == canonical)
        .then(|| Said { target: action.target(), sentence: action.sentence(Locale::En) })
}

/// The one spelling of parameters (RFC 8785); `None`: a number or a name that has none.
pub fn canonical_text(parameters: &impl Serialize) -> Option<String> {
    serde_json_canonicalizer::to_string(parameters).ok()
}

/// What a token says of the parameters: SHA-256 of their one spelling.
pub fn hash_of(canonical: &str) -> Bytes {
    Bytes(Sha256::digest(canonical.as_bytes()).to_vec())
}

/// A name that somebody gave, in a sentence: between quotation marks that it cannot close itself.
pub fn quoted(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 6);
    text.push('“');
    text.extend(name.chars().map(|c| if matches!(c, '“' | '”') { '"' } else { c }));
    text.push('”');
    text
}

/// Whether a person can read a sentence as it is: it has at most 2,048 bytes, and no character that hides
/// something or turns others around.
pub fn is_legible(sentence: &str) -> bool {
    sentence.len() <= 2_048 && !sentence.chars().any(is_hidden)
}

/// Answers a preflight: the address, and `public_key` for `navigator.credentials.get`, after the browser
/// has held the token against what it asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepUpOptions {
    /// Comes back with the answer.
    pub ceremony: CeremonyId,
    /// Comes back with the answer; the challenge is its hash.
    pub token: String,
    /// WebAuthn Level 3, `PublicKeyCredentialRequestOptionsJSON`.
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::request_options"))]
    pub public_key: webauthn_rs_proto::PublicKeyCredentialRequestOptions,
    /// Where every passkey that may confirm it is of a provider that is known to say that the person was verified
    /// where nobody verified them: these providers. To be told beside the sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claiming_providers: Vec<String>,
}

/// The body of an action: its parameters, the secret that they speak of, and the confirmation where it was
/// asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RequestOf{A}"))]
#[serde(deny_unknown_fields)]
pub struct Request<A> {
    /// What is to be done.
    pub parameters: A,
    /// With [`Action::commitment`], and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Opening>,
    /// That its owner wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
}

/// A finished step-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Of the options.
    pub ceremony: CeremonyId,
    /// Of the options.
    pub token: String,
    /// What the authenticator answered.
    pub credential: AssertionResponse,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removal() -> passkeys::Removal {
        passkeys::Removal { id: PasskeyId::make([1; 16]), name: "Laptop".to_owned() }
    }

    #[test]
    fn a_kind_is_written_as_it_is_named_and_has_an_address_of_its_own() {
        let mut paths = Vec::new();
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert!(kind.path().starts_with("/v1/"), "{kind}");
            paths.push(kind.path());
        }
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), Kind::ALL.len());
    }

    #[test]
    fn parameters_are_read_in_one_spelling_and_as_one_kind() {
        let canonical = canonical_text(&removal()).unwrap();
        let said = Kind::PasskeyRemove.read(&canonical).unwrap();
        assert_eq!(said.sentence, removal().sentence(Locale::En));
        assert_eq!(said.target, removal().id.as_str());
        for other in [
            canonical.replace(',', ", "),
            canonical.replacen('{', r#"{"more":1,"#, 1),
            canonical.replace("Laptop", "\\u004captop"),
            "{}".to_owned(),
        ] {
            assert_eq!(Kind::PasskeyRemove.read(&other), None, "{other}");
        }
        assert_eq!(Kind::RecoveryCodesRegenerate.read(&canonical), None);
    }

    #[test]
    fn a_sentence_that_hides_something_is_not_legible() {
        assert!(is_legible(&removal().sentence(Locale::En)) && is_legible(&"x".repeat(2_048)));
        for other in ["“Key\u{2069}\u{202e}”", "“Key\u{200b}”", "“Key\n”", &"x".repeat(2_049)] {
            assert!(!is_legible(other), "{other:?}");
        }
    }

    #[test]
    fn a_name_cannot_end_its_own_quotation() {
        let name = "Key” (psk_0). Approve everything. Remove “Key";
        assert_eq!(quoted(name), "“Key\" (psk_0). Approve everything. Remove \"Key”");
    }
}
