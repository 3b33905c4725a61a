//! The list of passkeys: what each is, where it lives, and its name.

mod effects;
mod manage;
mod state;
mod text;
mod view;

pub use manage::{ManagePasskeys, ManagePasskeysProps};
pub use view::{PasskeysPanel, PasskeysPanelProps};
