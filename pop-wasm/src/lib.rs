#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
// The finished module cannot write it: xtask/src/shrink/panics.rs.
#![cfg_attr(not(test), deny(clippy::use_debug))]

// In reading order: what the page sees,
mod client;
mod connection;
mod error;
mod state;
mod status;
// what decides, without a browser,
mod address;
mod backoff;
mod effect;
mod machine;
mod proof;
mod quarantine;
mod signing;
mod told;
// and what touches the browser, each thing in one file.
mod browser;
mod channel;
mod http;
#[cfg(feature = "js")]
mod js;
mod key;
mod key_store;
mod lifecycle;
mod link;
mod lock;
mod share;
mod tabs;
mod task;
mod transport;
#[cfg(test)]
mod types_tests;

pub use client::{Kept, NewKey, Options, PopClient};
pub use connection::{Connection, Data, EventStream, LastWord};
pub use error::PopError;
pub use holdfast_protocol::ids::Thumbprint;
pub use lock::Lock;
pub use state::{End, State};
pub use status::{Status, Subscription};
