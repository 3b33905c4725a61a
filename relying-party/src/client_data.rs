//! What the browser says it did: the client data of WebAuthn §5.8.1.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};

use crate::{Expectations, Refusal};

/// The members that are checked. A member given twice is refused; unknown ones are for the future and are
/// passed over, `tokenBinding` of Level 1 among them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    /// Absent in old browsers, which had no frames to tell of.
    #[serde(default)]
    cross_origin: bool,
    #[serde(default, deserialize_with = "string_not_null")]
    top_origin: Option<String>,
}

/// The `type` of client data.
#[derive(Clone, Copy)]
pub(crate) enum Ceremony {
    Create,
    Get,
}

impl ClientData {
    /// UTF-8 decode and parse.
    pub(crate) fn parse(client_data_json: &[u8]) -> Result<Self, Refusal> {
        let text = core::str::from_utf8(client_data_json).map_err(|_| Refusal::MalformedClientData)?;
        // "UTF-8 decode" of the Encoding standard drops one byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // serde would also fill the struct from an array, by position.
        if !text.starts_with('{') {
            return Err(Refusal::MalformedClientData);
        }
        serde_json::from_str(text).map_err(|_| Refusal::MalformedClientData)
    }

    pub(crate) fn verify_type(&self, ceremony: Ceremony) -> Result<(), Refusal> {
        let expected = match ceremony {
            Ceremony::Create => "webauthn.create",
            Ceremony::Get => "webauthn.get",
        };
        if self.ceremony == expected { Ok(()) } else { Err(Refusal::WrongType) }
    }

    /// Encodes what is expected and compares, rather than decode what came: so there is one spelling, without
    /// padding.
    pub(crate) fn verify_challenge(&self, expected: &Expectations<'_>) -> Result<(), Refusal> {
        const SHORTEST: usize = 16;
        if expected.challenge.len() < SHORTEST {
            return Err(Refusal::ChallengeTooShort);
        }
        if self.challenge == URL_SAFE_NO_PAD.encode(expected.challenge) {
            Ok(())
        } else {
            Err(Refusal::ChallengeMismatch)
        }
    }

    pub(crate) fn verify_origin(&self, expected: &Expectations<'_>) -> Result<(), Refusal> {
        if expected.origins.contains(&self.origin.as_str()) { Ok(()) } else { Err(Refusal::ForeignOrigin) }
    }

    /// A frame within a foreign page is allowed only where the browser names the page (`topOrigin`, below) and
    /// some page is allowed at all.
    pub(crate) fn verify_cross_origin(&self, expected: &Expectations<'_>) -> Result<(), Refusal> {
        let embedding_expected = !expected.top_origins.is_empty() && self.top_origin.is_some();
        if self.cross_origin && !embedding_expected { Err(Refusal::CrossOrigin) } else { Ok(()) }
    }

    /// Looks at `topOrigin` whatever `crossOrigin` says.
    pub(crate) fn verify_top_origin(&self, expected: &Expectations<'_>) -> Result<(), Refusal> {
        match &self.top_origin {
            Some(top_origin) if !expected.top_origins.contains(&top_origin.as_str()) => {
                Err(Refusal::ForeignTopOrigin)
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A present member must be a string: `null` is not a way to leave it out.
fn string_not_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}
