use crate::{
    ids::{ConnectionId, PasskeyId, SessionId},
    step_up::{Kind, Outcome},
};
use serde::{Deserialize, Serialize};

/// What the user agent says of itself: labels for a person, never grounds for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// `Chrome`, `Firefox`, …, or `Unknown browser`.
    pub browser: String,
    /// `Mac`, `Windows`, `Linux`, `Android`, `iPhone`, …, or `Unknown device`.
    pub system: String,
}

/// One append-only record of the audit trail, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivityEvent {
    /// Rises with time within one account.
    pub id: i64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    pub what: Activity,
    /// From where, where a browser took part.
    pub device: Option<Device>,
    /// The session that it concerns, where there is one.
    pub session: Option<SessionId>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "Fields")]
pub enum Activity {
    /// The account was made.
    AccountCreated,
    /// A passkey was enrolled.
    PasskeyAdded {
        /// Which.
        passkey: PasskeyId,
        /// Its name then.
        name: String,
    },
    /// A passkey was given another name.
    PasskeyRenamed {
        /// Which.
        passkey: PasskeyId,
        /// Its name from then on.
        name: String,
    },
    /// A signature counter went backwards: the passkey may have been cloned.
    PasskeySuspect {
        /// Which.
        passkey: PasskeyId,
        /// Its name then.
        name: String,
    },
    /// A list of recovery codes came into force.
    RecoveryCodesCreated,
    /// A passkey opened a session.
    SignedIn {
        /// Which.
        passkey: PasskeyId,
        /// Its name then.
        name: String,
    },
    /// A known passkey was refused.
    SignInRefused {
        /// The problem's code.
        code: String,
    },
    /// A session was ended by its owner.
    SignedOut,
    /// Every session was ended by the owner.
    SignedOutEverywhere,
    /// The session's cookie came with the proof of somebody else's key, or with a proof that was used
    /// before: the cookie is probably stolen.
    TheftSuspected {
        /// How it showed.
        sign: TheftSign,
    },
    /// The session's cookie came without any proof, or without that of its device: a wiped browser, or a copied
    /// cookie.
    CookieWithoutKey,
    /// A connection failed to prove itself once and is held back.
    ConnectionHeld {
        /// Which.
        connection: ConnectionId,
        /// How it failed.
        why: String,
    },
    /// A connection failed twice in a row and was closed.
    ConnectionClosed {
        /// Which.
        connection: ConnectionId,
    },
    /// A connection was ended by its owner.
    ConnectionEnded {
        /// Which.
        connection: ConnectionId,
    },
    /// A browser was handed the challenge of a connection that is not its own, and refused it.
    RelayRefused {
        /// The connection on which it was handed over.
        connection: ConnectionId,
    },
    /// A passkey was disabled by its owner.
    PasskeyRemoved {
        /// Which.
        passkey: PasskeyId,
        /// Its name then.
        name: String,
    },
    /// A list of recovery codes took the place of another.
    RecoveryCodesReplaced,
    /// An agent read a credential; told at most once a minute.
    CredentialRead {
        /// The credential's name.
        name: String,
        /// The agent's id.
        agent: String,
    },
    /// Something about a step-up.
    StepUp {
        /// For which operation.
        action: Kind,
        /// What became of it.
        outcome: Outcome,
        /// What it says, as the person reads it before they confirm.
        sentence: String,
        /// The problem's code, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// An agent has done something, or something was done to it that no step-up tells of.
    Agent {
        /// What, as the person reads it.
        sentence: String,
    },
}

/// Every field that an event can have. Read by way of this, an event costs the page a fifth of what
/// serde's own reading of a tagged enum does.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Fields {
    kind: String,
    passkey: Option<PasskeyId>,
    name: Option<String>,
    code: Option<String>,
    sign: Option<TheftSign>,
    connection: Option<ConnectionId>,
    why: Option<String>,
    agent: Option<String>,
    action: Option<String>,
    outcome: Option<String>,
    sentence: Option<String>,
}

/// An event of a kind that is not known here, or without what its kind has.
struct UnknownActivity;

impl core::fmt::Display for UnknownActivity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not an event that is known here")
    }
}

impl TryFrom<Fields> for Activity {
    type Error = UnknownActivity;

    fn try_from(fields: Fields) -> Result<Self, UnknownActivity> {
        fields.read().ok_or(UnknownActivity)
    }
}

impl Fields {
    fn read(self) -> Option<Activity> {
        let Fields { kind, passkey, name, code, sign, connection, why, agent, action, outcome, sentence } =
            self;
        Some(match kind.as_str() {
            "account_created" => Activity::AccountCreated,
            "passkey_added" => Activity::PasskeyAdded { passkey: passkey?, name: name? },
            "passkey_renamed" => Activity::PasskeyRenamed { passkey: passkey?, name: name? },
            "passkey_suspect" => Activity::PasskeySuspect { passkey: passkey?, name: name? },
            "recovery_codes_created" => Activity::RecoveryCodesCreated,
            "signed_in" => Activity::SignedIn { passkey: passkey?, name: name? },
            "sign_in_refused" => Activity::SignInRefused { code: code? },
            "signed_out" => Activity::SignedOut,
            "signed_out_everywhere" => Activity::SignedOutEverywhere,
            "theft_suspected" => Activity::TheftSuspected { sign: sign? },
            "cookie_without_key" => Activity::CookieWithoutKey,
            "connection_held" => Activity::ConnectionHeld { connection: connection?, why: why? },
            "connection_closed" => Activity::ConnectionClosed { connection: connection? },
            "connection_ended" => Activity::ConnectionEnded { connection: connection? },
            "relay_refused" => Activity::RelayRefused { connection: connection? },
            "passkey_removed" => Activity::PasskeyRemoved { passkey: passkey?, name: name? },
            "recovery_codes_replaced" => Activity::RecoveryCodesReplaced,
            "credential_read" => Activity::CredentialRead { name: name?, agent: agent? },
            "step_up" => {
                let (action, outcome) = (Kind::parse(&action?)?, Outcome::parse(&outcome?)?);
                Activity::StepUp { action, outcome, sentence: sentence?, code }
            }
            "agent" => Activity::Agent { sentence: sentence? },
            _ => return None,
        })
    }
}

/// How a suspected theft showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TheftSign {
    /// The proof was made with a key that is none of this account's.
    ForeignKey,
    /// The proof had been used before.
    ReplayedProof,
}

/// `GET /v1/activity?before=ID&limit=N`: the newest first; `limit` 1 to 100, 50 unless told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivityPage {
    /// The events.
    pub events: Vec<ActivityEvent>,
    /// Older ones exist.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_read_as_it_is_written() {
        let (passkey, name) = (PasskeyId::make([1; 16]), "Laptop".to_owned());
        let connection = ConnectionId::make([2; 16]);
        let all = [
            Activity::AccountCreated,
            Activity::PasskeyAdded { passkey: passkey.clone(), name: name.clone() },
            Activity::PasskeyRenamed { passkey: passkey.clone(), name: name.clone() },
            Activity::PasskeySuspect { passkey: passkey.clone(), name: name.clone() },
            Activity::RecoveryCodesCreated,
            Activity::SignedIn { passkey, name },
            Activity::SignInRefused { code: "passkey_disabled".to_owned() },
            Activity::SignedOut,
            Activity::SignedOutEverywhere,
            Activity::TheftSuspected { sign: TheftSign::ForeignKey },
            Activity::TheftSuspected { sign: TheftSign::ReplayedProof },
            Activity::CookieWithoutKey,
            Activity::ConnectionHeld { connection: connection.clone(), why: "late".to_owned() },
            Activity::ConnectionClosed { connection: connection.clone() },
            Activity::ConnectionEnded { connection: connection.clone() },
            Activity::RelayRefused { connection },
            Activity::PasskeyRemoved { passkey: PasskeyId::make([1; 16]), name: "Laptop".to_owned() },
            Activity::RecoveryCodesReplaced,
            Activity::CredentialRead { name: "KEY".to_owned(), agent: "agt_0".to_owned() },
            Activity::StepUp {
                action: Kind::PasskeyRemove,
                outcome: Outcome::Confirmed,
                sentence: "Remove it.".to_owned(),
                code: None,
            },
            Activity::StepUp {
                action: Kind::PasskeyRemove,
                outcome: Outcome::Denied,
                sentence: String::new(),
                code: Some("cooldown".to_owned()),
            },
            Activity::Agent { sentence: "It has paid.".to_owned() },
        ];
        for what in all {
            let json = serde_json::to_string(&what).unwrap();
            assert_eq!(serde_json::from_str::<Activity>(&json).unwrap(), what, "{json}");
        }
        for other in [r#"{"kind":"unheard_of"}"#, r#"{"kind":"signed_in"}"#, "{}", r#""signed_out""#] {
            assert!(serde_json::from_str::<Activity>(other).is_err(), "{other}");
        }
    }
}
