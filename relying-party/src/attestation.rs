//! What came with a new credential about its maker (WebAuthn §6.5 and §8).
//!
//! The server asks for no attestation, so nearly all responses are of the format `none`. Some authenticators
//! send a statement unasked. The credential is then as good as one without: a self attestation is checked,
//! since that takes nothing but the key at hand; any other is passed over and reported as
//! [`Attestation::Unverified`], so that nobody mistakes its claims, or the AAGUID, for proof.

use crate::Refusal;
use crate::cbor::{Malformed, Reader};
use crate::cose::CredentialKey;

/// The attestation that came with a registration. In no case is the authenticator's make proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attestation {
    /// Format `none`, and nothing else.
    None,
    /// Format `packed`, signed by the new credential itself, and verified: the private key exists.
    PackedSelf,
    /// A statement that nobody asked for, and nobody verified.
    Unverified(UnverifiedFormat),
}

/// A registered format whose statement is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnverifiedFormat {
    /// `packed` with a certificate chain (§8.2).
    Packed,
    /// `tpm` (§8.3).
    Tpm,
    /// `android-key` (§8.4).
    AndroidKey,
    /// `android-safetynet` (§8.5).
    AndroidSafetyNet,
    /// `fido-u2f` (§8.6).
    FidoU2f,
    /// `apple` (§8.8).
    Apple,
    /// `compound`: several statements at once (§8.9).
    Compound,
}

impl Attestation {
    /// The format's identifier as registered with IANA.
    #[must_use]
    pub const fn format(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PackedSelf | Self::Unverified(UnverifiedFormat::Packed) => "packed",
            Self::Unverified(UnverifiedFormat::Tpm) => "tpm",
            Self::Unverified(UnverifiedFormat::AndroidKey) => "android-key",
            Self::Unverified(UnverifiedFormat::AndroidSafetyNet) => "android-safetynet",
            Self::Unverified(UnverifiedFormat::FidoU2f) => "fido-u2f",
            Self::Unverified(UnverifiedFormat::Apple) => "apple",
            Self::Unverified(UnverifiedFormat::Compound) => "compound",
        }
    }
}

/// The CBOR map of a registration, split and not verified (§6.5.4).
pub(crate) struct AttestationObject<'a> {
    pub(crate) authenticator_data: &'a [u8],
    pub(crate) format: &'a str,
    /// One CBOR item; not yet looked into.
    unverified_statement: &'a [u8],
}

impl<'a> AttestationObject<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let object = Self::read(&mut reader).map_err(|Malformed| Refusal::MalformedAttestationObject)?;
        if reader.rest().is_empty() { Ok(object) } else { Err(Refusal::TrailingBytes) }
    }

    /// Exactly three members, in any order.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let (mut format, mut statement, mut authenticator_data) = (None, None, None);
        for _ in 0..reader.map()? {
            let seen_before = match reader.text()? {
                "fmt" => format.replace(reader.text()?).is_some(),
                "attStmt" => statement.replace(reader.item()?).is_some(),
                "authData" => authenticator_data.replace(reader.bytes()?).is_some(),
                _ => return Err(Malformed),
            };
            if seen_before {
                return Err(Malformed);
            }
        }
        Ok(Self {
            authenticator_data: authenticator_data.ok_or(Malformed)?,
            format: format.ok_or(Malformed)?,
            unverified_statement: statement.ok_or(Malformed)?,
        })
    }
}

/// A format as read from `fmt`, before its statement has been looked at.
pub(crate) enum Format {
    None,
    Packed,
    NotVerified(UnverifiedFormat),
}

impl Format {
    /// USASCII case-sensitive match against the registered identifiers.
    pub(crate) fn from_identifier(identifier: &str) -> Result<Self, Refusal> {
        Ok(match identifier {
            "none" => Self::None,
            "packed" => Self::Packed,
            "tpm" => Self::NotVerified(UnverifiedFormat::Tpm),
            "android-key" => Self::NotVerified(UnverifiedFormat::AndroidKey),
            "android-safetynet" => Self::NotVerified(UnverifiedFormat::AndroidSafetyNet),
            "fido-u2f" => Self::NotVerified(UnverifiedFormat::FidoU2f),
            "apple" => Self::NotVerified(UnverifiedFormat::Apple),
            "compound" => Self::NotVerified(UnverifiedFormat::Compound),
            _ => return Err(Refusal::UnsupportedAttestationFormat),
        })
    }

    /// The format's verification procedure, as far as this crate goes. `signed` is the authenticator data
    /// followed by the hash of the client data.
    pub(crate) fn verify(
        self,
        object: &AttestationObject<'_>,
        key: &CredentialKey,
        signed: &[u8],
    ) -> Result<Attestation, Refusal> {
        match self {
            // §8.7: the statement is the empty map.
            Self::None if object.unverified_statement == EMPTY_MAP => Ok(Attestation::None),
            Self::None => Err(Refusal::MalformedAttestationStatement),
            Self::Packed => PackedStatement::parse(object.unverified_statement)
                .map_err(|Malformed| Refusal::MalformedAttestationStatement)?
                .verify(key, signed),
            Self::NotVerified(format) => Ok(Attestation::Unverified(format)),
        }
    }
}

const EMPTY_MAP: [u8; 1] = [0xa0];

/// §8.2.
struct PackedStatement<'a> {
    algorithm: i64,
    signature: &'a [u8],
    certificates: Option<&'a [u8]>,
}

impl<'a> PackedStatement<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (mut algorithm, mut signature, mut certificates) = (None, None, None);
        for _ in 0..reader.map()? {
            let seen_before = match reader.text()? {
                "alg" => algorithm.replace(reader.integer()?).is_some(),
                "sig" => signature.replace(reader.bytes()?).is_some(),
                "x5c" => certificates.replace(reader.item()?).is_some(),
                _ => return Err(Malformed),
            };
            if seen_before {
                return Err(Malformed);
            }
        }
        Ok(Self {
            algorithm: algorithm.ok_or(Malformed)?,
            signature: signature.ok_or(Malformed)?,
            certificates,
        })
    }

    fn verify(&self, key: &CredentialKey, signed: &[u8]) -> Result<Attestation, Refusal> {
        if self.certificates.is_some() {
            return Ok(Attestation::Unverified(UnverifiedFormat::Packed));
        }
        if self.algorithm == key.algorithm.cose_id() && key.verifies(signed, self.signature) {
            Ok(Attestation::PackedSelf)
        } else {
            Err(Refusal::AttestationSignatureInvalid)
        }
    }
}
