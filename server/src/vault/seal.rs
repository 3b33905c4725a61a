//! Secrets at rest: AES-256-GCM-SIV (RFC 8452), which forgives a nonce that comes twice, under keys
//! derived from `CREDENTIALS_KEY` (RFC 5869).

use super::Place;
use crate::{
    entropy::Entropy,
    secrets::{Key, Keyring},
};
use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
};
use holdfast_protocol::base64url;
use zeroize::Zeroizing;

/// The key that secrets are sealed with, and during a rotation the one before it, which opens only.
pub struct Vault {
    pub(super) current: Seal,
    pub(super) previous: Option<Seal>,
}

/// One key.
pub(super) struct Seal {
    pub id: String,
    key: Key,
}

/// A secret as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct Sealed {
    /// Which key opens it.
    pub key_id: String,
    pub nonce: Vec<u8>,
    #[sqlx(rename = "sealed")]
    pub bytes: Vec<u8>,
}

impl Vault {
    pub fn new(keys: &Keyring) -> Self {
        let (current, previous) = keys.keys("credentials/seal");
        let (current_name, previous_name) = keys.keys("credentials/key-id");
        let seal = |key, name: Key| {
            let (id, _) = name.split_at(8);
            Seal { id: base64url::encode(id), key }
        };
        let current = seal(current, current_name);
        let previous = previous.zip(previous_name).map(|(key, name)| seal(key, name));
        Self { previous: previous.filter(|previous| previous.id != current.id), current }
    }

    /// The key of this id, if this server has it.
    pub(super) fn seal_of(&self, id: &str) -> Option<&Seal> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten().find(|seal| seal.id == id)
    }

    /// Encrypts a secret for this place and no other.
    pub(super) fn seal(
        &self,
        place: &Place<'_>,
        secret: &[u8],
        entropy: &Entropy,
    ) -> Result<Sealed, Unspecified> {
        let seal = &self.current;
        let nonce = entropy.make::<NONCE_LEN>();
        // Room for the tag, so that no copy of the secret is left behind.
        let mut bytes = Vec::with_capacity(secret.len() + AES_256_GCM_SIV.tag_len());
        bytes.extend_from_slice(secret);
        let aad = Aad::from(seal.about(place));
        let key = seal.key()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)?;
        Ok(Sealed { key_id: seal.id.clone(), nonce: nonce.to_vec(), bytes })
    }
}

impl Seal {
    /// Decrypts what was sealed with this key for this place.
    pub(super) fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let nonce = Nonce::try_assume_unique_for_key(&sealed.nonce)?;
        let mut bytes = Zeroizing::new(sealed.bytes.clone());
        let length = self.key()?.open_in_place(nonce, Aad::from(self.about(place)), &mut bytes)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    fn key(&self) -> Result<LessSafeKey, Unspecified> {
        UnboundKey::new(&AES_256_GCM_SIV, self.key.as_ref()).map(LessSafeKey::new)
    }

    /// What a sealed secret belongs to, a line each: none of them can hold a line feed.
    fn about(&self, place: &Place<'_>) -> String {
        let Place { account, channel, name } = place;
        ["holdfast-credential/1", account.as_str(), channel.as_str(), name.as_str(), &self.id].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;
    use holdfast_protocol::{credentials::Name, ids::AccountId};

    fn vault(current: &str, previous: Option<&str>) -> Vault {
        let secret = |text: &str| Secret::new(text.repeat(32));
        Vault::new(&Keyring::new(secret(current), previous.map(secret)))
    }

    fn names() -> (AccountId, Name, Name) {
        let name = |text| Name::parse(text).unwrap();
        (AccountId::make([1; 16]), name("chat"), name("KEY"))
    }

    #[test]
    fn a_secret_is_opened_where_it_was_sealed_and_nowhere_else() {
        let (account, channel, name) = names();
        let place = Place { account: &account, channel: &channel, name: &name };
        let vault = vault("a", None);
        let sealed = vault.seal(&place, b"hunter2", &Entropy::counted(1)).unwrap();
        assert_eq!(sealed.bytes.len(), 7 + 16);
        assert_eq!(*vault.current.open(&place, &sealed).unwrap(), b"hunter2");
        let other = AccountId::make([2; 16]);
        for place in [
            Place { account: &other, ..place },
            Place { channel: &name, ..place },
            Place { name: &channel, ..place },
            Place { channel: &name, name: &channel, ..place },
        ] {
            assert!(vault.current.open(&place, &sealed).is_err());
        }
    }

    #[test]
    fn no_bit_of_it_can_be_changed() {
        let (account, channel, name) = names();
        let place = Place { account: &account, channel: &channel, name: &name };
        let vault = vault("a", None);
        let sealed = vault.seal(&place, b"hunter2", &Entropy::counted(1)).unwrap();
        let opens = |nonce: &[u8], bytes: &[u8]| {
            let sealed = Sealed { key_id: String::new(), nonce: nonce.to_vec(), bytes: bytes.to_vec() };
            vault.current.open(&place, &sealed).is_ok()
        };
        assert!(opens(&sealed.nonce, &sealed.bytes));
        for (at, bit) in (0..sealed.bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut bytes = sealed.bytes.clone();
            bytes[at] ^= 1 << bit;
            assert!(!opens(&sealed.nonce, &bytes));
            let mut nonce = sealed.nonce.clone();
            nonce[at % NONCE_LEN] ^= 1 << bit;
            assert!(!opens(&nonce, &sealed.bytes));
        }
        assert!(!opens(&sealed.nonce[1..], &sealed.bytes));
        assert!(!opens(&sealed.nonce, &sealed.bytes[..15]));
        assert!(!opens(&sealed.nonce, &[]));
    }

    #[test]
    fn a_key_is_known_by_its_id_until_it_is_forgotten() {
        let (account, channel, name) = names();
        let place = Place { account: &account, channel: &channel, name: &name };
        let sealed = vault("a", None).seal(&place, b"hunter2", &Entropy::counted(1)).unwrap();
        let rotated = vault("b", Some("a"));
        let seal = rotated.seal_of(&sealed.key_id).unwrap();
        assert_eq!(*seal.open(&place, &sealed).unwrap(), b"hunter2");
        assert!(rotated.current.open(&place, &sealed).is_err());
        assert!(vault("b", None).seal_of(&sealed.key_id).is_none());
        assert!(vault("a", Some("a")).previous.is_none());
    }
}
