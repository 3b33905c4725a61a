use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_relying_party::{
    AssertionResponse, Expectations, Owner, Refusal, RegistrationResponse, StoredCredential,
    verify_assertion, verify_registration,
};
use serde_json::Value;

pub const CHALLENGE: [u8; 32] = *b"a token's SHA-256, of 32 bytes: ";
const ORIGIN: &str = "https://example.org";
const TOP_ORIGIN: &str = "https://example.com";
const EXPECTED: Expectations<'static> = Expectations {
    challenge: &CHALLENGE,
    rp_id: "example.org",
    origins: &[ORIGIN],
    top_origins: &[TOP_ORIGIN],
};

/// Client data that are taken are of one ceremony, challenge and origin, for every other reader of
/// JSON, too. Whether the input is taken, as client data of either ceremony.
pub fn holds(input: &[u8]) -> bool {
    let registers = registers(&EXPECTED, input);
    let asserts = asserts(&EXPECTED, input);
    assert!(!(registers && asserts));
    if registers {
        is_what_others_read(input, "webauthn.create");
    }
    if asserts {
        is_what_others_read(input, "webauthn.get");
    }
    let taken = registers || asserts;
    let other = Expectations { challenge: &[1; 32], ..EXPECTED };
    assert!(!(taken && (self::registers(&other, input) || self::asserts(&other, input))));
    taken
}

/// The client data come first: whoever is refused for what comes next has passed with them.
fn registers(expected: &Expectations<'_>, client_data_json: &[u8]) -> bool {
    let response = RegistrationResponse { client_data_json, attestation_object: &[] };
    verify_registration(expected, &response) == Err(Refusal::MalformedAttestationObject)
}

fn asserts(expected: &Expectations<'_>, client_data_json: &[u8]) -> bool {
    let stored = StoredCredential {
        id: b"id",
        public_key: &[],
        sign_count: 0,
        backup_eligible: false,
        owner: Owner::KnownBefore(b"somebody"),
    };
    let response = AssertionResponse {
        credential_id: b"id",
        client_data_json,
        authenticator_data: &[],
        signature: &[],
        user_handle: None,
    };
    verify_assertion(expected, &stored, &response) == Err(Refusal::MalformedAuthenticatorData)
}

fn is_what_others_read(input: &[u8], ceremony: &str) {
    // The Encoding standard's "UTF-8 decode" drops a byte order mark.
    let json = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let seen: Value = serde_json::from_slice(json).unwrap_or_default();
    assert_eq!(seen["type"], ceremony);
    assert_eq!(seen["challenge"], URL_SAFE_NO_PAD.encode(CHALLENGE));
    assert_eq!(seen["origin"], ORIGIN);
    let (framed, top) = (seen.get("crossOrigin"), seen.get("topOrigin"));
    assert!(framed.is_none_or(Value::is_boolean));
    assert!(top.is_none_or(|top| top == TOP_ORIGIN));
    assert!(framed != Some(&Value::Bool(true)) || top.is_some());
}
