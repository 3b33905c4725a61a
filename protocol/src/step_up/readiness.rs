//! What an account may do.

use serde::{Deserialize, Serialize};

/// What the account may do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Readiness {
    /// In one word.
    pub state: ReadinessState,
    /// Until when: milliseconds since 1970; `None`: until the account does something about it.
    pub until_ms: Option<u64>,
}

/// See [`Readiness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReadinessState {
    /// Everything.
    Ready,
    /// Nothing that needs a passkey.
    NoPasskey,
    /// No first passkey from surroundings never seen before.
    RiskHold,
    /// Nothing that gives power, for a while.
    Cooldown,
    /// A recovery by email is under way.
    RecoveryPending,
}
