use crate::{
    agents::limits::{Change, Form, Way},
    problem::Failure,
};
use holdfast_protocol::{
    agents::{AgentList, AgentState, AgentView, Charge},
    ids::AgentId,
    wallet::Usd,
};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Agents {
    Loading,
    Failed(Failure),
    Loaded(Box<Loaded>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    pub(super) list: AgentList,
    pub(super) age: Age,
    /// What is being done, to one of them at a time.
    pub(super) work: Option<Work>,
    /// What was done last.
    pub(super) done: Option<Done>,
}

/// Whether the newest figures are in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// They could not be fetched.
    Stale,
}

/// Something that is being done to an agent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    pub(super) agent: AgentId,
    pub(super) deed: Deed,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    Limits(Form),
    Revoke,
    TearDown(Deletes),
}

/// What a teardown deletes, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deletes {
    Asked,
    /// The credentials that only this agent could read.
    These(Vec<String>),
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// It is the person's turn.
    Open,
    /// The server is asked, or the person in the prompt.
    Busy,
    Failed(Failure),
}

/// What was done, to whom as it was before.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Done {
    Cut(AgentView, Usd),
    Limited(AgentView),
    Revoked(AgentView),
    TornDown(AgentView),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Fetched(AgentList),
    CouldNotFetch(Failure),
    LimitsOpened {
        agent: AgentId,
        now_ms: u64,
    },
    TearDownOpened(AgentId),
    Listed(AgentId, Deletes),
    Changed(Change),
    /// Other limits are to hold as filled in, if those are limits.
    LimitsSubmitted {
        now_ms: u64,
    },
    RevokeAsked(AgentId),
    TearDownAsked,
    /// The prompt was closed.
    NotConfirmed,
    CouldNotDo(Failure),
    Did(Done),
    /// What was opened is closed, and nothing done.
    Left,
}

impl Loaded {
    fn new(list: AgentList) -> Self {
        Self { list, age: Age::Fresh, work: None, done: None }
    }

    pub(super) fn agent(&self, id: &AgentId) -> Option<&AgentView> {
        self.list.agents.iter().find(|agent| agent.id == *id)
    }

    /// What is being done to this one.
    pub(super) fn work_on(&self, id: &AgentId) -> Option<&Work> {
        self.work.as_ref().filter(|work| work.agent == *id)
    }

    /// The newest first.
    pub(super) fn charges(&self, id: &AgentId) -> &[Charge] {
        self.list.charges.get(id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.phase == Phase::Busy)
    }

    /// What the limits that are filled in come to.
    pub(super) fn way(&self, now_ms: u64) -> Option<(&AgentView, Way)> {
        let work = self.work.as_ref()?;
        let Deed::Limits(form) = &work.deed else { return None };
        let agent = self.agent(&work.agent)?;
        Some((agent, form.way(agent, now_ms).ok()?))
    }

    fn begin(&mut self, agent: AgentId, deed: Deed, phase: Phase) {
        self.work = Some(Work { agent, deed, phase });
        self.done = None;
    }

    fn submit(&mut self, now_ms: u64) {
        let agents = &self.list.agents;
        let Some(Work { agent, deed: Deed::Limits(form), phase }) = &mut self.work else { return };
        let Some(agent) = agents.iter().find(|known| known.id == *agent) else { return };
        match form.way(agent, now_ms) {
            Ok(_) => *phase = Phase::Busy,
            Err(fault) => form.refuse(fault),
        }
    }
}

/// Its state at this very moment: time may have run out since the server was asked.
pub(in crate::agents) fn state_now(agent: &AgentView, now_ms: u64) -> AgentState {
    let over = agent.expires_at_ms <= now_ms && agent.state != AgentState::Revoked;
    if over { AgentState::Expired } else { agent.state }
}

impl Reducible for Agents {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut loaded = match &*self {
            Agents::Loaded(loaded) => loaded.clone(),
            Agents::Loading | Agents::Failed(_) => {
                return Rc::new(match action {
                    Action::Fetched(list) => Agents::Loaded(Box::new(Loaded::new(list))),
                    Action::CouldNotFetch(failure) => Agents::Failed(failure),
                    _ => return self,
                });
            }
        };
        match action {
            Action::Fetched(list) => {
                loaded.work.take_if(|work| list.agents.iter().all(|agent| agent.id != work.agent));
                (loaded.list, loaded.age) = (list, Age::Fresh);
            }
            // The list in sight is better than none, if it says that it may be old.
            Action::CouldNotFetch(_) => loaded.age = Age::Stale,
            // One thing at a time: what is being confirmed is not left alone for another one.
            Action::LimitsOpened { .. } | Action::TearDownOpened(_) | Action::RevokeAsked(_)
                if loaded.is_busy() => {}
            Action::LimitsOpened { agent, now_ms } => {
                if let Some(view) = loaded.agent(&agent) {
                    let form = Form::of(view, now_ms);
                    loaded.begin(agent, Deed::Limits(form), Phase::Open);
                }
            }
            Action::TearDownOpened(agent) => {
                loaded.begin(agent, Deed::TearDown(Deletes::Asked), Phase::Open);
            }
            Action::RevokeAsked(agent) => loaded.begin(agent, Deed::Revoke, Phase::Busy),
            Action::LimitsSubmitted { now_ms } => loaded.submit(now_ms),
            Action::Left => loaded.work = None,
            Action::Did(done) => (loaded.work, loaded.done) = (None, Some(done)),
            other => {
                if let Some(work) = &mut loaded.work {
                    work.reduce(other);
                }
                // Nothing is open that would stay.
                loaded.work.take_if(|work| work.deed == Deed::Revoke && work.phase == Phase::Open);
            }
        }
        Rc::new(Agents::Loaded(loaded))
    }
}

impl Work {
    fn reduce(&mut self, action: Action) {
        match (action, &mut self.deed) {
            // What is being confirmed stays as it is.
            (Action::Changed(change), Deed::Limits(form)) if self.phase != Phase::Busy => {
                form.change(change);
                self.phase = Phase::Open;
            }
            (Action::Listed(agent, found), Deed::TearDown(deletes)) if agent == self.agent => {
                *deletes = found
            }
            (Action::TearDownAsked, Deed::TearDown(_)) => self.phase = Phase::Busy,
            (Action::NotConfirmed, _) => self.phase = Phase::Open,
            (Action::CouldNotDo(failure), _) => self.phase = Phase::Failed(failure),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agents::limits::Fault, sample};

    const NOW_MS: u64 = 1_796_000_000_000;

    fn list(agents: impl IntoIterator<Item = AgentView>) -> Action {
        Action::Fetched(AgentList { agents: agents.into_iter().collect(), ..AgentList::default() })
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Loaded {
        let start = Rc::new(Agents::Loading).reduce(list([sample::agent(1), sample::agent(2)]));
        match &*actions.into_iter().fold(start, |state, action| state.reduce(action)) {
            Agents::Loaded(loaded) => (**loaded).clone(),
            other => panic!("{other:?}"),
        }
    }

    fn id(byte: u8) -> AgentId {
        sample::agent(byte).id
    }

    fn limits(byte: u8) -> Action {
        Action::LimitsOpened { agent: id(byte), now_ms: NOW_MS }
    }

    fn budget(text: &str) -> Action {
        Action::Changed(Change::Budget(text.to_owned()))
    }

    const SUBMIT: Action = Action::LimitsSubmitted { now_ms: NOW_MS };

    #[test]
    fn limits_that_are_none_or_the_same_are_not_sent() {
        let form = |state: Loaded| match state.work {
            Some(Work { deed: Deed::Limits(form), phase: Phase::Open, .. }) => form,
            other => panic!("{other:?}"),
        };
        assert_eq!(form(after([limits(1), SUBMIT])).fault, Some(Fault::Same));
        let wrong = form(after([limits(1), budget("x"), SUBMIT, SUBMIT]));
        assert_eq!((wrong.fault, wrong.tries), (Some(Fault::Budget), 2));
        let sent = after([limits(1), budget("4"), SUBMIT, budget("400")]);
        assert!(sent.is_busy());
        let four = Usd::parse("4.00").unwrap();
        assert_eq!(sent.way(NOW_MS), Some((&sample::agent(1), Way::Cut(four))));
    }

    #[test]
    fn while_one_thing_is_confirmed_no_other_is_begun() {
        let busy = after([Action::RevokeAsked(id(1)), limits(2), Action::TearDownOpened(id(2))]);
        assert_eq!(busy.work_on(&id(1)).map(|work| &work.deed), Some(&Deed::Revoke));
        let closed = after([Action::RevokeAsked(id(1)), Action::NotConfirmed]);
        assert_eq!(closed.work, None);
        let open = after([limits(1), Action::TearDownOpened(id(2))]);
        assert_eq!(open.work.map(|work| work.agent), Some(id(2)));
    }

    #[test]
    fn a_failure_stays_where_it_happened_and_what_was_typed_with_it() {
        let failed = after([limits(1), budget("4"), SUBMIT, Action::CouldNotDo(Failure::ServerAway)]);
        let work = failed.work_on(&id(1)).unwrap();
        assert_eq!(work.phase, Phase::Failed(Failure::ServerAway));
        assert!(matches!(&work.deed, Deed::Limits(form) if form.budget == "4"));
        let refused = after([Action::RevokeAsked(id(1)), Action::CouldNotDo(Failure::ServerAway)]);
        assert_eq!(refused.work_on(&id(1)).map(|work| &work.deed), Some(&Deed::Revoke));
    }

    #[test]
    fn what_a_teardown_deletes_is_told_of_that_agent_alone() {
        let these = Deletes::These(vec!["KEY".to_owned()]);
        let late = Action::Listed(id(1), these.clone());
        let deletes = |state: Loaded| state.work.map(|work| work.deed);
        let opened = [Action::TearDownOpened(id(1)), Action::TearDownOpened(id(2)), late.clone()];
        assert_eq!(deletes(after(opened)), Some(Deed::TearDown(Deletes::Asked)));
        assert_eq!(deletes(after([Action::TearDownOpened(id(1)), late])), Some(Deed::TearDown(these)));
    }

    #[test]
    fn what_is_torn_down_elsewhere_takes_its_form_with_it() {
        let gone = after([limits(1), list([sample::agent(2)])]);
        assert_eq!((gone.work.is_none(), gone.list.agents.len()), (true, 1));
        let fetched = after([limits(1), budget("4"), list([sample::agent(1)])]);
        assert!(fetched.work.is_some(), "what is typed survives news of a charge");
    }

    #[test]
    fn a_list_in_sight_survives_a_server_that_is_away_and_says_that_it_may_be_old() {
        let old = after([Action::CouldNotFetch(Failure::ServerAway)]);
        assert_eq!((old.age, old.list.agents.len()), (Age::Stale, 2));
        let fresh = after([Action::CouldNotFetch(Failure::ServerAway), list([])]);
        assert_eq!(fresh.age, Age::Fresh);
    }

    #[test]
    fn time_runs_out_without_the_server() {
        let agent = sample::agent(1);
        let at = |now_ms| state_now(&agent, now_ms);
        assert_eq!(at(agent.expires_at_ms - 1), AgentState::Active);
        assert_eq!(at(agent.expires_at_ms), AgentState::Expired);
        let revoked = AgentView { state: AgentState::Revoked, ..agent.clone() };
        assert_eq!(state_now(&revoked, agent.expires_at_ms), AgentState::Revoked);
    }
}
