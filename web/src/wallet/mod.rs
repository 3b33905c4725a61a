//! Money: what is in the wallet, what came and went, and sending.

mod effects;
mod form;
mod state;
mod text;
mod view;

pub use view::{WalletPanels, WalletPanelsProps};
