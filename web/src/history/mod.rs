//! What happened in the account, and what to do about it.

mod effects;
mod state;
mod text;
mod view;

pub use effects::{HistoryHandle, use_history};
pub use view::{activity_panel, alarm};
