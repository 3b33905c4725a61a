//! Adding, testing and removing a passkey, each confirmed with one that is there.

mod add;
mod deed;
mod effects;
mod meaning;
mod text;
mod view;

pub use view::{ManagePasskeys, ManagePasskeysProps};
