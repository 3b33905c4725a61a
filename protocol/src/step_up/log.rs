//! What is written down of step-ups.

use super::Kind;
use crate::history::ActivityEvent;
use serde::{Deserialize, Serialize};

/// What became of a step-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A preflight was answered.
    Asked,
    /// It was confirmed and carried out.
    Confirmed,
    /// It was confirmed, and could not be carried out or not be believed.
    Failed,
    /// It was refused before any prompt, or came without a confirmation.
    Denied,
    /// A confirmation came that was used before, or was asked for before a server started.
    Replayed,
    /// It was carried out without a confirmation, because the operator has switched that off.
    Unguarded,
}

impl Outcome {
    /// Takes an outcome as it was written.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "asked" => Outcome::Asked,
            "confirmed" => Outcome::Confirmed,
            "failed" => Outcome::Failed,
            "denied" => Outcome::Denied,
            "replayed" => Outcome::Replayed,
            "unguarded" => Outcome::Unguarded,
            _ => return None,
        })
    }
}

/// `GET /v1/security/stepup-log?filter=&before=ID&limit=N`: the newest first; `limit` 1 to 100, 50 unless
/// told; `filter` is `all` unless told, or a [`Group`](super::Group).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepUpLog {
    /// The entries.
    pub events: Vec<ActivityEvent>,
    /// Older ones exist.
    pub more: bool,
    /// Actions that the operator has switched the step-up off for.
    pub switched_off: Vec<Kind>,
    /// Of the entries those that were confirmed with a passkey whose provider is known to say that the person was
    /// verified where nobody verified them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

/// See [`StepUpLog::claims`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "VerificationClaim"))]
pub struct Claim {
    /// The id of the entry.
    pub event: i64,
    /// Whose claim it is.
    pub provider: String,
}
