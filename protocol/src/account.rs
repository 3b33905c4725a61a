use crate::{
    base64url::Bytes,
    history::Device,
    ids::{AccountId, CeremonyId, SessionId, Thumbprint},
    passkeys::{AssertionResponse, RegistrationResponse},
    recovery::RecoveryCodesView,
    step_up::Readiness,
};
use serde::{Deserialize, Serialize};

/// How strongly an account is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Only a passkey signs in.
    WebLocked,
}

/// What an account may do for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Invites, promotes, deactivates.
    Admin,
    /// Looks after itself.
    Member,
}

/// `GET /v1/setup`: whether the first account is still to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetupStatus {
    /// No account exists yet.
    pub open: bool,
}

/// `POST /v1/setup/options`, with `X-Setup-Token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetupOptionsRequest {
    /// 1 to 64 characters, none of them hidden or like a `”`.
    pub name: String,
    /// An email address, at most 254 bytes.
    pub email: String,
    /// Of the PoP key that the browser has just made.
    pub jkt: Thumbprint,
}

/// `POST /v1/setup/verify`, with a DPoP proof of the new key. Makes account, passkey and session in
/// one transaction. Answers [`SignedIn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetupVerifyRequest {
    /// Of the options.
    pub ceremony: CeremonyId,
    /// Of the options.
    pub token: String,
    /// What the authenticator answered.
    pub credential: RegistrationResponse,
}

/// `POST /v1/login/options`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginOptionsRequest {
    /// Of the PoP key that the browser has just made.
    pub jkt: Thumbprint,
}

/// `POST /v1/login/verify`, with a DPoP proof of the new key. Answers [`SignedIn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginVerifyRequest {
    /// Of the options.
    pub ceremony: CeremonyId,
    /// Of the options.
    pub token: String,
    /// What the authenticator answered.
    pub credential: AssertionResponse,
}

/// The answer to a ceremony that opened a session; the cookies come with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedIn {
    /// Who is signed in.
    pub me: Me,
}

/// `GET /v1/me`: who is signed in, here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Me {
    /// The account.
    pub account: AccountView,
    /// This browser's session.
    pub session: SessionView,
    /// How the recovery codes stand; `None`: none in force yet, the wizard is not finished.
    pub recovery_codes: Option<RecoveryCodesView>,
    /// What the Signal API tells the authenticator: always the complete list.
    pub signals: Signals,
    /// What the account may do now.
    pub passkey_readiness: Readiness,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountView {
    /// Unchanging.
    pub id: AccountId,
    /// As the owner wrote it.
    pub name: String,
    /// As the owner wrote it.
    pub email: String,
    /// How strongly it is locked.
    pub tier: Tier,
    /// What it may do for others.
    pub role: Role,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionView {
    /// Names it; opens nothing.
    pub id: SessionId,
    /// From the user agent.
    pub device: Device,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
    /// When it ends at the latest: milliseconds since 1970.
    pub expires_at_ms: u64,
    /// What a copy of its cookie lacks.
    pub binding: SessionBinding,
}

/// What a session is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionBinding {
    /// A key that the browser keeps, with which it proves each request and each connection.
    Browser,
    /// That key, and one that the device's hardware keeps (Device Bound Session Credentials).
    Device,
}

/// Everything that the Signal API wants, of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signals {
    /// The relying-party id.
    pub rp_id: String,
    /// The WebAuthn user handle.
    pub user_id: Bytes,
    /// `user.name` as it stands now.
    pub name: String,
    /// `user.displayName` as it stands now.
    pub display_name: String,
    /// Credential ids of every passkey that may sign in: complete, or the authenticator deletes the rest.
    pub accepted_credential_ids: Vec<Bytes>,
}

/// `POST /v1/logout`. Answers 204 with `Clear-Site-Data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogoutRequest {
    /// How far it reaches.
    pub scope: LogoutScope,
}

/// How far signing out reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogoutScope {
    /// This session.
    ThisBrowser,
    /// Every session of the account.
    Everywhere,
}
