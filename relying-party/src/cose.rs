//! Public keys as authenticators write them (COSE_Key, RFC 9052 §7 and RFC 8230 §4, narrowed by WebAuthn
//! §5.8.5 and §6.5.1.1), and the signatures they verify.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use minicbor::data::Type;

use crate::Refusal;
use crate::cbor::{Malformed, Reader};

/// The signature algorithms that are accepted, and so the ones to offer in `pubKeyCredParams`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256: what nearly every authenticator speaks.
    Es256,
    /// EdDSA with Ed25519.
    EdDsa,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256: the TPMs of older Windows machines.
    Rs256,
}

impl Algorithm {
    /// All of them, the most preferred first, which is the order to offer them in.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Es384, Self::Rs256];

    /// The COSEAlgorithmIdentifier, as in `pubKeyCredParams`.
    #[must_use]
    pub const fn cose_id(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Es384 => -35,
            Self::Rs256 => -257,
        }
    }

    fn from_cose_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.cose_id() == id)
    }
}

/// A public key that has been validated: its point lies on its curve, its modulus is of a sound size.
pub(crate) struct CredentialKey {
    pub(crate) algorithm: Algorithm,
    key: ParsedPublicKey,
}

// Labels and values of IANA's "COSE Key Common Parameters", "Key Type Parameters" and "Elliptic Curves".
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const N: i64 = -1;
const E: i64 = -2;
const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const KTY_RSA: i64 = 3;
const CRV_P256: i64 = 1;
const CRV_P384: i64 = 2;
const CRV_ED25519: i64 = 6;

impl CredentialKey {
    pub(crate) fn parse(cose_key: &[u8]) -> Result<Self, Refusal> {
        let mut parameters = Parameters::read(cose_key).map_err(|Malformed| Refusal::MalformedPublicKey)?;
        let id = parameters.take_integer(ALG)?;
        let algorithm = Algorithm::from_cose_id(id).ok_or(Refusal::UnsupportedAlgorithm)?;
        let key = match algorithm {
            Algorithm::Es256 => parameters.ec2::<32>(CRV_P256, &ECDSA_P256_SHA256_ASN1)?,
            Algorithm::Es384 => parameters.ec2::<48>(CRV_P384, &ECDSA_P384_SHA384_ASN1)?,
            Algorithm::EdDsa => parameters.ed25519()?,
            Algorithm::Rs256 => parameters.rsa()?,
        };
        Ok(Self { algorithm, key })
    }

    /// Whether this key made `signature` over `message`. The failure has no detail, on purpose.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

/// The map's entries; each is taken once, and none may be left over: an authenticator adds no optional ones
/// (§6.5.1.1).
struct Parameters<'a>(BTreeMap<i64, Value<'a>>);

enum Value<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
}

impl<'a> Parameters<'a> {
    fn read(cose_key: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(cose_key);
        let mut entries = BTreeMap::new();
        for _ in 0..reader.map()? {
            let label = reader.integer()?;
            let value = match reader.datatype()? {
                Type::Bytes => Value::Bytes(reader.bytes()?),
                _ => Value::Integer(reader.integer()?),
            };
            if entries.insert(label, value).is_some() {
                return Err(Malformed);
            }
        }
        if reader.rest().is_empty() { Ok(Self(entries)) } else { Err(Malformed) }
    }

    fn ec2<const COORDINATE: usize>(
        mut self,
        curve: i64,
        verification: &'static dyn VerificationAlgorithm,
    ) -> Result<ParsedPublicKey, Refusal> {
        self.expect(KTY, KTY_EC2)?;
        self.expect(CRV, curve)?;
        // A compressed point, whose y is a boolean, has not been read as bytes and ends here.
        let x: &[u8; COORDINATE] = self.take_exactly(X)?;
        let y: &[u8; COORDINATE] = self.take_exactly(Y)?;
        self.nothing_left()?;
        // SEC 1 §2.3.3, uncompressed. The point at infinity has no such form; a point off the curve is refused.
        const UNCOMPRESSED: u8 = 4;
        let point = [&[UNCOMPRESSED], x.as_slice(), y.as_slice()].concat();
        ParsedPublicKey::new(verification, point).map_err(|_| Refusal::InvalidPublicKey)
    }

    fn ed25519(mut self) -> Result<ParsedPublicKey, Refusal> {
        self.expect(KTY, KTY_OKP)?;
        self.expect(CRV, CRV_ED25519)?;
        let x: &[u8; 32] = self.take_exactly(X)?;
        self.nothing_left()?;
        if is_small_or_not_canonical(x) {
            return Err(Refusal::InvalidPublicKey);
        }
        ParsedPublicKey::new(&ED25519, x).map_err(|_| Refusal::InvalidPublicKey)
    }

    fn rsa(mut self) -> Result<ParsedPublicKey, Refusal> {
        self.expect(KTY, KTY_RSA)?;
        let n = self.take_bytes(N)?;
        let e = self.take_bytes(E)?;
        self.nothing_left()?;
        if !(2048..=4096).contains(&bit_length(n)?) || !(2..=32).contains(&bit_length(e)?) {
            return Err(Refusal::InvalidPublicKey);
        }
        // Both are odd in every key that works; e is 3 or more, having two bits.
        if [n, e].iter().any(|number| number.last().is_none_or(|last| last % 2 == 0)) {
            return Err(Refusal::InvalidPublicKey);
        }
        RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| Refusal::InvalidPublicKey)
    }

    fn take_integer(&mut self, label: i64) -> Result<i64, Refusal> {
        match self.0.remove(&label) {
            Some(Value::Integer(value)) => Ok(value),
            Some(Value::Bytes(_)) | None => Err(Refusal::MalformedPublicKey),
        }
    }

    fn take_bytes(&mut self, label: i64) -> Result<&'a [u8], Refusal> {
        match self.0.remove(&label) {
            Some(Value::Bytes(value)) => Ok(value),
            Some(Value::Integer(_)) | None => Err(Refusal::MalformedPublicKey),
        }
    }

    fn take_exactly<const LENGTH: usize>(&mut self, label: i64) -> Result<&'a [u8; LENGTH], Refusal> {
        self.take_bytes(label)?.try_into().map_err(|_| Refusal::MalformedPublicKey)
    }

    fn expect(&mut self, label: i64, value: i64) -> Result<(), Refusal> {
        if self.take_integer(label)? == value { Ok(()) } else { Err(Refusal::MalformedPublicKey) }
    }

    fn nothing_left(&self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::MalformedPublicKey) }
    }
}

/// The bits of a big-endian number, which must not begin with a zero byte (RFC 8230 §4).
fn bit_length(number: &[u8]) -> Result<u64, Refusal> {
    match number {
        [] | [0, ..] => Err(Refusal::MalformedPublicKey),
        [first, rest @ ..] => {
            let below = u64::try_from(rest.len()).map_err(|_| Refusal::InvalidPublicKey)?;
            Ok(below.saturating_mul(8).saturating_add(u64::from(first.ilog2())).saturating_add(1))
        }
    }
}

/// A point of small order would let anybody sign anything; the verifier does not look for it. The eight such
/// points have five y coordinates; the bit beside y is the sign of x. A y of 2^255 - 19 or more is a second
/// spelling of a small one. (A y that no point has is not found here: such a key verifies nothing.)
fn is_small_or_not_canonical(x: &[u8; 32]) -> bool {
    let mut y = *x;
    // Little-endian: the sign is the top bit of the last byte. Reversed, the order of arrays is that of numbers.
    y.reverse();
    let [top, ..] = &mut y;
    *top &= 0x7f;
    y >= FIELD_PRIME || SMALL_ORDER_Y.contains(&y)
}

/// 2^255 - 19.
const FIELD_PRIME: [u8; 32] = low_byte_of_field(0xed);

/// The y coordinates of the points of order 1, 2, 4 and 8: 1, -1, 0 and two more, big-endian.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    {
        let mut one = [0; 32];
        one[31] = 1;
        one
    },
    low_byte_of_field(0xec),
    [0; 32],
    [
        0x7a, 0x03, 0xac, 0x92, 0x77, 0xfd, 0xc7, 0x4e, 0xc6, 0xcc, 0x39, 0x2c, 0xfa, 0x53, 0x20, 0x2a, 0x0f,
        0x67, 0x10, 0x0d, 0x76, 0x0b, 0x3c, 0xba, 0x4f, 0xd8, 0x4d, 0x3d, 0x70, 0x6a, 0x17, 0xc7,
    ],
    [
        0x05, 0xfc, 0x53, 0x6d, 0x88, 0x02, 0x38, 0xb1, 0x39, 0x33, 0xc6, 0xd3, 0x05, 0xac, 0xdf, 0xd5, 0xf0,
        0x98, 0xef, 0xf2, 0x89, 0xf4, 0xc3, 0x45, 0xb0, 0x27, 0xb2, 0xc2, 0x8f, 0x95, 0xe8, 0x26,
    ],
];

/// 0x7fff…ff followed by `low`.
const fn low_byte_of_field(low: u8) -> [u8; 32] {
    let mut number = [0xff; 32];
    number[0] = 0x7f;
    number[31] = low;
    number
}
