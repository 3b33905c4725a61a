//! A new list in place of the one in force, confirmed with a passkey.

mod state;
mod text;
mod view;

pub use view::{RenewCodes, RenewCodesProps};
