use ciborium::Value;
use holdfast_relying_party::{
    AssertionResponse, Attestation, Expectations, Owner, Refusal, RegisteredCredential, RegistrationResponse,
    StoredCredential, verify_assertion, verify_registration,
};

/// Of a registration whose challenge is 32 zeros.
pub const CLIENT_DATA: &str = r#"{"type":"webauthn.create","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","origin":"https://example.org"}"#;
const ASSERTION_DATA: &str = r#"{"type":"webauthn.get","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","origin":"https://example.org"}"#;
const EXPECTED: Expectations<'static> = Expectations {
    challenge: &[0; 32],
    rp_id: "example.org",
    origins: &["https://example.org"],
    top_origins: &[],
};
/// SHA-256 of `example.org`.
const RP_ID_HASH: [u8; 32] = [
    0xbf, 0xab, 0xc3, 0x74, 0x32, 0x95, 0x8b, 0x06, 0x33, 0x60, 0xd3, 0xad, 0x64, 0x61, 0xc9, 0xc4, 0x73,
    0x5a, 0xe7, 0xf8, 0xed, 0xd4, 0x65, 0x92, 0xa5, 0xe0, 0xf0, 0x14, 0x52, 0xb2, 0xe4, 0xb5,
];
const UP_UV_AT: u8 = 1 | 1 << 2 | 1 << 6;
const BE: u8 = 1 << 3;
const BS: u8 = 1 << 4;
const ED: u8 = 1 << 7;

/// A registration that is taken says what another reader of CBOR sees, in CBOR's one canonical
/// spelling, is for one challenge and relying party, and its key can be used. The input is an
/// attestation object. Whether it is taken.
pub fn holds(input: &[u8]) -> bool {
    let Ok(credential) = verify(&EXPECTED, CLIENT_DATA, input) else { return false };
    assert_eq!(verify(&EXPECTED, CLIENT_DATA, input).as_ref(), Ok(&credential));
    is_canonical(input);
    is_canonical(&credential.public_key);
    is_what_others_read(&credential, input);
    is_for_one_ceremony(&credential, input);
    has_a_key(&credential);
    true
}

fn verify(
    expected: &Expectations<'_>,
    client_data: &str,
    attestation_object: &[u8],
) -> Result<RegisteredCredential, Refusal> {
    let client_data_json = client_data.as_bytes();
    verify_registration(expected, &RegistrationResponse { client_data_json, attestation_object })
}

/// Another library's writer, which knows the shortest heads and definite lengths alone.
fn is_canonical(cbor: &[u8]) {
    let mut written = Vec::new();
    let done = ciborium::into_writer(&value(cbor), &mut written);
    assert!(done.is_ok() && written == cbor, "{cbor:02x?} is {written:02x?}");
}

fn value(cbor: &[u8]) -> Value {
    ciborium::from_reader(cbor).unwrap_or(Value::Null)
}

fn is_what_others_read(credential: &RegisteredCredential, input: &[u8]) {
    let object = value(input);
    let members = object.as_map().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(members.len(), 3);
    let member = |name: &str| members.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, it)| it);
    assert_eq!(member("fmt").and_then(Value::as_text), Some(credential.attestation.format()));

    let data = member("authData").and_then(Value::as_bytes).map(Vec::as_slice).unwrap_or_default();
    let flags = data[32];
    assert_eq!(data[..32], RP_ID_HASH);
    assert_eq!(flags & UP_UV_AT, UP_UV_AT);
    assert_eq!((credential.backup_eligible, credential.backup_state), (flags & BE != 0, flags & BS != 0));
    assert!(credential.backup_eligible || !credential.backup_state);
    assert_eq!(data[33..37], credential.sign_count.to_be_bytes());
    assert_eq!(data[37..53], credential.aaguid);
    let length = usize::from(u16::from_be_bytes([data[53], data[54]]));
    assert!((1..=1023).contains(&length));
    let (id, key) = data[55..].split_at(length);
    assert_eq!(id, credential.id);
    assert!(key.starts_with(&credential.public_key));
    let extensions = &key[credential.public_key.len()..];
    assert_eq!(extensions.is_empty(), flags & ED == 0);
    if !extensions.is_empty() {
        is_canonical(extensions);
    }
}

fn is_for_one_ceremony(credential: &RegisteredCredential, input: &[u8]) {
    let longer = [input, &[0]].concat();
    assert_eq!(verify(&EXPECTED, CLIENT_DATA, &longer), Err(Refusal::TrailingBytes));
    assert!(verify(&EXPECTED, CLIENT_DATA, &input[..input.len() - 1]).is_err());
    let elsewhere = Expectations { rp_id: "example.com", ..EXPECTED };
    assert_eq!(verify(&elsewhere, CLIENT_DATA, input), Err(Refusal::RpIdMismatch));
    let another = Expectations { challenge: &[1; 32], ..EXPECTED };
    assert_eq!(verify(&another, CLIENT_DATA, input), Err(Refusal::ChallengeMismatch));

    let not_signed = verify(&EXPECTED, &format!("{CLIENT_DATA} "), input);
    if credential.attestation == Attestation::PackedSelf {
        assert_eq!(not_signed, Err(Refusal::AttestationSignatureInvalid));
    } else {
        assert_eq!(not_signed.as_ref(), Ok(credential));
    }
}

fn has_a_key(credential: &RegisteredCredential) {
    let stored = StoredCredential {
        id: &credential.id,
        public_key: &credential.public_key,
        sign_count: credential.sign_count,
        backup_eligible: false,
        owner: Owner::KnownBefore(b"somebody"),
    };
    let response = AssertionResponse {
        credential_id: &credential.id,
        client_data_json: ASSERTION_DATA.as_bytes(),
        authenticator_data: &[&RP_ID_HASH[..], &[UP_UV_AT & 0x0f, 0, 0, 0, 1]].concat(),
        signature: &[0; 64],
        user_handle: None,
    };
    assert_eq!(verify_assertion(&EXPECTED, &stored, &response), Err(Refusal::SignatureInvalid));
}
