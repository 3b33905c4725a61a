use super::state::{Action, Agents, Deed, Deletes, Done, Phase};
use crate::{
    agents::limits::{Limits, Way},
    api::{Access, Api, Call},
    clock,
    problem::Failure,
    step_up::{Confirm, Stopped},
    store::{Store, Tell, use_effect_of, use_kept, use_store},
};
use holdfast_protocol::{
    agents::{AgentList, AgentView, Approval, CapRequest, Revocation, Teardown},
    credentials::{CredentialList, CredentialView},
    ids::AgentId,
    wallet::Usd,
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

/// What opens the prompt, and gets the focus back; of each there is one at a time.
pub(super) const SET: &str = "set-limits";
pub(super) const REVOKE: &str = "revoke-agent";
pub(super) const TEAR_DOWN: &str = "tear-down-agent";

/// What the view needs.
#[derive(Clone, PartialEq)]
pub(in crate::agents) struct Handles {
    pub(super) agents: Store<Agents>,
    pub(super) fetch: Callback<()>,
    pub(super) set_limits: Callback<()>,
    pub(super) revoke: Callback<AgentId>,
    pub(super) open_teardown: Callback<AgentId>,
    pub(super) tear_down: Callback<()>,
}

impl Handles {
    /// The agents as the server told them last; none before that.
    pub(in crate::agents) fn views(&self) -> Vec<AgentView> {
        match &*self.agents {
            Agents::Loaded(loaded) => loaded.list.agents.clone(),
            Agents::Loading | Agents::Failed(_) => Vec::new(),
        }
    }
}

/// Fetches the list, and again whenever `news` changes.
#[hook]
pub(in crate::agents) fn use_agents<N: PartialEq + 'static>(
    api: &Api,
    confirm: &Confirm,
    news: N,
) -> Handles {
    let agents = use_store(|| Agents::Loading);
    let fetch = {
        let tell = agents.teller();
        use_kept(api.clone(), move |api: &Api| fetcher(api, &tell))
    };
    {
        let fetch = fetch.clone();
        use_effect_of(news, move |_| fetch.emit(()));
    }
    let work =
        Works { api: api.clone(), confirm: confirm.clone(), agents: agents.clone(), fetch: fetch.clone() };
    let set_limits = {
        let work = work.clone();
        Callback::from(move |()| work.set_limits())
    };
    let revoke = {
        let work = work.clone();
        Callback::from(move |agent| work.revoke(agent))
    };
    let open_teardown = {
        let work = work.clone();
        Callback::from(move |agent| work.open_teardown(agent))
    };
    let tear_down = Callback::from(move |()| work.tear_down());
    Handles { agents, fetch, set_limits, revoke, open_teardown, tear_down }
}

/// One request at a time: however fast an agent pays, what was asked for meanwhile is asked for once more.
fn fetcher(api: &Api, tell: &Tell<Agents>) -> Callback<()> {
    let (running, again) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let (api, tell) = (api.clone(), tell.clone());
    Callback::from(move |()| {
        if running.replace(true) {
            again.set(true);
            return;
        }
        let (api, tell, running, again) = (api.clone(), tell.clone(), running.clone(), again.clone());
        spawn_local(async move {
            loop {
                again.set(false);
                let list = api.call::<AgentList>(Call::get("/v1/agents", Access::SignedIn)).await;
                tell.dispatch(list.map_or_else(Action::CouldNotFetch, Action::Fetched));
                if !again.get() {
                    break;
                }
            }
            running.set(false);
        });
    })
}

#[derive(Clone)]
struct Works {
    api: Api,
    confirm: Confirm,
    agents: Store<Agents>,
    fetch: Callback<()>,
}

impl Works {
    /// Tells how it ended, and looks what the agents are now.
    fn end(&self, ended: Result<Done, Stopped>) {
        self.agents.teller().dispatch(match ended {
            Ok(done) => Action::Did(done),
            Err(Stopped::Left) => Action::NotConfirmed,
            Err(Stopped::Failed(failure)) => Action::CouldNotDo(failure),
        });
        self.fetch.emit(());
    }

    fn set_limits(&self) {
        let Agents::Loaded(loaded) = &*self.agents.latest() else { return };
        if loaded.is_busy() {
            return;
        }
        let now_ms = clock::now_ms();
        self.agents.teller().dispatch(Action::LimitsSubmitted { now_ms });
        let Some((agent, way)) = loaded.way(now_ms) else { return };
        let (works, agent) = (self.clone(), agent.clone());
        spawn_local(async move {
            let ended = match way {
                Way::Cut(budget) => works.cut(agent, budget).await.map_err(Stopped::Failed),
                Way::Sign(limits) => works.sign(agent, limits).await,
            };
            works.end(ended);
        });
    }

    async fn cut(&self, agent: AgentView, budget: Usd) -> Result<Done, Failure> {
        let request = CapRequest { agent: agent.id.clone(), budget };
        self.api.call::<()>(Call::post("/v1/agents/cap", Access::SignedIn, &request)).await?;
        Ok(Done::Cut(agent, budget))
    }

    async fn sign(&self, agent: AgentView, limits: Limits) -> Result<Done, Stopped> {
        let Limits { budget, expires_at_ms, scope } = limits;
        let (id, name) = (agent.id.clone(), agent.name.clone());
        let approval = Approval { agent: id, name, code: None, scope, budget, expires_at_ms };
        let agent = self.confirm.perform::<Approval, AgentView>(approval, None, SET).await?;
        Ok(Done::Limited(agent))
    }

    fn revoke(&self, agent: AgentId) {
        let Agents::Loaded(loaded) = &*self.agents.latest() else { return };
        let (Some(agent), false) = (loaded.agent(&agent), loaded.is_busy()) else { return };
        self.agents.teller().dispatch(Action::RevokeAsked(agent.id.clone()));
        let (works, agent) = (self.clone(), agent.clone());
        let revocation = Revocation { agent: agent.id.clone(), name: agent.name.clone() };
        spawn_local(async move {
            let ended = works.confirm.perform::<Revocation, ()>(revocation, None, REVOKE).await;
            works.end(ended.map(|()| Done::Revoked(agent)));
        });
    }

    /// Asks what it would delete.
    fn open_teardown(&self, agent: AgentId) {
        let tell = self.agents.teller();
        tell.dispatch(Action::TearDownOpened(agent.clone()));
        let api = self.api.clone();
        spawn_local(async move {
            let list = api.call::<CredentialList>(Call::get("/v1/credentials", Access::SignedIn)).await;
            // Its channel is its id.
            let own = |list: CredentialList| {
                let of_agent = |it: &CredentialView| it.channel.as_str() == agent.as_str();
                Deletes::These(
                    list.credentials.into_iter().filter(of_agent).map(|it| it.name.into()).collect(),
                )
            };
            let deletes = list.map_or_else(Deletes::Failed, own);
            tell.dispatch(Action::Listed(agent, deletes));
        });
    }

    fn tear_down(&self) {
        let Agents::Loaded(loaded) = &*self.agents.latest() else { return };
        let Some(work) = &loaded.work else { return };
        let Some(agent) = loaded.agent(&work.agent).filter(|_| work.phase != Phase::Busy) else { return };
        if !matches!(work.deed, Deed::TearDown(_)) {
            return;
        }
        self.agents.teller().dispatch(Action::TearDownAsked);
        let (works, agent) = (self.clone(), agent.clone());
        let teardown = Teardown { agent: agent.id.clone(), name: agent.name.clone() };
        spawn_local(async move {
            let ended = works.confirm.perform::<Teardown, ()>(teardown, None, TEAR_DOWN).await;
            works.end(ended.map(|()| Done::TornDown(agent)));
        });
    }
}
