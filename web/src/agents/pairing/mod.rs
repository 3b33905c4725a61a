//! Pairing: the code that an agent shows, who asks for what, and what its owner allows.

mod effects;
mod state;
mod view;

pub(super) use effects::by_link;
pub(super) use view::{PairingPanel, PairingPanelProps};
