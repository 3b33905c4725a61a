//! The log of confirmations: what was asked for, and what became of it.

mod effects;
mod state;
mod text;
mod view;

pub use view::{Confirmations, ConfirmationsProps};
