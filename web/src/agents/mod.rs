//! Agents: programs that work for the account, within limits that its owner signs. They are paired here by the
//! code that they show, seen to spend, and held shorter.

mod fields;
mod limits;
mod list;
mod pairing;
mod text;

use crate::{
    api::Api,
    live::Live,
    step_up::Confirm,
    store::use_value,
    ui::{Content as _, component_of, group, p},
};
use list::{ListPanel, ListPanelProps, use_agents};
use pairing::{PairingPanel, PairingPanelProps};
use yew::prelude::{Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct AgentsPanelsProps {
    pub api: Api,
    pub confirm: Confirm,
    pub live: Live,
}

/// What is below the heading of the surface.
#[component]
pub fn AgentsPanels(props: &AgentsPanelsProps) -> Html {
    let AgentsPanelsProps { api, confirm, live } = props;
    let (api, confirm) = (api.clone(), confirm.clone());
    let by_link = use_value(pairing::by_link);
    let handles = use_agents(&api, &confirm, live.agent_news());
    let pairing = PairingPanelProps { api, confirm, agents: handles.views() };
    let list = ListPanelProps { handles, live: live.clone() };
    let pairing = component_of::<PairingPanel>(pairing, None);
    let list = component_of::<ListPanel>(list, None);
    // Whoever comes by an agent's link came to pair it.
    let (first, second) = if *by_link { (pairing, list) } else { (list, pairing) };
    group().with(p("muted").with(text::INTRO)).with(first).with(second).into_html()
}
