use holdfast_protocol::{
    base64url::{self, Bytes},
    ids::{CeremonyId, Thumbprint},
    tokens::{Begun, Claims, TokenError, UnverifiedToken, challenge_of},
};
use serde_json::Value;

/// A token says one thing: its HMAC is over what came, its claims are what another reader of JSON
/// sees, they come back from their canonical spelling, and only the ceremony that they name takes
/// them. The input is a token, or the JSON of its claims. Whether it is taken.
pub fn holds(input: &[u8]) -> bool {
    let whole = core::str::from_utf8(input).is_ok_and(token_holds);
    let of_claims = format!("{}.{}", base64url::encode(input), base64url::encode(&[7; 32]));
    token_holds(&of_claims) | whole
}

fn token_holds(token: &str) -> bool {
    let Ok(read) = UnverifiedToken::read(token) else { return false };
    assert_eq!(format!("{}.{}", read.payload, base64url::encode(&read.unverified_mac)), token);
    let json = base64url::decode(read.payload).unwrap_or_default();
    assert_eq!(base64url::encode(&json), read.payload);

    let claims = read.unverified_claims();
    is_what_others_read(claims, &json);
    comes_back(claims);
    is_of_one_ceremony(claims, token);
    true
}

fn is_what_others_read(claims: &Claims, json: &[u8]) {
    let seen: Value = serde_json::from_slice(json).unwrap_or_default();
    assert_eq!(serde_json::to_value(claims).ok().as_ref(), Some(&seen));
}

fn comes_back(claims: &Claims) {
    let payload = claims.encode();
    assert!(payload.is_ok(), "what was read cannot be written: {claims:?}");
    let token = format!("{}.{}", payload.unwrap_or_default(), base64url::encode(&[7; 32]));
    let again = UnverifiedToken::read(&token).map(UnverifiedToken::into_claims_after_mac);
    assert_eq!(again.as_ref(), Ok(claims));
}

fn is_of_one_ceremony(claims: &Claims, token: &str) {
    let challenge = challenge_of(token);
    let own = || Begun {
        jkt: claims.purpose.jkt(),
        label: claims.purpose.label(),
        ceremony: &claims.ceremony,
        origin: &claims.origin,
        rp_id: &claims.rp_id,
        challenge: &challenge,
    };
    let Bytes(nonce) = &claims.nonce;
    assert_eq!(own().check(token).is_ok(), nonce.len() == 32);

    let longer = |text: &str| format!("{text}.");
    let (origin, rp_id) = (longer(&claims.origin), longer(&claims.rp_id));
    let ceremony = other_ceremony(&claims.ceremony);
    let jkt = Thumbprint::from_hash(&challenge_of(claims.purpose.jkt().as_str()));
    for other in [
        Begun { origin: &origin, ..own() },
        Begun { rp_id: &rp_id, ..own() },
        Begun { ceremony: &ceremony, ..own() },
        Begun { jkt: &jkt, ..own() },
        Begun { label: "token/other", ..own() },
    ] {
        assert_eq!(other.check(token), Err(TokenError::OtherCeremony));
    }
    let other = Begun { challenge: &challenge[1..], ..own() };
    assert_eq!(other.check(token), Err(TokenError::OtherChallenge));
}

fn other_ceremony(ceremony: &CeremonyId) -> CeremonyId {
    [[0; 16], [1; 16]]
        .map(CeremonyId::make)
        .into_iter()
        .find(|other| other != ceremony)
        .unwrap_or_else(|| ceremony.clone())
}
