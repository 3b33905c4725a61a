use crate::{
    base64url::Bytes,
    ids::AccountId,
    step_up::{Action, Kind, Locale, quoted},
};
use serde::{Deserialize, Serialize};

/// How many codes a list has.
pub const CODES: usize = 10;
/// How many symbols a code has.
pub const SYMBOLS: usize = 21;
/// Symbols between two dashes.
pub const GROUP: usize = 3;

/// The symbols of a code: all ten digits, and every letter that looks like none of them.
///
/// log2(28) · 21 = 100.9 random bits a code.
const ALPHABET: &[u8; 28] = b"0123456789ACDEFHJKMNPRTUVWXY";

/// A recovery code in its one spelling: 21 symbols, no dashes.
///
/// Only the browser ever holds one. No `Debug` of the text: it is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl core::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// What was typed is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotACode {
    /// A character that no code holds, at this place (counted from 0, dashes and spaces included).
    BadCharacter(usize),
    /// So many symbols instead of [`SYMBOLS`].
    WrongLength(usize),
}

impl RecoveryCode {
    /// Makes a code from random bytes; `None` when they do not suffice (64 nearly always do).
    ///
    /// Bytes from 252 up are thrown away, so that every symbol is equally likely.
    pub fn make(random: &[u8]) -> Option<Self> {
        let mut symbols = random
            .iter()
            .filter(|byte| **byte < 252)
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 28)))
            .map(|symbol| char::from(*symbol));
        let text: String = symbols.by_ref().take(SYMBOLS).collect();
        (text.len() == SYMBOLS).then_some(Self(text))
    }

    /// Takes what a person typed: capitals, spaces and dashes do not matter, and a letter that looks
    /// like a digit is read as that digit.
    pub fn parse(typed: &str) -> Result<Self, NotACode> {
        let mut text = String::with_capacity(SYMBOLS);
        for (at, typed) in typed.chars().enumerate() {
            let symbol = match typed.to_ascii_uppercase() {
                ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{a0}' | '\t' | '\r' | '\n' => continue,
                'O' | 'Q' => '0',
                'I' | 'L' => '1',
                'Z' => '2',
                'S' => '5',
                'G' => '6',
                'B' => '8',
                other => other,
            };
            if !ALPHABET.iter().any(|known| char::from(*known) == symbol) {
                return Err(NotACode::BadCharacter(at));
            }
            text.push(symbol);
        }
        if text.len() == SYMBOLS { Ok(Self(text)) } else { Err(NotACode::WrongLength(text.len())) }
    }

    /// As it is shown: `7K3-9MX-TAF-2HD-NYR-4PC-8WV`.
    pub fn grouped(&self) -> String {
        let mut shown = String::with_capacity(SYMBOLS + SYMBOLS / GROUP);
        for (at, symbol) in self.0.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                shown.push('-');
            }
            shown.push(symbol);
        }
        shown
    }

    /// What the server gets instead of the code, for signing in:
    /// HKDF-SHA-256 with no salt and this label.
    pub fn sign_in_verifier(&self) -> Bytes {
        Bytes(self.derive(b"holdfast/recovery-code/sign-in/v1").to_vec())
    }

    /// RFC 5869 for one block of output: extract with a zero salt, then `T(1)`.
    fn derive(&self, label: &[u8]) -> [u8; 32] {
        let key = hmac(&[0; 32], &[self.0.as_bytes()]);
        hmac(&key, &[label, &[1]])
    }
}

/// HMAC-SHA-256 (RFC 2104) for keys of up to 64 bytes.
fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    let mut inner_pad = [0x36_u8; 64];
    let mut outer_pad = [0x5c_u8; 64];
    for (at, byte) in key.iter().enumerate() {
        inner_pad[at] ^= byte;
        outer_pad[at] ^= byte;
    }
    let mut inner = Sha256::new_with_prefix(inner_pad);
    for part in parts {
        inner.update(part);
    }
    Sha256::new_with_prefix(outer_pad).chain_update(inner.finalize()).finalize().into()
}

/// `POST /v1/recovery-codes`: puts a list in force. Answers [`RecoveryCodesView`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RecoveryCodesRequest {
    /// Exactly [`CODES`] different verifiers of 32 bytes.
    pub verifiers: Vec<Bytes>,
}

/// `POST /v1/recovery-codes/regenerate`, an action: the new list comes into force and the old one dies.
/// Answers [`RecoveryCodesView`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RecoveryCodesRegeneration"))]
#[serde(deny_unknown_fields)]
pub struct Regeneration {
    /// Whose codes.
    pub account: AccountId,
    /// The account's address.
    pub email: String,
    /// Exactly [`CODES`] different verifiers of 32 bytes.
    pub verifiers: Vec<Bytes>,
}

impl Action for Regeneration {
    type Answer = RecoveryCodesView;

    const KIND: Kind = Kind::RecoveryCodesRegenerate;

    fn target(&self) -> String {
        self.account.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let (email, id) = (quoted(&self.email), self.account.as_str());
        ["Replace the recovery codes of ", &email, " (", id, "). The old ones stop working."].concat()
    }
}

/// How the list in force stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecoveryCodesView {
    /// Codes that still work.
    pub left: u32,
    /// Codes that the list began with.
    pub total: u32,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
}
