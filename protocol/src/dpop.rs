//! RFC 9449, the parts that need neither clock, storage nor an access token.

use crate::{base64url, ids::Thumbprint};
use core::marker::PhantomData;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use sha2::{Digest as _, Sha256};

/// The longest proof that is read, in bytes. A proof of Holdfast's own client has about 600.
pub const MAX_PROOF_BYTES: usize = 4096;

/// Why a proof is none. The wire says `pop_proof_invalid` for all of them; the log says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// Not three parts of strict base64url, or too long.
    NotCompact,
    /// The header is not `typ: dpop+jwt`, `alg: ES256`, and a public P-256 `jwk` without private parts.
    BadHeader,
    /// The claims are not `jti`, `htm`, `htu`, `iat` and, where there is one, `nonce` and `ath`.
    BadClaims,
    /// `htm` is another method.
    OtherMethod,
    /// `htu` is another address.
    OtherUrl,
    /// The signature does not verify.
    BadSignature,
}

impl core::fmt::Display for ProofError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ProofError::NotCompact => "not a compact JWS",
            ProofError::BadHeader => "the header is not a DPoP header with an ES256 public key",
            ProofError::BadClaims => "a claim is missing or malformed",
            ProofError::OtherMethod => "made for another method",
            ProofError::OtherUrl => "made for another address",
            ProofError::BadSignature => "the signature does not verify",
        })
    }
}

impl std::error::Error for ProofError {}

/// A public P-256 key: the two coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The x coordinate, big-endian.
    pub x: [u8; 32],
    /// The y coordinate, big-endian.
    pub y: [u8; 32],
}

impl PublicKey {
    /// SEC 1, uncompressed: `04 || x || y`.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&self.x);
        point[33..].copy_from_slice(&self.y);
        point
    }

    /// From SEC 1, uncompressed. Does not check that the point is on the curve.
    pub fn from_sec1(point: &[u8; 65]) -> Self {
        let mut key = Self { x: [0; 32], y: [0; 32] };
        key.x.copy_from_slice(&point[1..33]);
        key.y.copy_from_slice(&point[33..]);
        key
    }

    /// RFC 7638: SHA-256 of the members `crv`, `kty`, `x`, `y` in that order.
    pub fn thumbprint(&self) -> Thumbprint {
        let (x, y) = (base64url::encode(&self.x), base64url::encode(&self.y));
        let json = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Thumbprint::from_hash(&Sha256::digest(json.as_bytes()).into())
    }
}

// RFC 9449 section 4.2 lets a header or a payload hold more; duplicates of what is known are refused.
#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Object<Jwk>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// What RFC 7517 lets a public key say of itself; anything else could be a private half.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    #[serde(default, rename = "alg")]
    _alg: Option<String>,
    #[serde(default, rename = "use")]
    _use: Option<String>,
    #[serde(default, rename = "kid")]
    _kid: Option<String>,
    #[serde(default, rename = "key_ops")]
    _key_ops: Option<Vec<String>>,
}

impl Jwk {
    pub(crate) fn p256(&self) -> Result<PublicKey, ProofError> {
        if self.kty != "EC" || self.crv != "P-256" {
            return Err(ProofError::BadHeader);
        }
        Ok(PublicKey {
            x: base64url::decode_array(&self.x).map_err(|_| ProofError::BadHeader)?,
            y: base64url::decode_array(&self.y).map_err(|_| ProofError::BadHeader)?,
        })
    }
}

/// A JSON object: serde also reads an array as one, by position.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Object)
    }
}

/// An object, in UTF-8 throughout.
pub(crate) fn object<T: DeserializeOwned>(json: &[u8], error: ProofError) -> Result<T, ProofError> {
    let text = core::str::from_utf8(json).map_err(|_| error)?;
    let Object(read) = serde_json::from_str(text).map_err(|_| error)?;
    Ok(read)
}

/// Whether a member stands there, whatever it holds.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// The claims of a proof, RFC 9449 section 4.2.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProofClaims {
    /// Unique for each proof.
    pub jti: String,
    /// The method.
    pub htm: String,
    /// The address, without query and fragment.
    pub htu: String,
    /// Seconds since 1970 by the client's clock. Must be there; freshness comes from `nonce`, so a
    /// clock that is years off harms nobody.
    pub iat: i64,
    /// The server's nonce, if the client has one.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Of an access token (RFC 9449 section 4.3, check 12). With a session none is presented, so that this is
    /// read and says nothing.
    #[serde(default)]
    pub ath: Option<String>,
}

/// The three parts of a compact JWS with an ES256 signature.
pub(crate) struct Compact<'a> {
    pub(crate) signing_input: &'a str,
    pub(crate) header: Vec<u8>,
    pub(crate) claims: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl<'a> Compact<'a> {
    pub(crate) fn read(compact: &'a str) -> Result<Self, ProofError> {
        if compact.len() > MAX_PROOF_BYTES {
            return Err(ProofError::NotCompact);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(ProofError::NotCompact)?;
        let (header, claims) = signing_input.split_once('.').ok_or(ProofError::NotCompact)?;
        let signature = base64url::decode_array::<64>(signature).map_err(|_| ProofError::NotCompact)?;
        let header = base64url::decode(header).map_err(|_| ProofError::NotCompact)?;
        let claims = base64url::decode(claims).map_err(|_| ProofError::NotCompact)?;
        Ok(Self { signing_input, header, claims, signature })
    }
}

/// A proof whose signature nobody has checked yet.
pub struct UnverifiedProof<'a> {
    /// What the signature covers.
    pub signing_input: &'a str,
    /// r‖s.
    pub signature: [u8; 64],
    /// The key that the proof names.
    pub unverified_key: PublicKey,
    unverified_claims: ProofClaims,
}

impl<'a> UnverifiedProof<'a> {
    /// Takes a compact JWS apart (RFC 9449 section 4.3, checks 2 to 7 but for the signature).
    pub fn read(compact: &'a str) -> Result<Self, ProofError> {
        let Compact { signing_input, header, claims, signature } = Compact::read(compact)?;
        let header: Header = object(&header, ProofError::BadHeader)?;
        let Object(jwk) = header.jwk;
        if header.typ != "dpop+jwt" || header.alg != "ES256" || header.crit {
            return Err(ProofError::BadHeader);
        }
        let unverified_key = jwk.p256()?;
        let unverified_claims: ProofClaims = object(&claims, ProofError::BadClaims)?;
        let jti = unverified_claims.jti.len();
        if !(16..=256).contains(&jti) {
            return Err(ProofError::BadClaims);
        }
        Ok(Self { signing_input, signature, unverified_key, unverified_claims })
    }

    /// Checks the signature; `verifies` is ECDSA P-256 with SHA-256 over `(key, message, r‖s)`.
    pub fn verify(
        self,
        verifies: impl FnOnce(&PublicKey, &[u8], &[u8; 64]) -> bool,
    ) -> Result<SignedProof, ProofError> {
        if !verifies(&self.unverified_key, self.signing_input.as_bytes(), &self.signature) {
            return Err(ProofError::BadSignature);
        }
        let jkt = self.unverified_key.thumbprint();
        Ok(SignedProof { key: self.unverified_key, jkt, claims: self.unverified_claims })
    }
}

/// A proof whose signature verifies. Whether its key is the session's, it was made for this request
/// ([`SignedProof::require_for`]), its nonce is fresh and its `jti` new is for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedProof {
    /// The key that signed.
    pub key: PublicKey,
    /// Its thumbprint.
    pub jkt: Thumbprint,
    /// What was signed.
    pub claims: ProofClaims,
}

impl SignedProof {
    /// Holds the proof against the request: its method, and its address without query and fragment.
    pub fn require_for(&self, method: &str, url: &str) -> Result<(), ProofError> {
        if self.claims.htm != method {
            return Err(ProofError::OtherMethod);
        }
        if self.claims.htu != url {
            return Err(ProofError::OtherUrl);
        }
        Ok(())
    }
}
