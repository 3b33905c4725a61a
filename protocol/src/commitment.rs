use crate::base64url::{Bytes, decode_array, encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// Bytes of salt.
pub const SALT_BYTES: usize = 16;
/// Bytes that a secret may have; it has at least one.
pub const MOST_BYTES: usize = 16 * 1024;

/// What parameters say of a secret that is sent beside them, so that it is signed for without being
/// written down: 32 bytes of base64url.
///
/// SHA-256 over the ASCII text `holdfast/commitment/v1`, the salt and the secret. The length of what
/// stands before the secret is fixed, so that no other pair has the same bytes. The log keeps the
/// commitment for ever; the salt is made for one request and kept by nobody, so that not even a secret
/// out of ten can be guessed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9_-]{43}$")))]
pub struct Commitment(#[cfg_attr(feature = "schema", schemars(with = "String"))] [u8; 32]);

impl Serialize for Commitment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        decode_array(&text).map(Self).map_err(D::Error::custom)
    }
}

/// The secret itself, with what shows that it is the one that was signed for. Sent beside the
/// parameters with every try of the action, and never to the preflight; neither logged nor kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// [`SALT_BYTES`] random bytes, made for this commitment.
    pub salt: Bytes,
    /// 1 to [`MOST_BYTES`] bytes.
    pub value: Bytes,
}

impl Opening {
    /// What the parameters say of it.
    pub fn commitment(&self) -> Commitment {
        let hash = Sha256::new_with_prefix(b"holdfast/commitment/v1");
        Commitment(hash.chain_update(&self.salt.0).chain_update(&self.value.0).finalize().into())
    }

    /// Whether it is what the parameters speak of.
    pub fn opens(&self, commitment: &Commitment) -> bool {
        self.salt.0.len() == SALT_BYTES
            && (1..=MOST_BYTES).contains(&self.value.0.len())
            && self.commitment() == *commitment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(salt: &[u8], value: &[u8]) -> Opening {
        Opening { salt: Bytes(salt.to_vec()), value: Bytes(value.to_vec()) }
    }

    #[test]
    fn a_commitment_is_opened_by_its_own_salt_and_secret_alone() {
        let own = opening(&[7; 16], b"hunter2");
        let commitment = own.commitment();
        assert!(own.opens(&commitment));
        for other in [opening(&[8; 16], b"hunter2"), opening(&[7; 16], b"hunter3"), opening(&[7; 16], b"")] {
            assert!(!other.opens(&commitment));
        }
        // The same bytes, cut elsewhere.
        let shifted = opening(&[&[7; 16][..], b"h"].concat(), b"unter2");
        assert_eq!(shifted.commitment(), commitment);
        assert!(!shifted.opens(&commitment));
    }

    #[test]
    fn a_secret_has_a_byte_and_no_more_than_it_may() {
        for (length, fits) in [(0, false), (1, true), (MOST_BYTES, true), (MOST_BYTES + 1, false)] {
            let opening = opening(&[0; 16], &vec![1; length]);
            assert_eq!(opening.opens(&opening.commitment()), fits, "{length}");
        }
    }

    #[test]
    fn it_is_written_as_the_document_says() {
        let hash = "ERNxyJXt0Cwk8tJZatEo-5CMKwIesCEk7-k6FO1uLz0";
        let commitment = opening(&[7; 16], b"hunter2").commitment();
        assert_eq!(serde_json::to_value(&commitment).unwrap(), hash);
        assert_eq!(serde_json::from_value::<Commitment>(hash.into()).unwrap(), commitment);
        assert!(serde_json::from_value::<Commitment>(hash[..42].into()).is_err());
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(
            format!("{:?}", opening(&[7; 16], b"hunter2")),
            "Opening { salt: Bytes(16), value: Bytes(7) }"
        );
    }
}
