//! Signed heads: a file outside of the database says, line by line, which hash the newest event of each
//! account had. Whoever can write the database and nothing else can then neither make a chain anew nor cut
//! its end.
//!
//! A line is one object of JSON in its one spelling (RFC 8785), chained to the line before by that line's
//! SHA-256, and signed with Ed25519 (RFC 8032) by a key that is kept beside the file.

use super::chain::{BEGINNING, Hash};
use crate::{entropy::Entropy, secrets::sha256};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use holdfast_protocol::{
    base64url::{self, Bytes},
    ids::AccountId,
    step_up::canonical_text,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use zeroize::Zeroizing;

/// The file of the heads, in the witness's folder.
pub const HEADS: &str = "log-heads.jsonl";
/// The file of the key that signs them.
pub const KEY: &str = "log-key";
/// The file of its public half, for whoever verifies.
pub const PUBLIC_KEY: &str = "log-key.pub";

/// Keeps these signatures apart from all others.
const DOMAIN: &str = "holdfast/log-heads/1\n";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// From 1, rising by one.
    pub number: u64,
    /// SHA-256 of the line before, without its end of line; zeros before the first.
    pub previous: Bytes,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The Ed25519 public key that signs, 32 bytes.
    pub key: Bytes,
    /// Of accounts with something new.
    pub heads: Vec<Head>,
    /// Over `holdfast/log-heads/1`, a line feed, and the line as it is without its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Bytes>,
}

/// The newest event of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub account: AccountId,
    pub event: i64,
    /// The event's.
    pub hash: Bytes,
}

/// Where a file of heads ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Of the last line; 0 before the first.
    pub number: u64,
    /// Of the last line.
    pub hash: Hash,
}

impl End {
    /// Of an empty file.
    pub const EMPTY: Self = Self { number: 0, hash: BEGINNING };
}

/// Why a line is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    NotALine,
    NotNext,
    OtherKey,
    Signature,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotALine => "is no line of signed heads, or only a part of one",
            Self::NotNext => "does not follow the line before it",
            Self::OtherKey => "is signed with another key than the given ones",
            Self::Signature => "does not fit its signature",
        })
    }
}

impl Line {
    /// Takes a line apart that comes after `end`, and gives where the file ends with it. Nobody has
    /// checked the signature yet.
    pub fn read(text: &str, end: End) -> Result<(Self, End), LineFault> {
        let line: Self = serde_json::from_str(text).map_err(|_| LineFault::NotALine)?;
        if canonical_text(&line).as_deref() != Some(text) {
            return Err(LineFault::NotALine);
        }
        if line.number != end.number.saturating_add(1) || line.previous.0 != end.hash {
            return Err(LineFault::NotNext);
        }
        let end = End { number: line.number, hash: sha256(text.as_bytes()) };
        Ok((line, end))
    }

    /// Signed by one of these keys.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<(), LineFault> {
        if !keys.iter().any(|key| key.0 == self.key.0.as_slice()) {
            return Err(LineFault::OtherKey);
        }
        let signature = self.signature.as_ref().ok_or(LineFault::Signature)?;
        let signed = self.signed().ok_or(LineFault::NotALine)?;
        let key = UnparsedPublicKey::new(&ED25519, &self.key.0);
        key.verify(signed.as_bytes(), &signature.0).map_err(|_| LineFault::Signature)
    }

    fn signed(&self) -> Option<String> {
        let unsigned = Self { signature: None, ..self.clone() };
        Some([DOMAIN, &canonical_text(&unsigned)?].concat())
    }
}

/// An Ed25519 public key: one line of base64url in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads the file of a key.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let key = base64url::decode_array(text.trim_end()).map_err(|_| damaged(path))?;
        Ok(Self(key))
    }
}

/// The key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads the key of a folder; made there where there is none, in a file that only its owner can read,
    /// with the public half beside it.
    pub fn read_or_make(folder: &Path, entropy: &Entropy) -> io::Result<Self> {
        let path = folder.join(KEY);
        let text = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                let text = Zeroizing::new(entropy.make_text());
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                text
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Zeroizing::new(fs::read_to_string(&path)?)
            }
            Err(error) => return Err(error),
        };
        let seed = base64url::decode_array::<32>(text.trim_end()).map(Zeroizing::new);
        let seed = seed.map_err(|_| damaged(&path))?;
        let key = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| damaged(&path))?;
        let key = Self(key);
        let public = [&base64url::encode(&key.public().0), "\n"].concat();
        // Written each time: a file that was lost or swapped is what it was again.
        fs::write(folder.join(PUBLIC_KEY), public)?;
        Ok(key)
    }

    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// The line after `end`, with where the file ends then; `None`: a number that JSON has no spelling for.
    pub fn sign(&self, heads: Vec<Head>, at_ms: u64, end: End) -> Option<(String, End)> {
        let mut line = Line {
            number: end.number.saturating_add(1),
            previous: Bytes(end.hash.to_vec()),
            at_ms,
            key: Bytes(self.public().0.to_vec()),
            heads,
            signature: None,
        };
        let signature = self.0.sign(line.signed()?.as_bytes());
        line.signature = Some(Bytes(signature.as_ref().to_vec()));
        let text = canonical_text(&line)?;
        let end = End { number: line.number, hash: sha256(text.as_bytes()) };
        Some((text, end))
    }
}

fn damaged(path: &Path) -> io::Error {
    io::Error::other(format!("{} is damaged", path.display()))
}
