//! The hash chain over an account's events: whoever alters, removes or moves one breaks it, or must make
//! anew every hash from there on, which the signed heads then tell of.

use crate::secrets::sha256;

/// SHA-256.
pub type Hash = [u8; 32];

/// What the first event of a chain comes after.
pub const BEGINNING: Hash = [0; 32];

/// Keeps these hashes apart from all others.
const DOMAIN: &[u8] = b"holdfast/activity/1\n";

/// An event as it is stored: every column but the hash. Bytes, because whoever altered a row need not have
/// left text in it.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    pub account: &'a [u8],
    pub id: i64,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    pub what: &'a [u8],
    pub browser: Option<&'a [u8]>,
    pub system: Option<&'a [u8]>,
    pub session: Option<&'a [u8]>,
    pub evidence: Option<&'a [u8]>,
    pub step_up: Option<&'a [u8]>,
}

impl Link<'_> {
    /// Of the event, after the one with hash `previous`. In one unambiguous spelling: numbers have eight
    /// bytes, the highest first; a text has its length before it, and before that whether it is there at all.
    pub fn hash(&self, previous: &Hash) -> Hash {
        let mut spelling = Vec::with_capacity(256 + self.what.len() + self.evidence.map_or(0, <[u8]>::len));
        spelling.extend_from_slice(DOMAIN);
        spelling.extend_from_slice(previous);
        spelling.extend_from_slice(&self.id.to_be_bytes());
        spelling.extend_from_slice(&self.at_ms.to_be_bytes());
        let texts = [Some(self.account), Some(self.what), self.browser, self.system, self.session];
        for text in texts.into_iter().chain([self.evidence, self.step_up]) {
            spelling.push(u8::from(text.is_some()));
            if let Some(text) = text {
                spelling.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                spelling.extend_from_slice(text);
            }
        }
        sha256(&spelling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_and_the_event_before_make_another_hash() {
        let link = Link {
            account: b"acc_a",
            id: 1,
            at_ms: 2,
            what: b"{}",
            browser: Some(b"ab"),
            system: Some(b"c"),
            session: None,
            evidence: None,
            step_up: None,
        };
        let others = [
            Link { account: b"acc_b", ..link },
            Link { id: 2, ..link },
            Link { at_ms: 3, ..link },
            Link { what: b"[]", ..link },
            Link { browser: Some(b"a"), system: Some(b"bc"), ..link },
            Link { browser: Some(b""), ..link },
            Link { browser: None, ..link },
            Link { system: None, session: Some(b"c"), ..link },
            Link { session: Some(b""), ..link },
            Link { evidence: Some(b""), ..link },
            Link { step_up: Some(b""), ..link },
        ];
        let mut hashes: Vec<Hash> = others.iter().map(|other| other.hash(&BEGINNING)).collect();
        hashes.extend([link.hash(&BEGINNING), link.hash(&[1; 32])]);
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
