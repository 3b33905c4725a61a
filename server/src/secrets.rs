//! Hashes, keys derived per purpose, and secrets that do not show themselves.

use aws_lc_rs::{constant_time, digest, hkdf, hmac, signature};
use holdfast_protocol::dpop::PublicKey;
use serde::{Deserialize, Deserializer};
use std::{convert::Infallible, fmt, str::FromStr};
use zeroize::Zeroizing;

/// A secret text: redacted in `Debug`, wiped when dropped, compared in constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is(&self, other: &str) -> bool {
        // Over hashes, so that neither content nor length shows in time.
        same(&sha256(self.0.as_bytes()), &sha256(other.as_bytes()))
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Equality in constant time.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// ECDSA over P-256 with SHA-256, r‖s. A point that is not on the curve verifies nothing.
pub fn p256_verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key.to_sec1())
        .verify(message, signature)
        .is_ok()
}

/// A secret that keys are derived from, and during a rotation the one before it.
#[derive(Clone)]
pub struct Keyring {
    current: Secret,
    previous: Option<Secret>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

impl Keyring {
    pub fn new(current: Secret, previous: Option<Secret>) -> Self {
        Self { current, previous }
    }

    /// The key of a purpose, and during a rotation the one that it had before.
    pub(crate) fn keys(&self, purpose: &str) -> (Key, Option<Key>) {
        (derive(&self.current, purpose), self.previous.as_ref().map(|secret| derive(secret, purpose)))
    }

    /// HMAC-SHA-256 under the key of a purpose.
    pub fn mac(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        mac(&self.current, purpose, message)
    }

    /// Whether the MAC is the current secret's or the previous one's.
    pub fn is_mac(&self, purpose: &str, message: &[u8], unverified_mac: &[u8]) -> bool {
        let of = |secret: &Secret| same(&mac(secret, purpose, message), unverified_mac);
        of(&self.current) || self.previous.as_ref().is_some_and(of)
    }

    /// The same for the first 128 bits of a MAC.
    pub fn is_truncated_mac(&self, purpose: &str, message: &[u8], unverified_mac: &[u8]) -> bool {
        let of = |secret: &Secret| {
            mac(secret, purpose, message).get(..16).is_some_and(|mac| same(mac, unverified_mac))
        };
        of(&self.current) || self.previous.as_ref().is_some_and(of)
    }
}

/// 256 bits that nobody knows who does not know what they were derived from.
pub(crate) type Key = Zeroizing<[u8; 32]>;

fn derive(secret: &Secret, purpose: &str) -> Key {
    let mut bytes = Key::new([0; 32]);
    let label = ["holdfast/", purpose];
    let label = label.map(str::as_bytes);
    let filled = hkdf::Salt::new(hkdf::HKDF_SHA256, b"holdfast/server-secret/v1")
        .extract(secret.reveal().as_bytes())
        .expand(&label, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(bytes.as_mut()));
    if filled.is_err() {
        // 32 bytes are always within HKDF's bounds.
        tracing::error!("HKDF refused 32 bytes; ending");
        std::process::abort();
    }
    bytes
}

fn mac(secret: &Secret, purpose: &str, message: &[u8]) -> [u8; 32] {
    let key = derive(secret, purpose);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), message);
    let mut mac = [0; 32];
    mac.copy_from_slice(tag.as_ref());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_themselves() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
    }

    #[test]
    fn a_mac_of_one_purpose_or_secret_is_none_of_another() {
        let old = Secret::new("o".repeat(32));
        let ring = Keyring::new(Secret::new("n".repeat(32)), Some(old.clone()));
        let before = Keyring::new(old, None).mac("a", b"m");
        assert!(ring.is_mac("a", b"m", &before));
        assert!(ring.is_mac("a", b"m", &ring.mac("a", b"m")));
        assert!(!ring.is_mac("b", b"m", &before));
        assert!(!ring.is_mac("a", b"n", &before));
        assert!(!Keyring::new(Secret::new("n".repeat(32)), None).is_mac("a", b"m", &before));
    }
}
