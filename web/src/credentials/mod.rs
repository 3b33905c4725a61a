//! Named secrets for agents: stored and deleted with a confirmation each, listed by name, never shown again.

mod effects;
mod state;
mod text;
mod view;

pub use view::{CredentialsPanels, CredentialsPanelsProps};
