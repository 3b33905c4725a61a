//! The signatures that the W3C published, verified below the policy: most of the vectors do not set the user
//! verification flag, so the public functions refuse them before they come to the signature.
//! `tests/suite/vectors.rs` shows that.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use crate::Refusal;
use crate::attestation::AttestationObject;
use crate::authenticator_data::AuthenticatorData;
use crate::cose::CredentialKey;

const VECTORS: &str = include_str!("../tests/vectors/webauthn-l3.json");

fn hex(field: &Value) -> Vec<u8> {
    let digits = field.as_str().unwrap().as_bytes();
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Whether the published key verifies the published assertion, and one bit of the signature later does not.
fn published_signature(vector: &Value) -> Result<(), Refusal> {
    let attestation_object = hex(&vector["registration"]["attestationObject"]);
    let object = AttestationObject::parse(&attestation_object)?;
    let attested = AuthenticatorData::parse(object.authenticator_data)?.attested.unwrap();
    let key = CredentialKey::parse(attested.unverified_public_key)?;

    let assertion = &vector["authentication"];
    let client_data_hash = digest(&SHA256, &hex(&assertion["clientDataJSON"]));
    let signed = [&hex(&assertion["authenticatorData"]), client_data_hash.as_ref()].concat();
    let mut signature = hex(&assertion["signature"]);
    assert!(key.verifies(&signed, &signature));
    *signature.last_mut().unwrap() ^= 1;
    assert!(!key.verifies(&signed, &signature));
    Ok(())
}

#[test]
fn thirteen_published_signatures_verify_and_two_algorithms_are_refused() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let mut verified = 0;
    let mut refused = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        match published_signature(vector) {
            Ok(()) => verified += 1,
            Err(refusal) => refused.push((vector["title"].as_str().unwrap(), refusal)),
        }
    }
    assert_eq!(verified, 13);
    assert_eq!(
        refused,
        [
            ("Packed Attestation with ES512 Credential", Refusal::UnsupportedAlgorithm),
            ("Packed Attestation with Ed448 Credential", Refusal::UnsupportedAlgorithm),
        ]
    );
}
