//! The whole path, end to end: real browsers with virtual authenticators against the real server.
//! One module for each slice, and one for each thing that goes through all of them.

mod account;
mod agents;
mod connections;
mod credentials;
mod history;
mod passkeys;
mod recovery;
mod step_up;
mod terminal;
mod wallet;

mod chat;
mod confirming;
mod device;
mod integrators;
mod lies;
mod lifecycle;
mod package;
mod policy;
mod survival;
mod thief;

mod asking;
mod browser_layer;
mod postgres;
