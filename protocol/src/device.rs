//! Device Bound Session Credentials (a W3C draft), the parts that need neither clock nor storage: what a browser
//! signs with a key that the device's hardware keeps, and what it is told of the cookie that this key fetches.

use crate::{
    dpop::{Compact, Jwk, Object, ProofError, PublicKey, object, present},
    ids::SessionId,
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    #[serde(default)]
    jwk: Option<Object<Jwk>>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

// A browser may say more; the challenge says all that counts.
#[derive(Deserialize)]
struct Claims {
    jti: String,
}

/// The header `Secure-Session-Response`, whose signature nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProof<'a> {
    signing_input: &'a str,
    signature: [u8; 64],
    /// The key that a registration brings; a refresh brings none.
    pub unverified_key: Option<PublicKey>,
    /// The challenge that it answers.
    pub unverified_challenge: String,
}

impl<'a> DeviceProof<'a> {
    /// A compact JWS of type `dbsc+jwt`, as it is or as a string of RFC 9651, which browsers differ in.
    pub fn read(header: &'a str) -> Result<Self, ProofError> {
        let Compact { signing_input, header, claims, signature } = Compact::read(unquoted(header))?;
        let header: Header = object(&header, ProofError::BadHeader)?;
        if header.typ != "dbsc+jwt" || header.alg != "ES256" || header.crit {
            return Err(ProofError::BadHeader);
        }
        let unverified_key = header.jwk.map(|Object(jwk)| jwk.p256()).transpose()?;
        let Claims { jti } = object(&claims, ProofError::BadClaims)?;
        Ok(Self { signing_input, signature, unverified_key, unverified_challenge: jti })
    }

    /// Whether this key has signed it; `verifies` is ECDSA P-256 with SHA-256 over `(key, message, r‖s)`.
    pub fn is_signed_by(
        &self,
        key: &PublicKey,
        verifies: impl FnOnce(&PublicKey, &[u8], &[u8; 64]) -> bool,
    ) -> bool {
        verifies(key, self.signing_input.as_bytes(), &self.signature)
    }
}

/// The text of a string of RFC 9651 that needs no escapes, or what is none as it is.
pub fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Answers a refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Refreshed {
    /// It goes on.
    Bound(BoundSession),
    /// The session has ended, and the browser keeps nothing up for it any more.
    Over(OverSession),
}

/// A session that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OverSession {
    /// The session.
    pub session_identifier: SessionId,
    /// False.
    #[serde(rename = "continue")]
    pub goes_on: bool,
}

/// Answers the registration of a device's key: what the browser keeps up from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoundSession {
    /// The session.
    pub session_identifier: SessionId,
    /// Where the cookie is fetched anew.
    pub refresh_url: String,
    /// Where the cookie belongs.
    pub scope: BoundScope,
    /// That one cookie.
    pub credentials: Vec<BoundCookie>,
}

/// The console's own origin and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoundScope {
    /// Scheme, host and port.
    pub origin: String,
    /// Whether hosts beside it belong to it: they do not.
    pub include_site: bool,
}

/// A cookie that lives for minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoundCookie {
    /// `cookie`.
    #[serde(rename = "type")]
    pub kind: BoundKind,
    /// Its name.
    pub name: String,
    /// As in `Set-Cookie`, but for the lifetime.
    pub attributes: String,
}

/// What the device's key can keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BoundKind {
    /// A cookie.
    Cookie,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    const X: &str = "nJmqAiEbpPjMLb88sh94lqy6fTe3smFgD-Yn_KTOwI0";
    const Y: &str = "GUC8F-DN5YQsGVi3szOMJUYnUssDc-qmqLaQzABjdeo";

    fn compact(header: &str, claims: &str) -> String {
        let signature = base64url::encode(&[7; 64]);
        [base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()), signature].join(".")
    }

    #[test]
    fn a_registration_brings_its_key_and_a_refresh_brings_none() {
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{X}","y":"{Y}"}}"#);
        let header = format!(r#"{{"alg":"ES256","jwk":{jwk},"typ":"dbsc+jwt"}}"#);
        let text = compact(&header, r#"{"jti":"c","aud":"https://console.example/v1"}"#);
        let proof = DeviceProof::read(&text).unwrap();
        let key = proof.unverified_key.clone().unwrap();
        assert_eq!(base64url::encode(&key.x), X);
        assert_eq!(proof.unverified_challenge, "c");
        let (signing_input, _) = text.rsplit_once('.').unwrap();
        assert!(proof.is_signed_by(&key, |of, message, signature| {
            *of == key && message == signing_input.as_bytes() && *signature == [7; 64]
        }));
        assert_eq!(DeviceProof::read(&format!("\"{text}\"")), Ok(proof));

        let refresh = compact(r#"{"alg":"ES256","typ":"dbsc+jwt"}"#, r#"{"jti":"c"}"#);
        assert_eq!(DeviceProof::read(&refresh).unwrap().unverified_key, None);
    }

    #[test]
    fn nothing_else_is_one() {
        let right = r#"{"alg":"ES256","typ":"dbsc+jwt"}"#;
        let private = format!(r#"{{"crv":"P-256","kty":"EC","x":"{X}","y":"{Y}","d":"AA"}}"#);
        let private = format!(r#"{{"alg":"ES256","jwk":{private},"typ":"dbsc+jwt"}}"#);
        for (header, claims, why) in [
            (r#"{"alg":"none","typ":"dbsc+jwt"}"#, r#"{"jti":"c"}"#, ProofError::BadHeader),
            (r#"{"alg":"ES256","typ":"dpop+jwt"}"#, r#"{"jti":"c"}"#, ProofError::BadHeader),
            (r#"{"alg":"ES256","typ":"dbsc+jwt","crit":["b64"]}"#, r#"{"jti":"c"}"#, ProofError::BadHeader),
            (r#"["dbsc+jwt","ES256"]"#, r#"{"jti":"c"}"#, ProofError::BadHeader),
            (&private, r#"{"jti":"c"}"#, ProofError::BadHeader),
            (right, "{}", ProofError::BadClaims),
            (right, r#"["c"]"#, ProofError::BadClaims),
            (right, r#"{"jti":1}"#, ProofError::BadClaims),
        ] {
            assert_eq!(DeviceProof::read(&compact(header, claims)), Err(why), "{header} {claims}");
        }
        for text in ["", "\"", "a.b", "a.b.c"] {
            assert_eq!(DeviceProof::read(text), Err(ProofError::NotCompact), "{text}");
        }
    }
}
