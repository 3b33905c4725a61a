//! What the authenticator signs: WebAuthn §6.1.

use std::collections::BTreeSet;

use crate::Refusal;
use crate::cbor::{Malformed, Reader};

/// ```text
/// rpIdHash 32 | flags 1 | signCount 4 | if AT: aaguid 16 | length 2 | credentialId | COSE_Key | if ED: map
/// ```
pub(crate) struct AuthenticatorData<'a> {
    pub(crate) rp_id_hash: &'a [u8; 32],
    pub(crate) flags: Flags,
    pub(crate) sign_count: u32,
    /// The new credential, present when the AT flag is set.
    pub(crate) attested: Option<AttestedCredential<'a>>,
}

/// A new credential as the authenticator describes it (§6.5.1).
pub(crate) struct AttestedCredential<'a> {
    pub(crate) aaguid: [u8; 16],
    pub(crate) id: &'a [u8],
    /// One CBOR item; not yet looked into.
    pub(crate) unverified_public_key: &'a [u8],
}

/// Bits 1 and 5 are reserved and passed over: Level 3 itself put two that Level 1 had reserved to use, and
/// servers that refused them shut synced passkeys out. They are signed all the same.
#[derive(Clone, Copy)]
pub(crate) struct Flags(u8);

impl Flags {
    const UP: u8 = 1;
    const UV: u8 = 1 << 2;
    const BE: u8 = 1 << 3;
    const BS: u8 = 1 << 4;
    const AT: u8 = 1 << 6;
    const ED: u8 = 1 << 7;

    pub(crate) fn user_present(self) -> bool {
        self.has(Self::UP)
    }

    pub(crate) fn user_verified(self) -> bool {
        self.has(Self::UV)
    }

    pub(crate) fn backup_eligible(self) -> bool {
        self.has(Self::BE)
    }

    pub(crate) fn backup_state(self) -> bool {
        self.has(Self::BS)
    }

    fn attested_credential_data(self) -> bool {
        self.has(Self::AT)
    }

    fn extension_data(self) -> bool {
        self.has(Self::ED)
    }

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Splits the bytes and verifies nothing of what they claim. Every byte belongs to a part.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let malformed = Refusal::MalformedAuthenticatorData;
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
        let (&[flags, c0, c1, c2, c3], rest) = rest.split_first_chunk::<5>().ok_or(malformed)?;
        let flags = Flags(flags);
        let (attested, rest) = if flags.attested_credential_data() {
            let (attested, rest) = AttestedCredential::parse(rest).ok_or(malformed)?;
            (Some(attested), rest)
        } else {
            (None, rest)
        };
        let rest = if flags.extension_data() {
            pass_over_extensions(rest).map_err(|Malformed| Refusal::MalformedExtensions)?
        } else {
            rest
        };
        if !rest.is_empty() {
            return Err(Refusal::TrailingBytes);
        }
        Ok(Self { rp_id_hash, flags, sign_count: u32::from_be_bytes([c0, c1, c2, c3]), attested })
    }
}

impl<'a> AttestedCredential<'a> {
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&aaguid, rest) = bytes.split_first_chunk::<16>()?;
        let (&length, rest) = rest.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(length)))?;
        if id.is_empty() {
            return None;
        }
        let mut reader = Reader::new(rest);
        let unverified_public_key = reader.item().ok()?;
        Some((Self { aaguid, id, unverified_public_key }, reader.rest()))
    }
}

/// Extension outputs must be a map with distinct text keys; what they say is not used here. Browsers and
/// authenticators may add some that nobody asked for.
fn pass_over_extensions(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(bytes);
    let mut names = BTreeSet::new();
    for _ in 0..reader.map()? {
        if !names.insert(reader.text()?) {
            return Err(Malformed);
        }
        reader.item()?;
    }
    Ok(reader.rest())
}
