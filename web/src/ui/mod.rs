//! The parts that every page is made of: they know nothing of accounts or passkeys.
//!
//! Most are plain functions: a component costs the page a few kilobytes, and only what keeps a state
//! or an effect of its own needs to be one.

mod alert;
mod choice;
mod countdown;
mod element;
mod field;
mod focus;
mod frame;
mod icon;
mod modal;
mod now;
mod steps;
mod time;

pub use alert::{Again, alert, hidden, notice, status, tag, waiting};
pub use choice::Choice;
pub use countdown::Countdown;
pub use element::{
    Content, Element, Group, Hears, button, classed, component_of, div, element, form, group, p, span, submit,
};
pub use field::{Field, Spelled};
pub use focus::Focus;
pub use frame::{Heading, Panel, Width, centre, mark, shell, shell_with};
pub use icon::{Icon, picture};
pub use modal::Modal;
pub use now::use_now;
pub use steps::{Step, steps};
pub use time::moment;
