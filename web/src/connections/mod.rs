//! Live connections: who is connected, how it proves itself, and the end button.

mod effects;
mod pulse;
mod state;
mod text;
mod view;

pub use view::{ConnectionsPanel, ConnectionsPanelProps};
