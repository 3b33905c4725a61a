//! Recovery codes: the one time they are shown, and how many are left.

mod effects;
mod left;
mod renewal;
mod state;
mod text;
mod view;

pub use left::codes_left;
pub use renewal::{RenewCodes, RenewCodesProps};
pub use view::{CodesStep, CodesStepProps};
