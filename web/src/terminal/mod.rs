//! A shell on the console's own machine: confirmed each time it is opened, and proven as every stream is.

mod effects;
mod screen;
mod state;
mod text;
mod view;

pub use view::{TerminalPanel, TerminalPanelProps};
