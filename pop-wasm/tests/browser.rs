//! The client in real browsers. The network is faked where a test needs to hold it still; the key
//! and its store are the browser's own.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation fails its test")]

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);

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
