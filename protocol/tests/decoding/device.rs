use holdfast_protocol::{base64url, device::DeviceProof, dpop::MAX_PROOF_BYTES};
use serde_json::Value;

/// An answer of a device says what another reader of JSON sees, and its signature covers all of that. The input is the
/// header as it comes, or a line of JSON for the header of the JWS and the rest for its claims. Whether it is taken.
pub fn holds(input: &[u8]) -> bool {
    let whole = core::str::from_utf8(input).is_ok_and(answer_holds);
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, claims) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let parts = [header, claims, &[7; 64]].map(base64url::encode);
    answer_holds(&parts.join(".")) | whole
}

fn answer_holds(text: &str) -> bool {
    let Ok(answer) = DeviceProof::read(text) else { return false };
    let quoted = format!("\"{text}\"");
    let (compact, other) = match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(compact) => (compact, compact),
        None => (text, quoted.as_str()),
    };
    assert!(compact.len() <= MAX_PROOF_BYTES);
    assert_eq!(DeviceProof::read(other).as_ref(), Ok(&answer));
    let parts: Vec<Vec<u8>> = compact.split('.').filter_map(|part| base64url::decode(part).ok()).collect();
    assert_eq!(parts.len(), 3, "taken, and no compact JWS: {compact}");
    let [header, claims, signature] = &parts[..] else { return false };
    let read = |json: &[u8]| -> Value { serde_json::from_slice(json).unwrap_or_default() };
    let (header, claims) = (read(header), read(claims));
    assert_eq!((&header["typ"], &header["alg"]), (&"dbsc+jwt".into(), &"ES256".into()));
    assert!(header.get("crit").is_none());
    assert_eq!(claims["jti"], answer.unverified_challenge);
    let key = answer.unverified_key.clone();
    assert_eq!(header.get("jwk").is_some_and(|jwk| !jwk.is_null()), key.is_some());
    if let Some(key) = key {
        let jwk = &header["jwk"];
        assert_eq!((&jwk["kty"], &jwk["crv"]), (&"EC".into(), &"P-256".into()));
        assert_eq!(
            (&jwk["x"], &jwk["y"]),
            (&base64url::encode(&key.x).into(), &base64url::encode(&key.y).into())
        );
        assert!(jwk.get("d").is_none());
        let input = compact.rsplit_once('.').map(|(input, _)| input.as_bytes());
        assert!(answer.is_signed_by(&key, |of, message, by| {
            *of == key && Some(message) == input && by.as_slice() == signature.as_slice()
        }));
    }
    true
}
