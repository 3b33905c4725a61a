use crate::{
    base64url::Bytes,
    ids::{AccountId, CeremonyId, PasskeyId},
    problem::Code,
    step_up::{Action, Kind, Locale, quoted},
};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::{PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions};

/// What a browser needs to register a passkey: `public_key` goes to `navigator.credentials.create`,
/// after the browser has held the token against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegistrationOptions {
    /// Comes back with the answer.
    pub ceremony: CeremonyId,
    /// Comes back with the answer; the challenge is its hash.
    pub token: String,
    /// WebAuthn Level 3, `PublicKeyCredentialCreationOptionsJSON`.
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::creation_options"))]
    pub public_key: PublicKeyCredentialCreationOptions,
}

/// What a browser needs to sign in: `public_key` goes to `navigator.credentials.get`, after the
/// browser has held the token against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AssertionOptions {
    /// Comes back with the answer.
    pub ceremony: CeremonyId,
    /// Comes back with the answer; the challenge is its hash.
    pub token: String,
    /// WebAuthn Level 3, `PublicKeyCredentialRequestOptionsJSON`.
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::request_options"))]
    pub public_key: PublicKeyCredentialRequestOptions,
}

/// What an authenticator answered to a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistrationResponse {
    /// The credential id.
    pub id: Bytes,
    /// `response.clientDataJSON`.
    pub client_data_json: Bytes,
    /// `response.attestationObject`.
    pub attestation_object: Bytes,
    /// `response.getTransports()`: at most 8, each at most 32 characters.
    pub transports: Vec<String>,
    /// `credProps.rk`, where the browser says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discoverable: Option<Discoverable>,
}

/// What `credProps` says of the credential just made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Discoverable {
    /// It can sign in without a name.
    Yes,
    /// It cannot: refused.
    No,
}

/// What an authenticator answered to a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AssertionResponse {
    /// The credential id.
    pub id: Bytes,
    /// `response.clientDataJSON`.
    pub client_data_json: Bytes,
    /// `response.authenticatorData`.
    pub authenticator_data: Bytes,
    /// `response.signature`.
    pub signature: Bytes,
    /// `response.userHandle`: there for a discoverable credential, and empty where the authenticator left it
    /// out, as it may when it was told which passkeys it may use.
    pub user_handle: Bytes,
}

/// `GET /v1/passkey`: every passkey of the account, the oldest first. Whoever does not speak of
/// [`ListedPasskey::claims_verification`] reads it as a [`PasskeyList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PasskeyListing {
    /// The passkeys.
    pub passkeys: Vec<ListedPasskey>,
}

/// A passkey in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListedPasskey {
    /// As everywhere.
    #[serde(flatten)]
    pub passkey: PasskeyView,
    /// Its provider is known to say that the person was verified where nobody verified them.
    pub claims_verification: bool,
}

/// The same without what is known of providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyList {
    /// The passkeys.
    pub passkeys: Vec<PasskeyView>,
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PasskeyView {
    /// Unchanging.
    pub id: PasskeyId,
    /// As the owner named it; at first the derived name's provider.
    pub name: String,
    /// `Platform passkey (synced, built-in) @ Mac · Chrome`, the provider's name first where known.
    pub display_name: String,
    /// The provider, where the AAGUID is known.
    pub provider: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
    /// Milliseconds since 1970; `None`: never.
    pub last_used_at_ms: Option<u64>,
    /// Where it lives.
    pub backup: Backup,
    /// As the browser named them: `internal`, `hybrid`, `usb`, `nfc`, `ble`.
    pub transports: Vec<String>,
    /// How far it is trusted.
    pub trust: Trust,
    /// It opened the session that asks.
    pub opened_this_session: bool,
    /// How many other living sessions it has opened.
    pub other_sessions: u32,
}

/// Where a passkey lives (WebAuthn's BE and BS flags).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Backup {
    /// On one device, for ever.
    DeviceBound,
    /// May be synced, and is not yet.
    NotYetSynced,
    /// Synced by its provider.
    Synced,
}

/// How far a passkey is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// In use.
    Trusted,
    /// Enrolled within the cooldown.
    New,
    /// Its signature counter went backwards.
    Suspect,
    /// Removed: can never sign in again.
    Disabled,
}

/// `POST /v1/passkey/rename`. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RenameRequest {
    /// Which.
    pub id: PasskeyId,
    /// 1 to 64 characters, none of them hidden or like a `”`.
    pub name: String,
}

/// `POST /v1/passkey/delete`, an action: the passkey can never sign in again. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PasskeyRemoval"))]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Which.
    pub id: PasskeyId,
    /// Its present name.
    pub name: String,
}

impl Action for Removal {
    type Answer = ();

    const KIND: Kind = Kind::PasskeyRemove;
    const REFUSES: &'static [Code] = &[Code::LastPasskey];

    fn target(&self) -> String {
        self.id.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (name, id) = (quoted(&self.name), self.id.as_str());
        ["Remove the passkey ", &name, " (", id, "). It can never sign in again."].concat()
    }
}

/// `POST /v1/passkey/register/options`, an action: begins the registration of a further passkey. Answers
/// [`RegistrationOptions`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PasskeyAddition"))]
#[serde(deny_unknown_fields)]
pub struct Addition {
    /// Whose passkey it will be.
    pub account: AccountId,
    /// The account's address, as authenticators show it.
    pub email: String,
}

impl Action for Addition {
    type Answer = RegistrationOptions;

    const KIND: Kind = Kind::PasskeyRegisterAdditional;
    const REFUSES: &'static [Code] = &[Code::TooManyPasskeys];

    fn target(&self) -> String {
        self.account.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (email, id) = (quoted(&self.email), self.account.as_str());
        ["Add a passkey to the account ", &email, " (", id, "). It will sign in like this one."].concat()
    }
}

/// `POST /v1/passkey/register/verify`, in the session that has begun it. Answers the new [`PasskeyView`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AdditionVerifyRequest {
    /// Of the options.
    pub ceremony: CeremonyId,
    /// Of the options.
    pub token: String,
    /// What the authenticator answered.
    pub credential: RegistrationResponse,
}

/// `POST /v1/passkey/test`, an action that changes nothing: shows that this passkey, and no other of the
/// account, still works. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PasskeyTest"))]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Which.
    pub id: PasskeyId,
    /// Its present name.
    pub name: String,
}

impl Action for Test {
    type Answer = ();

    const KIND: Kind = Kind::PasskeyTest;

    fn target(&self) -> String {
        self.id.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (name, id) = (quoted(&self.name), self.id.as_str());
        ["Test the passkey ", &name, " (", id, "). Nothing is changed."].concat()
    }

    fn passkey(&self) -> Option<&PasskeyId> {
        Some(&self.id)
    }
}

/// `POST /v1/sessions/end-by-passkey`: ends every session that this passkey has opened, but for the one that
/// asks. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndByPasskeyRequest {
    /// Which; one that was removed as well.
    pub passkey: PasskeyId,
}
