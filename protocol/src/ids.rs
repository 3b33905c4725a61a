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

/// Appends groups of four symbols, one for each byte.
fn spell(text: &mut String, random: &[u8]) {
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        if let Some(symbol) = ALPHABET.get(usize::from(byte % 32)) {
            text.push(char::from(*symbol));
        }
    }
}

#[expect(
    clippy::manual_contains,
    reason = "the search by words behind it is a quarter of a kilobyte of wasm"
)]
fn is_spelled(text: &str, groups: usize) -> bool {
    let mut found = 0;
    parts(text, b'-').all(|group| {
        found += 1;
        group.len() == GROUP && group.bytes().all(|byte| ALPHABET.iter().any(|symbol| *symbol == byte))
    }) && found == groups
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(
            feature = "schema",
            derive(schemars::JsonSchema),
            schemars(extend("pattern" = concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$")))
        )]
        pub struct $name(String);

        impl $name {
            /// Makes an id of 80 bits from 16 random bytes.
            pub fn make(random: [u8; 16]) -> Self {
                let mut text = String::from(concat!($prefix, "_"));
                spell(&mut text, &random);
                Self(text)
            }

            /// Takes an id as it was written.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                match text.strip_prefix(concat!($prefix, "_")) {
                    Some(rest) if is_spelled(rest, GROUPS) => Ok(Self(text.to_owned())),
                    _ => Err(NotAnId),
                }
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

id!(
    /// An agent: `agt_…`. Given to it when it asks, and its for ever.
    AgentId, "agt"
);
id!(
    /// A charge of an agent: `chg_…`.
    ChargeId, "chg"
);

/// What an agent shows and its owner types, once, to pair the two: `7k4m-x2f9`, 40 bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}$")))]
pub struct PairingCode(String);

impl PairingCode {
    const GROUPS: usize = 2;

    /// Makes a code from random bytes.
    pub fn make(random: [u8; 8]) -> Self {
        let mut text = String::new();
        spell(&mut text, &random);
        Self(text)
    }

    /// Takes a code as it was written.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        if is_spelled(text, Self::GROUPS) { Ok(Self(text.to_owned())) } else { Err(NotAnId) }
    }

    /// Takes what a person typed: capitals, spaces and dashes do not matter, and a letter that no code
    /// holds is read as the digit that it looks like.
    pub fn typed(text: &str) -> Result<Self, NotAnId> {
        let mut spelled = String::with_capacity(text.len());
        for typed in text.chars().filter(|typed| !matches!(typed, ' ' | '-')) {
            if spelled.len() == GROUP {
                spelled.push('-');
            }
            spelled.push(match typed.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            });
        }
        Self::parse(&spelled)
    }

    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_on_the_wire!(PairingCode);

/// The RFC 7638 SHA-256 thumbprint of a public P-256 key: 32 bytes as 43 characters of base64url.
///
/// RFC 7800 and RFC 9449 call it `jkt`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9_-]{43}$")))]
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

    #[test]
    fn a_pairing_code_is_written_one_way_and_typed_in_many() {
        let code = PairingCode::make([7, 0, 4, 20, 1, 2, 15, 9]);
        assert_eq!(code.as_str(), "704m-12f9");
        assert_eq!(PairingCode::parse("704m-12f9"), Ok(code.clone()));
        for typed in ["704M12F9", " 7o4m - l2f9 ", "7O4M-I2F9"] {
            assert_eq!(PairingCode::typed(typed), Ok(code.clone()), "{typed}");
        }
        for other in ["", "704m", "704m-12f", "704m-12f9-", "704m-12f9-0000", "704u-12f9", "é04m-12f9"] {
            assert_eq!(PairingCode::parse(other), Err(NotAnId), "{other}");
            let typed = PairingCode::typed(other);
            assert!(typed.is_err() || other == "704m-12f9-", "{other}");
        }
        assert_eq!(PairingCode::parse("704M-12F9"), Err(NotAnId));
    }
}
