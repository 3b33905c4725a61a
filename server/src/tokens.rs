//! Every token that the server signs: `base64url(JCS(claims)) "." base64url(HMAC-SHA-256)`.

use crate::{clock::SKEW_MS, secrets::Keyring};
use holdfast_protocol::{
    base64url,
    tokens::{Claims, TokenError, UnverifiedToken},
};
use std::fmt;

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

/// Why a moment is outside of a token's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untimely {
    /// The token had expired.
    Expired,
    /// The token was not issued yet, and by more than clocks may be apart.
    NotIssuedYet,
}

impl fmt::Display for Untimely {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the token has expired",
            Self::NotIssuedYet => "the token is from the future: a clock was set back, or two are apart",
        })
    }
}

/// The moment, milliseconds since 1970, lies in the token's time. Where several instances share a database,
/// the clock that issued it may be another than the one that tells the moment.
pub fn require_in_time(claims: &Claims, at_ms: i64) -> Result<(), Untimely> {
    let at_ms = u64::try_from(at_ms).map_err(|_| Untimely::NotIssuedYet)?;
    if claims.expires_at_ms <= at_ms {
        return Err(Untimely::Expired);
    }
    if claims.issued_at_ms > at_ms.saturating_add(SKEW_MS) {
        return Err(Untimely::NotIssuedYet);
    }
    Ok(())
}
