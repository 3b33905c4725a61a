//! The crate as its callers see it, against an authenticator of the tests' own, the vectors of the W3C, and
//! responses that have been tampered with.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot build its input has failed")]

mod soft_authenticator; // makes responses, good and bad

mod assertion; // every refusal of §7.2
mod keys; // every refusal of a public key
mod mutations; // what nobody thought of
mod other_authenticator; // responses that others make
mod registration; // every refusal of §7.1
mod vectors; // section 16 of the standard
