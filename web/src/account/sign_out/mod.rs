mod effects;
mod state;
mod view;

pub use view::{AtStake, SignOut, SignOutProps};
