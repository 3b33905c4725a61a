use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Browser;
use super::devtools::Command;

/// How an authenticator is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Internal,
    Usb,
}

/// A virtual authenticator's abilities (WebAuthn Level 3, section 11.3). The default is what a laptop
/// has built in: discoverable credentials, and a person who is there and is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorOptions {
    pub transport: Transport,
    pub has_resident_key: bool,
    pub has_user_verification: bool,
    /// Whether the person touches it when asked.
    pub is_user_consenting: bool,
    /// Whether the person's verification succeeds.
    pub is_user_verified: bool,
}

impl Default for AuthenticatorOptions {
    fn default() -> Self {
        Self {
            transport: Transport::Internal,
            has_resident_key: true,
            has_user_verification: true,
            is_user_consenting: true,
            is_user_verified: true,
        }
    }
}

/// A credential with its private key, as a virtual authenticator gives and takes it; bytes are
/// base64url. Added to another browser's authenticator, it is the same passkey there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    pub credential_id: String,
    pub is_resident_credential: bool,
    pub rp_id: String,
    /// PKCS #8.
    pub private_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<String>,
    pub sign_count: u32,
}

/// A virtual authenticator of one browser. It stays until it is removed or the browser ends.
#[derive(Debug)]
pub struct Authenticator<'browser> {
    browser: &'browser Browser,
    id: String,
}

impl Browser {
    /// Adds a virtual authenticator (WebAuthn Level 3, section 11).
    pub async fn add_authenticator(&self, options: AuthenticatorOptions) -> Result<Authenticator<'_>> {
        let mut parameters = serde_json::to_value(options)?;
        // Of CTAP 2.0 Firefox finds no passkey where more than one is allowed.
        parameters["protocol"] = json!("ctap2_1");
        match self.command(Command::post("webauthn/authenticator", parameters)).await? {
            Value::String(id) => Ok(Authenticator { browser: self, id }),
            other => bail!("a new authenticator has an id, not {other}"),
        }
    }
}

impl Authenticator<'_> {
    /// Its name in WebDriver, and in Chromium's DevTools as well.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The credentials that it holds.
    pub async fn credentials(&self) -> Result<Vec<Credential>> {
        let credentials = self.browser.command(Command::get(self.below("credentials"))).await?;
        serde_json::from_value(credentials).context("read the authenticator's credentials")
    }

    /// Puts a credential in.
    pub async fn add_credential(&self, credential: &Credential) -> Result<()> {
        let credential = serde_json::to_value(credential)?;
        self.send(Command::post(self.below("credential"), credential)).await
    }

    pub async fn remove_credential(&self, credential_id: &str) -> Result<()> {
        self.send(Command::delete(self.below(&format!("credentials/{credential_id}")))).await
    }

    pub async fn remove_all_credentials(&self) -> Result<()> {
        self.send(Command::delete(self.below("credentials"))).await
    }

    /// From now on the person's verification succeeds.
    pub async fn verify_person(&self) -> Result<()> {
        self.send(Command::post(self.below("uv"), json!({ "isUserVerified": true }))).await
    }

    /// From now on the person's verification fails.
    pub async fn refuse_person(&self) -> Result<()> {
        self.send(Command::post(self.below("uv"), json!({ "isUserVerified": false }))).await
    }

    /// Takes the authenticator away from the browser.
    pub async fn remove(self) -> Result<()> {
        self.send(Command::delete(self.path())).await
    }

    fn path(&self) -> String {
        format!("webauthn/authenticator/{}", self.id)
    }

    fn below(&self, path: &str) -> String {
        format!("{}/{path}", self.path())
    }

    async fn send(&self, command: Command) -> Result<()> {
        self.browser.command(command).await.map(|_| ())
    }
}
