#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
// The finished page cannot write it: xtask/src/shrink/panics.rs.
#![cfg_attr(not(test), deny(clippy::use_debug))]

// In reading order.

/// Strict base64url: one spelling for every sequence of bytes.
pub mod base64url;
/// Names of accounts, sessions, connections, ceremonies, passkeys, agents, wallets and transfers, and the
/// thumbprint of a key.
pub mod ids;
/// Texts taken apart at ASCII bytes.
pub mod parts;
/// Proof of possession on a live connection: messages, transcript and the two machines.
pub mod pop;

/// Times as a sentence tells them.
#[cfg(feature = "wire")]
pub mod calendar;
/// Characters that hide something, or pass for something else.
#[cfg(feature = "wire")]
pub mod characters;
/// Cookies that a key in the device's hardware keeps up.
#[cfg(feature = "wire")]
pub mod device;
/// Proofs of possession on single requests: RFC 9449.
#[cfg(feature = "wire")]
pub mod dpop;
/// What the server says when it refuses: RFC 9457, with a closed union of codes.
#[cfg(feature = "wire")]
pub mod problem;
/// JSON Schemas of the wire.
#[cfg(feature = "schema")]
pub mod schema;
/// Signed tokens, and the WebAuthn challenges made of them.
#[cfg(feature = "wire")]
pub mod tokens;

/// Setting up, signing in and out, and who is signed in.
#[cfg(feature = "wire")]
pub mod account;
/// Agents: pairing, what one may spend, and what it has spent.
#[cfg(feature = "wire")]
pub mod agents;
/// Secrets that are signed for without being written down.
#[cfg(feature = "wire")]
pub mod commitment;
/// Live connections and the tickets that open them.
#[cfg(feature = "wire")]
pub mod connections;
/// Named secrets that agents read.
#[cfg(feature = "wire")]
pub mod credentials;
/// Activity events.
#[cfg(feature = "wire")]
pub mod history;
/// Passkeys: ceremonies and the list.
#[cfg(feature = "wire")]
pub mod passkeys;
/// Recovery codes.
#[cfg(feature = "wire")]
pub mod recovery;
/// Step-up: actions that are signed for, and what is kept of it.
#[cfg(feature = "wire")]
pub mod step_up;
/// A terminal on the server's machine.
#[cfg(feature = "wire")]
pub mod terminal;
/// Money: amounts, wallets, and sending.
#[cfg(feature = "wire")]
pub mod wallet;
