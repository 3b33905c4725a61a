//! The agents that there are: what each has spent, its limits, and its end.

mod effects;
mod row;
mod state;
mod view;

pub(super) use view::{ListPanel, ListPanelProps};
