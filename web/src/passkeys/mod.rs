//! The list of passkeys: what each is, where it lives, and its name.

mod effects;
mod state;
mod text;
mod view;

pub use view::{PasskeysPanel, PasskeysPanelProps};
