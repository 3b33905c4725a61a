//! Holdfast's page: two documents, the Security page ([`app`]) and the [`console`]. Data flows one way: click → effect → action → reduce → state → view.
// The finished page cannot write it: xtask/src/shrink/panics.rs.
#![cfg_attr(not(test), deny(clippy::use_debug))]

// In reading order.

// A sixth of the size of the standard library's, which is made for larger programs.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Which page is shown, and what stands above all of them.
pub mod app;
/// The other document: what is done there wants a confirmation.
pub mod console;
/// The one stream of this page, and what came over it.
pub mod live;
/// The addresses of both documents.
pub mod router;
/// Who is signed in here, as far as this browser knows.
pub mod session;

/// Requests: the only file that fetches.
pub mod api;
/// Small dealings with the window: storage, focus, clipboard, files.
pub mod browser;
/// How a passkey prompt can end, without a browser.
pub mod ceremony;
/// Time as the server tells it, and dates as the person reads them.
pub mod clock;
/// JSON as the browser reads it.
pub mod json;
/// Money as the person reads it.
pub mod money;
/// Everything that can fail, and its words.
pub mod problem;
/// What components keep, and what they do beside drawing.
pub mod store;
/// Words that more than one slice needs.
pub mod text;
/// The parts that every page is made of.
pub mod ui;
/// The browser's passkey prompts: the only file that touches `navigator.credentials`.
pub mod webauthn;
/// What words are made of.
pub mod words;

/// Setting up, signing in and out, and how the account stands.
pub mod account;
/// Agents: paired, seen to spend, held shorter, ended.
pub mod agents;
/// Live connections and their pulse.
pub mod connections;
/// Secrets that agents read.
pub mod credentials;
/// What happened.
pub mod history;
/// The list of passkeys.
pub mod passkeys;
/// Recovery codes: the one time they are shown, and how many are left.
pub mod recovery;
/// The one prompt that has actions confirmed; every other slice may use it.
pub mod step_up;
/// A shell on the server's machine.
pub mod terminal;
/// Money: the wallet, and sending.
pub mod wallet;

/// An account, for tests.
#[cfg(test)]
mod sample;
