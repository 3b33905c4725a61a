//! Every token that the server signs: `base64url(JCS(claims)) "." base64url(HMAC-SHA-256)`.

use crate::secrets::Keyring;
use holdfast_protocol::{
    base64url,
    tokens::{Claims, TokenError, UnverifiedToken},
};

/// Signs claims under their purpose's key.
pub fn sign(keys: &Keyring, claims: &Claims) -> Result<String, TokenError> {
    let payload = claims.encode()?;
    let mac = keys.mac(claims.purpose.label(), payload.as_bytes());
    Ok(format!("{payload}.{}", base64url::encode(&mac)))
}

/// The claims of a token that this server signed. Whether it is expired or spent is the caller's.
pub fn verify(keys: &Keyring, token: &str) -> Result<Claims, TokenError> {
    let unverified = UnverifiedToken::read(token)?;
    // The purpose is still anybody's word, but it selects the key that must have signed it.
    let label = unverified.unverified_claims().purpose.label();
    if keys.is_mac(label, unverified.payload.as_bytes(), &unverified.unverified_mac) {
        Ok(unverified.into_claims_after_mac())
    } else {
        Err(TokenError::NotAToken)
    }
}
