use super::state::{Action, Pairing, Phase, code_of};
use crate::{
    agents::list::state_now,
    api::{Access, Api, Call},
    browser, clock,
    step_up::{Confirm, Stopped},
    store::{Store, use_effect_of, use_store},
};
use holdfast_protocol::agents::{AgentView, Approval, PairingView};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

/// What approves, and gets the focus back.
pub(super) const PAIR: &str = "pair-agent";

/// What the view needs.
pub(super) struct Handles {
    pub(super) pairing: Store<Pairing>,
    pub(super) look: Callback<()>,
    pub(super) approve: Callback<()>,
    pub(super) leave: Callback<()>,
}

/// Whether the address of the page has a code.
pub(in crate::agents) fn by_link() -> bool {
    code_of(&browser::query()).is_some()
}

#[hook]
pub(super) fn use_pairing(api: &Api, confirm: &Confirm, agents: &[AgentView], now_ms: u64) -> Handles {
    let pairing = use_store(|| Pairing::new(code_of(&browser::query())));
    {
        let (tell, paired) = (pairing.teller(), pairing.paired().map(|agent| agent.id.clone()));
        let listed = agents.iter().find(|agent| paired.as_ref() == Some(&agent.id));
        let stands = listed.map(|agent| state_now(agent, now_ms));
        use_effect_of((paired, stands), move |(paired, stands)| {
            if paired.is_some() {
                tell.dispatch(Action::Stands(*stands));
            }
        });
    }
    let look = {
        let (api, pairing) = (api.clone(), pairing.clone());
        Callback::from(move |()| {
            let (latest, tell) = (pairing.latest(), pairing.teller());
            let Pairing::Asked(asked) = &*latest else { return };
            if asked.phase == Phase::Busy {
                return;
            }
            tell.dispatch(Action::Submitted);
            let Ok(code) = asked.code() else { return };
            let api = api.clone();
            spawn_local(async move {
                let path = ["/v1/agents/pairings/", code.as_str()].concat();
                let asks = api.call::<PairingView>(Call::get(&path, Access::SignedIn)).await;
                tell.dispatch(match asks {
                    Ok(asks) => Action::Found(asks),
                    Err(failure) => Action::CouldNotFind(code, failure),
                });
            });
        })
    };
    let approve = {
        let (confirm, pairing) = (confirm.clone(), pairing.clone());
        Callback::from(move |()| {
            let (latest, tell) = (pairing.latest(), pairing.teller());
            let Pairing::Found(found) = &*latest else { return };
            if found.phase == Phase::Busy {
                return;
            }
            let now_ms = clock::now_ms();
            tell.dispatch(Action::Approved { now_ms });
            let Ok(limits) = found.form.limits(now_ms) else { return };
            let approval = Approval {
                agent: found.asks.agent.clone(),
                name: found.asks.name.clone(),
                code: Some(found.asks.code.clone()),
                scope: limits.scope,
                budget: limits.budget,
                expires_at_ms: limits.expires_at_ms,
            };
            let confirm = confirm.clone();
            spawn_local(async move {
                match confirm.perform::<Approval, AgentView>(approval, None, PAIR).await {
                    Ok(agent) => {
                        // The code was for once.
                        browser::drop_query();
                        tell.dispatch(Action::Paired(agent));
                    }
                    Err(Stopped::Left) => tell.dispatch(Action::NotConfirmed),
                    Err(Stopped::Failed(failure)) => tell.dispatch(Action::CouldNotPair(failure)),
                }
            });
        })
    };
    let leave = {
        let pairing = pairing.clone();
        Callback::from(move |()| {
            if matches!(&*pairing.latest(), Pairing::Found(found) if found.phase == Phase::Busy) {
                return;
            }
            browser::drop_query();
            pairing.teller().dispatch(Action::Left);
        })
    };
    Handles { pairing, look, approve, leave }
}
