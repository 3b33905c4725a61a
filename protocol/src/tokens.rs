use crate::{
    base64url::{self, Bytes},
    ids::{AccountId, CeremonyId, SessionId, Thumbprint},
    step_up::{Kind, Locale},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a token is for, with what that purpose needs. A token of one purpose is never valid for
/// another: the purpose selects the HMAC key (see [`Purpose::label`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Purpose {
    /// Signing in: the passkey vouches for the PoP key that the browser has just made.
    Login {
        /// Of the new PoP key.
        jkt: Thumbprint,
    },
    /// Registering a passkey.
    Registration {
        /// Whose passkey it will be.
        account: AccountId,
        /// Of the PoP key of the session that the registration opens.
        jkt: Thumbprint,
    },
    /// A step-up: the passkey confirms one operation.
    StepUp(Box<StepUp>),
}

/// What a step-up's token names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// Whose operation.
    pub account: AccountId,
    /// In which session.
    pub session: SessionId,
    /// Of that session's PoP key.
    pub jkt: Thumbprint,
    /// Which action.
    pub action: Kind,
    /// The unchanging id of what it is done to.
    pub target: String,
    /// SHA-256 of the parameters' one spelling (RFC 8785).
    pub parameters: Bytes,
    /// The sentence's language.
    pub locale: Locale,
    /// What the person reads.
    pub sentence: String,
}

/// The purposes of a page that begins no step-up: it need not be able to read them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OfAKey {
    /// See [`Purpose::Login`].
    Login {
        /// Of the new PoP key.
        jkt: Thumbprint,
    },
    /// See [`Purpose::Registration`].
    Registration {
        /// Whose passkey it will be.
        account: AccountId,
        /// Of the PoP key.
        jkt: Thumbprint,
    },
}

impl From<Claims<OfAKey>> for Claims {
    fn from(claims: Claims<OfAKey>) -> Self {
        let Claims { purpose, nonce, ceremony, origin, rp_id, issued_at_ms, expires_at_ms } = claims;
        let purpose = match purpose {
            OfAKey::Login { jkt } => Purpose::Login { jkt },
            OfAKey::Registration { account, jkt } => Purpose::Registration { account, jkt },
        };
        Claims { purpose, nonce, ceremony, origin, rp_id, issued_at_ms, expires_at_ms }
    }
}

impl Purpose {
    /// The HKDF label of the purpose's key.
    pub fn label(&self) -> &'static str {
        match self {
            Purpose::Login { .. } => "token/login",
            Purpose::Registration { .. } => "token/registration",
            Purpose::StepUp(_) => "token/step-up",
        }
    }

    /// The thumbprint that the ceremony vouches for.
    pub fn jkt(&self) -> &Thumbprint {
        match self {
            Purpose::Login { jkt } | Purpose::Registration { jkt, .. } => jkt,
            Purpose::StepUp(step_up) => &step_up.jkt,
        }
    }
}

/// The payload of a token. On the wire a token is `base64url(JCS(claims)) "." base64url(HMAC-SHA-256)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims<P = Purpose> {
    /// What for.
    pub purpose: P,
    /// 256 random bits of the server: they make the challenge unpredictable.
    pub nonce: Bytes,
    /// The ceremony that the token belongs to.
    pub ceremony: CeremonyId,
    /// The origin that the ceremony is for.
    pub origin: String,
    /// The relying-party id that the ceremony is for.
    pub rp_id: String,
    /// When it was made: milliseconds since 1970, the server's clock.
    pub issued_at_ms: u64,
    /// When it ends: milliseconds since 1970, the server's clock.
    pub expires_at_ms: u64,
}

impl Claims {
    /// The first part of a token: base64url of the RFC 8785 spelling.
    pub fn encode(&self) -> Result<String, TokenError> {
        if !self.has_exact_times() {
            return Err(TokenError::NotClaims);
        }
        let canonical = serde_json_canonicalizer::to_vec(self).map_err(|_| TokenError::NotClaims)?;
        Ok(base64url::encode(&canonical))
    }

    /// RFC 8785 writes numbers as doubles, so from 2^53 on two times would share a spelling.
    fn has_exact_times(&self) -> bool {
        self.issued_at_ms.max(self.expires_at_ms) < 1 << 53
    }
}

/// Why a token is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not two parts of base64url.
    NotAToken,
    /// The payload is not claims.
    NotClaims,
    /// The challenge in the options is not the token's hash.
    OtherChallenge,
    /// The token is for another purpose, key, ceremony, origin or relying party.
    OtherCeremony,
}

impl core::fmt::Display for TokenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            TokenError::NotAToken => "not a token",
            TokenError::NotClaims => "the token's contents are not claims",
            TokenError::OtherChallenge => "the challenge is not the token's hash",
            TokenError::OtherCeremony => "the token is for something else",
        })
    }
}

impl std::error::Error for TokenError {}

/// The WebAuthn challenge of a token: SHA-256 of its bytes as they stand on the wire.
///
/// WebAuthn wants at least 16 random bytes; the hash has them because the token carries a nonce of
/// 256 bits and is spent once.
pub fn challenge_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A token whose HMAC nobody has checked yet. The browser never can; it checks what it sees.
pub struct UnverifiedToken<'a> {
    /// The part that the HMAC covers.
    pub payload: &'a str,
    /// The HMAC as it claims to be.
    pub unverified_mac: [u8; 32],
    unverified_claims: Claims,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart. A second spelling of the same claims has another HMAC and another
    /// challenge, so it is not looked for here: the browser's module would need the canonicalizer.
    pub fn read(token: &'a str) -> Result<Self, TokenError> {
        Self::read_by(token, read_json)
    }

    /// As [`UnverifiedToken::read`], with the caller's own reader of JSON: the page has the browser's.
    pub fn read_by(
        token: &'a str,
        read_json: impl FnOnce(&str) -> Option<Claims>,
    ) -> Result<Self, TokenError> {
        let (payload, mac) = token.split_once('.').ok_or(TokenError::NotAToken)?;
        let unverified_mac = base64url::decode_array::<32>(mac).map_err(|_| TokenError::NotAToken)?;
        let json = base64url::decode(payload).map_err(|_| TokenError::NotAToken)?;
        let json = core::str::from_utf8(&json).map_err(|_| TokenError::NotClaims)?;
        let unverified_claims =
            read_json(json).filter(Claims::has_exact_times).ok_or(TokenError::NotClaims)?;
        Ok(Self { payload, unverified_mac, unverified_claims })
    }

    /// The claims, for a reader who knows that they may be anybody's.
    pub fn unverified_claims(&self) -> &Claims {
        &self.unverified_claims
    }

    /// The claims, once the caller has compared the HMAC.
    pub fn into_claims_after_mac(self) -> Claims {
        self.unverified_claims
    }
}

/// serde also reads a list as an object, by position, which no other reader of JSON does.
fn read_json(json: &str) -> Option<Claims> {
    let claims: Claims = serde_json::from_str(json).ok()?;
    let as_others_read: serde_json::Value = serde_json::from_str(json).ok()?;
    (serde_json::to_value(&claims).ok()? == as_others_read).then_some(claims)
}

/// What the browser knows about the ceremony that it began, and holds a token against before any
/// prompt.
pub struct Begun<'a> {
    /// `login` or `registration`, with the thumbprint of the key made in this browser.
    pub jkt: &'a Thumbprint,
    /// The label of the purpose that was asked for.
    pub label: &'static str,
    /// The ceremony id beside the token.
    pub ceremony: &'a CeremonyId,
    /// `location.origin`.
    pub origin: &'a str,
    /// `rpId` or `rp.id` of the options.
    pub rp_id: &'a str,
    /// The challenge in the options.
    pub challenge: &'a [u8],
}

impl Begun<'_> {
    /// Recomputes hash and contents; anything else than exactly what was begun is refused.
    ///
    /// Times are left out: the browser's clock may be years off, and the server holds its own.
    pub fn check(&self, token: &str) -> Result<(), TokenError> {
        self.check_by(token, read_json)
    }

    /// As [`Begun::check`], with the caller's own reader of JSON: the page has the browser's.
    pub fn check_by(
        &self,
        token: &str,
        read_json: impl FnOnce(&str) -> Option<Claims>,
    ) -> Result<(), TokenError> {
        if self.challenge != challenge_of(token) {
            return Err(TokenError::OtherChallenge);
        }
        let token = UnverifiedToken::read_by(token, read_json)?;
        let claims = token.unverified_claims();
        let same = claims.purpose.label() == self.label
            && claims.purpose.jkt() == self.jkt
            && claims.ceremony == *self.ceremony
            && claims.origin == self.origin
            && claims.rp_id == self.rp_id
            && claims.nonce.0.len() == 32;
        if same { Ok(()) } else { Err(TokenError::OtherCeremony) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            purpose: Purpose::Login { jkt: Thumbprint::from_hash(&[7; 32]) },
            nonce: Bytes(vec![1; 32]),
            ceremony: CeremonyId::make([3; 16]),
            origin: "https://console.example".to_owned(),
            rp_id: "console.example".to_owned(),
            issued_at_ms: 1_000,
            expires_at_ms: 301_000,
        }
    }

    fn token(claims: &Claims) -> String {
        format!("{}.{}", claims.encode().unwrap(), base64url::encode(&[0; 32]))
    }

    fn check(begun_with: &Claims, token: &str, challenge: &[u8]) -> Result<(), TokenError> {
        Begun {
            jkt: begun_with.purpose.jkt(),
            label: begun_with.purpose.label(),
            ceremony: &begun_with.ceremony,
            origin: &begun_with.origin,
            rp_id: &begun_with.rp_id,
            challenge,
        }
        .check(token)
    }

    #[test]
    fn the_browser_takes_its_own_ceremony_and_no_other() {
        let mine = claims();
        let good = token(&mine);
        assert_eq!(check(&mine, &good, &challenge_of(&good)), Ok(()));
        assert_eq!(check(&mine, &good, &[0; 32]), Err(TokenError::OtherChallenge));

        let jkt = Thumbprint::from_hash(&[8; 32]);
        let account = AccountId::make([1; 16]);
        let mut others = vec![claims(); 6];
        others[0].purpose = Purpose::Login { jkt };
        others[1].purpose = Purpose::Registration { account, jkt: mine.purpose.jkt().clone() };
        others[2].ceremony = CeremonyId::make([4; 16]);
        others[3].origin = "https://console.example.evil".to_owned();
        others[4].rp_id = "example".to_owned();
        others[5].nonce = Bytes(vec![1; 31]);
        for other in &others {
            let other = token(other);
            assert_eq!(check(&mine, &other, &challenge_of(&other)), Err(TokenError::OtherCeremony));
        }
    }

    #[test]
    fn a_time_that_json_would_round_is_neither_written_nor_read() {
        let last = Claims { expires_at_ms: (1 << 53) - 1, ..claims() };
        assert_eq!(UnverifiedToken::read(&token(&last)).map(|read| read.into_claims_after_mac()), Ok(last));
        for beyond in
            [Claims { issued_at_ms: 1 << 53, ..claims() }, Claims { expires_at_ms: u64::MAX, ..claims() }]
        {
            assert_eq!(beyond.encode(), Err(TokenError::NotClaims));
            let json = serde_json::to_vec(&beyond).unwrap();
            let token = format!("{}.{}", base64url::encode(&json), base64url::encode(&[0; 32]));
            assert_eq!(UnverifiedToken::read(&token).err(), Some(TokenError::NotClaims));
        }
    }

    #[test]
    fn a_step_up_is_read_as_it_is_written_and_as_nothing_else() {
        let account = AccountId::make([1; 16]);
        let step_up = StepUp {
            account: account.clone(),
            session: SessionId::make([2; 16]),
            jkt: Thumbprint::from_hash(&[7; 32]),
            action: Kind::PasskeyRemove,
            target: "psk_0000-0000-0000-0000".to_owned(),
            parameters: Bytes(vec![5; 32]),
            locale: Locale::En,
            sentence: "Remove it.".to_owned(),
        };
        let written = Claims { purpose: Purpose::StepUp(Box::new(step_up)), ..claims() };
        let read = |json: &str| serde_json::from_str::<Claims>(json).ok();
        let json = serde_json::to_string(&written).unwrap();
        assert_eq!(read(&json), Some(written));
        let jkt = Thumbprint::from_hash(&[7; 32]);
        let registration = Claims { purpose: Purpose::Registration { account, jkt }, ..claims() };
        let short = serde_json::to_string(&registration).unwrap();
        for other in [
            json.replace("step_up", "login"),
            json.replace("step_up", "registration"),
            json.replace("passkey.remove", "passkey.forget"),
            json.replace(r#""locale":"en","#, ""),
            short.replace("registration", "login"),
            short.replace("registration", "step_up"),
            short.replacen(r#""registration":{"#, r#""login":{},"registration":{"#, 1),
        ] {
            assert_eq!(read(&other), None, "{other}");
        }
    }

    #[test]
    fn a_token_with_a_member_too_many_or_twice_is_refused() {
        let json = serde_json::to_string(&claims()).unwrap();
        for other in [json.replacen('{', r#"{"more":1,"#, 1), json.replacen('{', r#"{"rp_id":"a","#, 1)] {
            let token = format!("{}.{}", base64url::encode(other.as_bytes()), base64url::encode(&[0; 32]));
            assert_eq!(UnverifiedToken::read(&token).err(), Some(TokenError::NotClaims));
        }
    }
}
