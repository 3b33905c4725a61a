//! The agents that there are: what each has spent, its limits, and its end.

mod effects;
mod row;
mod state;
mod view;

pub(super) use effects::use_agents;
pub(super) use state::state_now;
pub(super) use view::{ListPanel, ListPanelProps};
