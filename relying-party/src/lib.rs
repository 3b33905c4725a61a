#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

// In reading order.

// §7.1: a new passkey.
mod registration;

// §7.2: a passkey used.
mod assertion;

// What the browser says it did: type, challenge, origins.
mod client_data;

// What the authenticator signs: relying party, flags, counter, new credential.
mod authenticator_data;

// What came with a new credential: none and self are checked, the rest is not trusted.
mod attestation;

// Public keys: which are accepted, and what they verify.
mod cose;

// The strict subset of CBOR that authenticators may speak.
mod cbor;

// Every way to say no.
mod refusal;

#[cfg(test)]
mod published_vectors;

pub use assertion::{
    AssertionResponse, CounterSignal, Owner, ReadyKey, StoredCredential, VerifiedAssertion, verify_assertion,
    verify_assertion_with,
};
pub use attestation::{Attestation, UnverifiedFormat};
pub use cose::Algorithm;
pub use refusal::Refusal;
pub use registration::{RegisteredCredential, RegistrationResponse, verify_registration};

/// What the server knows of a ceremony before any response arrives.
///
/// User presence and user verification are not in here: both are always required.
#[derive(Debug, Clone, Copy)]
pub struct Expectations<'a> {
    /// The challenge that the server issued for this one ceremony, 16 bytes or more. The caller spends it:
    /// these functions would verify the same response twice.
    pub challenge: &'a [u8],
    /// The relying party id that the credential is scoped to, such as `example.org`.
    pub rp_id: &'a str,
    /// The origins a ceremony may take place on, spelled as a browser spells them
    /// (`https://console.example.org`). The list is exact: no wildcard, no subdomain, no other port.
    pub origins: &'a [&'a str],
    /// The origins of pages that may hold this console in a frame. Empty: every ceremony in a frame of a
    /// foreign page is refused.
    pub top_origins: &'a [&'a str],
}
