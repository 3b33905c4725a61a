use holdfast_protocol::{
    base64url,
    dpop::{MAX_PROOF_BYTES, ProofError, PublicKey, SignedProof, UnverifiedProof},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A proof is of the key that it names and of no other, for one method and one address, and says
/// what another reader of JSON sees. The input is a compact proof, or a line of JSON for its header
/// and the rest for its claims. Whether it is taken.
pub fn holds(input: &[u8]) -> bool {
    let whole = core::str::from_utf8(input).is_ok_and(proof_holds);
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, claims) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let parts = [header, claims, &[7; 64]].map(base64url::encode);
    proof_holds(&parts.join(".")) | whole
}

fn proof_holds(compact: &str) -> bool {
    let Ok(proof) = UnverifiedProof::read(compact) else { return false };
    assert!(compact.len() <= MAX_PROOF_BYTES);
    let (key, input) = (proof.unverified_key.clone(), proof.signing_input);
    assert_eq!(spelled(input, &proof.signature), compact);
    assert_eq!(signed_by(compact, |_, _, _| false), Err(ProofError::BadSignature));

    let own = spelled(input, &sign(&key, input.as_bytes()));
    let other = PublicKey { y: key.x, x: key.y };
    let others = spelled(input, &sign(&other, input.as_bytes()));
    if other != key {
        assert_eq!(signed_by(&others, verifies), Err(ProofError::BadSignature));
    }
    let signed = signed_by(&own, verifies);
    assert!(signed.is_ok(), "{signed:?}");
    if let Ok(signed) = signed {
        assert_eq!((&signed.key, &signed.jkt), (&key, &key.thumbprint()));
        is_what_others_read(&signed, input);
        is_for_one_request(&signed);
    }
    true
}

fn is_what_others_read(proof: &SignedProof, signing_input: &str) {
    let part = |at: usize| -> Value {
        let part = signing_input.split('.').nth(at).unwrap_or_default();
        let json = base64url::decode(part).unwrap_or_default();
        assert_eq!(base64url::encode(&json), part);
        serde_json::from_slice(&json).unwrap_or_default()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
    assert!(header.get("crit").is_none());
    let jwk = &header["jwk"];
    assert_eq!((&jwk["kty"], &jwk["crv"]), (&"EC".into(), &"P-256".into()));
    assert_eq!(jwk["x"], base64url::encode(&proof.key.x));
    assert_eq!(jwk["y"], base64url::encode(&proof.key.y));
    // RFC 7518 section 6.2.2: the private half of such a key.
    assert!(jwk.get("d").is_none());

    let SignedProof { claims: read, .. } = proof;
    let optional = |text: &Option<String>| text.clone().map_or(Value::Null, Value::from);
    assert_eq!((&claims["htm"], &claims["htu"]), (&read.htm.clone().into(), &read.htu.clone().into()));
    assert_eq!((&claims["jti"], &claims["iat"]), (&read.jti.clone().into(), &read.iat.into()));
    assert_eq!((&claims["nonce"], &claims["ath"]), (&optional(&read.nonce), &optional(&read.ath)));
    assert!((16..=256).contains(&read.jti.len()));
}

fn is_for_one_request(proof: &SignedProof) {
    let (method, url) = (&proof.claims.htm, &proof.claims.htu);
    assert_eq!(proof.require_for(method, url), Ok(()));
    assert_eq!(proof.require_for(&format!("{method}X"), url), Err(ProofError::OtherMethod));
    assert_eq!(proof.require_for(method, &format!("{url}?")), Err(ProofError::OtherUrl));
}

fn signed_by(
    compact: &str,
    verifies: impl FnOnce(&PublicKey, &[u8], &[u8; 64]) -> bool,
) -> Result<SignedProof, ProofError> {
    UnverifiedProof::read(compact)?.verify(verifies)
}

fn spelled(signing_input: &str, signature: &[u8; 64]) -> String {
    format!("{signing_input}.{}", base64url::encode(signature))
}

/// A signature that costs a hash, since a fuzzer cannot guess another: what is tested is which key,
/// which bytes and which signature come together. `tests/vectors.rs` has ECDSA.
fn sign(key: &PublicKey, message: &[u8]) -> [u8; 64] {
    let half = Sha256::new_with_prefix(key.to_sec1()).chain_update(message).finalize();
    core::array::from_fn(|at| half[at % 32])
}

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    sign(key, message) == *signature
}
