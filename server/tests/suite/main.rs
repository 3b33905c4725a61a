//! The server as a browser meets it: over a real socket, with a clock that the tests set. Runs over
//! SQLite, or over PostgreSQL where `HOLDFAST_TEST_DATABASE_URL` names one.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

mod agents;
mod ceremonies;
mod connections;
mod contract;
mod credentials;
mod databases;
mod device;
mod headers;
mod history;
mod listening;
mod login;
mod mail;
mod passkeys;
mod proofs;
mod rates;
mod recovery;
mod redaction;
mod replacing;
mod sessions;
mod setup;
mod step_up;
mod streams;
mod terminal;
mod trail;
mod wallet;
mod wire;
