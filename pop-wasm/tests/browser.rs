//! The client in real browsers, in a window or in a worker: a variable tells the runner where, and here
//! nothing does. The network is faked where a test needs to hold it still; the key
//! and its store are the browser's own.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation fails its test")]

#[path = "browser/fakes.rs"]
mod fakes;
#[path = "browser/server.rs"]
mod server;

#[path = "browser/connections.rs"]
mod connections;
#[path = "browser/keys.rs"]
mod keys;
#[path = "browser/streams.rs"]
mod streams;
