use crate::address::{Origin, Path};
use holdfast_protocol::{base64url, parts::push_number};

/// The public half of a key, as a JWK spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicHalf {
    pub(crate) x: String,
    pub(crate) y: String,
}

impl PublicHalf {
    #[cfg(test)]
    /// From SEC 1, uncompressed: `04 || x || y`, which WebCrypto calls `raw`.
    pub(crate) fn from_sec1(point: &[u8]) -> Option<Self> {
        match point.split_first() {
            Some((4, rest)) if rest.len() == 64 => {
                let (x, y) = rest.split_at(32);
                Some(Self { x: base64url::encode(x), y: base64url::encode(y) })
            }
            _ => None,
        }
    }

    /// As it was stored.
    pub(crate) fn parse(x: String, y: String) -> Option<Self> {
        let strict = |part: &str| base64url::decode_array::<32>(part).is_ok();
        (strict(&x) && strict(&y)).then_some(Self { x, y })
    }

    /// What the thumbprint is the hash of: RFC 7638 section 3.
    pub(crate) fn thumbprint_input(&self) -> String {
        joined(&[r#"{"crv":"P-256","kty":"EC","x":""#, &self.x, r#"","y":""#, &self.y, r#""}"#])
    }

    /// The first part of every proof of this key, dot included.
    pub(crate) fn proof_head(&self) -> String {
        let json = joined(&[
            r#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":""#,
            &self.x,
            r#"","y":""#,
            &self.y,
            r#""}}"#,
        ]);
        let mut head = base64url::encode(json.as_bytes());
        head.push('.');
        head
    }
}

/// What a proof says of its request, RFC 9449 section 4.2.
pub(crate) struct Claims<'a> {
    /// 128 random bits, for this proof alone.
    pub(crate) jti: [u8; 16],
    pub(crate) method: &'a str,
    pub(crate) origin: &'a Origin,
    pub(crate) path: &'a Path,
    /// Seconds since 1970, by whatever the browser believes.
    pub(crate) iat_s: u64,
    pub(crate) nonce: Option<&'a str>,
}

/// Two of three parts; the type exists so that the key signs nothing else.
pub(crate) struct UnsignedProof(String);

impl UnsignedProof {
    /// Everything that goes in is of a kind that JSON writes as it is: base64url, a token, a checked
    /// path, digits, `NQCHAR`.
    pub(crate) fn new(head: &str, claims: &Claims<'_>) -> Self {
        let nonce = claims.nonce.unwrap_or_default();
        let origin = claims.origin.as_str();
        let path = claims.path.as_str();
        let mut json = String::with_capacity(128 + origin.len() + path.len() + nonce.len());
        json.push_str(r#"{"jti":""#);
        base64url::push(&mut json, &claims.jti);
        // The address without query and fragment.
        for part in [r#"","htm":""#, claims.method, r#"","htu":""#, origin, path, r#"","iat":"#] {
            json.push_str(part);
        }
        push_number(&mut json, claims.iat_s);
        if !nonce.is_empty() {
            for part in [r#","nonce":""#, nonce, r#"""#] {
                json.push_str(part);
            }
        }
        json.push('}');
        let mut text = String::with_capacity(head.len() + json.len() * 4 / 3 + 2);
        text.push_str(head);
        base64url::push(&mut text, json.as_bytes());
        Self(text)
    }

    /// What is signed, and comes before the signature in the header's value.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Texts in a row, without the generic machinery.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::dpop::{PublicKey, UnverifiedProof};
    use p256::ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer as _, Verifier as _},
    };

    fn key() -> (SigningKey, PublicHalf) {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let public = PublicHalf::from_sec1(point.as_bytes()).unwrap();
        (key, public)
    }

    fn proof(nonce: Option<&str>) -> String {
        let (key, public) = key();
        let origin = Origin::parse("https://console.example").unwrap();
        let path = origin.path("/v1/me?a=b").unwrap();
        let claims =
            Claims { jti: [9; 16], method: "GET", origin: &origin, path: &path, iat_s: 1_790_000_000, nonce };
        let UnsignedProof(unsigned) = UnsignedProof::new(&public.proof_head(), &claims);
        let signature: Signature = key.sign(unsigned.as_bytes());
        joined(&[&unsigned, ".", &base64url::encode(&signature.to_bytes())])
    }

    #[test]
    fn the_server_accepts_what_is_made() {
        let proof = proof(Some("nonce-1"));
        let signed = UnverifiedProof::read(&proof)
            .unwrap()
            .verify(|key: &PublicKey, message, signature| {
                let key = VerifyingKey::from_sec1_bytes(&key.to_sec1()).unwrap();
                key.verify(message, &Signature::from_slice(signature).unwrap()).is_ok()
            })
            .unwrap();
        signed.require_for("GET", "https://console.example/v1/me").unwrap();
        assert_eq!(signed.claims.nonce.as_deref(), Some("nonce-1"));
        assert_eq!(signed.claims.iat, 1_790_000_000);
        assert_eq!(signed.claims.jti.len(), 22);
    }

    #[test]
    fn header_and_claims_are_json_without_more() {
        let proof = proof(None);
        let parts: Vec<serde_json::Value> = proof
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap())
            .collect();
        let names = |value: &serde_json::Value| {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            // Their order depends on what else is compiled with serde_json.
            names.sort();
            names
        };
        assert_eq!(names(&parts[0]), ["alg", "jwk", "typ"]);
        assert_eq!(names(&parts[0]["jwk"]), ["crv", "kty", "x", "y"]);
        assert_eq!(names(&parts[1]), ["htm", "htu", "iat", "jti"]);
    }

    #[test]
    fn the_thumbprint_is_that_of_the_server() {
        let (key, public) = key();
        let point: [u8; 65] = key.verifying_key().to_sec1_point(false).as_bytes().try_into().unwrap();
        let json: serde_json::Value = serde_json::from_str(&public.thumbprint_input()).unwrap();
        assert_eq!(json.to_string(), public.thumbprint_input());
        let hash = sha256(public.thumbprint_input().as_bytes());
        assert_eq!(
            holdfast_protocol::ids::Thumbprint::from_hash(&hash),
            PublicKey::from_sec1(&point).thumbprint()
        );
    }

    fn sha256(bytes: &[u8]) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(bytes).into()
    }

    #[test]
    fn a_public_half_is_two_coordinates() {
        assert!(PublicHalf::from_sec1(&[4; 65]).is_some());
        assert!(PublicHalf::from_sec1(&[4; 64]).is_none());
        assert!(PublicHalf::from_sec1(&[2; 65]).is_none());
        let x = base64url::encode(&[1; 32]);
        assert!(PublicHalf::parse(x.clone(), x.clone()).is_some());
        assert!(PublicHalf::parse(x.clone(), base64url::encode(&[1; 31])).is_none());
        assert!(PublicHalf::parse(x, r#"","evil":""#.to_owned()).is_none());
    }
}
