use crate::parts::parts;
use core::fmt;

/// The text is not an id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id of this kind")
    }
}

impl std::error::Error for NotAnId {}

/// 32 symbols, so that a byte modulo 32 is uniform; no `i`, `l`, `o`, `u`, so that ids can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const GROUPS: usize = 4;
const GROUP: usize = 4;

fn spell(prefix: &str, random: [u8; 16]) -> String {
    let mut text = String::with_capacity(prefix.len() + GROUPS * (GROUP + 1));
    text.push_str(prefix);
    for (at, byte) in random.iter().enumerate() {
        text.push(if at == 0 { '_' } else { '-' });
        if at % GROUP != 0 {
            text.pop();
        }
        if let Some(symbol) = ALPHABET.get(usize::from(byte % 32)) {
            text.push(char::from(*symbol));
        }
    }
    text
}

fn is_spelled(prefix: &str, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else {
        return false;
    };
    let mut groups = 0;
    parts(rest, b'-').all(|group| {
        groups += 1;
        group.len() == GROUP && group.bytes().all(|byte| ALPHABET.contains(&byte))
    }) && groups == GROUPS
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Makes an id of 80 bits from 16 random bytes.
            pub fn make(random: [u8; 16]) -> Self {
                Self(spell($prefix, random))
            }

            /// Takes an id as it was written.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                if is_spelled($prefix, text) { Ok(Self(text.to_owned())) } else { Err(NotAnId) }
            }

            /// The id as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_on_the_wire!($name);
    };
}

/// A newtype with `parse` and `as_str` is that text in JSON.
macro_rules! text_on_the_wire {
    ($name:ident) => {
        #[cfg(feature = "wire")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "wire")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// An account: `acc_7q4m-2f9k-xw1d-0h3t`.
    AccountId, "acc"
);
id!(
    /// A session: `ses_…`. Names it in lists; opens nothing.
    SessionId, "ses"
);
id!(
    /// A live connection: `con_…`.
    ConnectionId, "con"
);
id!(
    /// A WebAuthn ceremony: `cer_…`.
    CeremonyId, "cer"
);
id!(
    /// A passkey of an account: `psk_…`. Not the credential id, which only the authenticator and server need.
    PasskeyId, "psk"
);
id!(
    /// A wallet of the ledger: `wal_…`. Who knows it can send money there, and find out nothing else.
    WalletId, "wal"
);
id!(
    /// A transfer between two wallets: `trf_…`.
    TransferId, "trf"
);
id!(
    /// A mail: `eml_…`. Names its file, and its Message-ID begins with it.
    MailId, "eml"
);

/// The RFC 7638 SHA-256 thumbprint of a public P-256 key: 32 bytes as 43 characters of base64url.
///
/// RFC 7800 and RFC 9449 call it `jkt`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// From the 32 bytes of the hash.
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        Self(crate::base64url::encode(hash))
    }

    /// Takes a thumbprint as it was written.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        crate::base64url::decode_array::<32>(text).map_err(|_| NotAnId)?;
        Ok(Self(text.to_owned()))
    }

    /// The thumbprint as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_on_the_wire!(Thumbprint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_one_way() {
        let id = AccountId::make(core::array::from_fn(|at| u8::try_from(at).unwrap() + 7));
        assert_eq!(id.as_str(), "acc_789a-bcde-fghj-kmnp");
        assert_eq!(AccountId::parse(id.as_str()), Ok(id));
        for other in [
            "ses_789a-bcde-fghj-kmnp",
            "acc_789a-bcde-fghj",
            "acc_789a-bcde-fghj-kmnp-7777",
            "acc_789A-bcde-fghj-kmnp",
            "acc_789abcdefghjkmnp",
            "acc_789a-bcde-fghj-kmnl",
            "",
        ] {
            assert_eq!(AccountId::parse(other), Err(NotAnId), "{other}");
        }
    }
}
