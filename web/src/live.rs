use crate::store::{Tell, at_end, use_effect_of, use_store, use_value};
use crate::{
    api::Api,
    clock, json,
    session::{self, Notice},
};
use holdfast_pop::{End, EventStream, State, Subscription};
use holdfast_protocol::{
    connections::{ConnectionList, ConnectionView},
    history::{Activity, ActivityEvent},
    problem::Code,
    step_up::{Group, Outcome},
};
use std::rc::Rc;
use yew::prelude::{Callback, Reducible, hook, use_mut_ref};

/// The stream of this page.
pub const STREAM: &str = "/v1/streams/activity";
/// Events kept from the stream; older ones are the server's to tell.
const KEPT: usize = 200;

/// What the stream of this page says, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// How it stands.
    pub link: Link,
    /// Every live connection of the account, once the server has said.
    pub connections: Option<Rc<Vec<ConnectionView>>>,
    /// What happened since the page was opened, the newest first.
    pub heard: Rc<Vec<ActivityEvent>>,
    /// How often it was opened: what happened in between is to be fetched.
    pub openings: u32,
    /// This opening of it is counted.
    counted: bool,
}

/// How the stream of this page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// On its way.
    Connecting,
    /// Dialled; nothing flows until the key has answered.
    Proving,
    /// The last challenge was answered.
    Proven {
        /// Of the last answer.
        rtt_ms: u32,
        /// When: milliseconds since 1970.
        at_ms: u64,
    },
    /// An answer was late or wrong: nothing flows.
    Held,
    /// Lost.
    Waiting {
        /// When it is tried again: milliseconds since 1970.
        until_ms: u64,
    },
    /// It does not come back by itself.
    Ended(End),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The stream changed.
    Stands(State, u64),
    /// The list of connections changed.
    Listed(ConnectionList),
    /// Something happened in the account.
    Heard(ActivityEvent),
}

impl Live {
    fn new() -> Self {
        Self { link: Link::Connecting, connections: None, heard: Rc::default(), openings: 0, counted: false }
    }

    /// How often the list of passkeys has changed while this page was open, or may have, unheard.
    pub fn passkey_changes(&self) -> usize {
        let concerns = |event: &&ActivityEvent| {
            matches!(
                event.what,
                Activity::PasskeyAdded { .. }
                    | Activity::PasskeyRemoved { .. }
                    | Activity::PasskeyRenamed { .. }
                    | Activity::PasskeySuspect { .. }
            )
        };
        let missed = usize::try_from(self.openings.saturating_sub(1)).unwrap_or_default();
        self.heard.iter().filter(concerns).count() + missed
    }

    /// The newest event about agents, and how often the stream was opened: whoever shows agents looks again
    /// whenever this changes.
    pub fn agent_news(&self) -> (Option<i64>, u32) {
        let concerns = |event: &&ActivityEvent| match &event.what {
            Activity::Agent { .. } => true,
            Activity::StepUp { action, outcome, .. } => {
                let group = action.group();
                matches!(group, Group::AgentApprove | Group::Agent)
                    && matches!(outcome, Outcome::Confirmed | Outcome::Unguarded)
            }
            _ => false,
        };
        (self.heard.iter().find(concerns).map(|event| event.id), self.openings)
    }
}

impl Reducible for Live {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        match action {
            Action::Stands(state, now_ms) => {
                next.link = match state {
                    State::Connecting => Link::Connecting,
                    State::Proving => Link::Proving,
                    State::Open { rtt_ms } => Link::Proven { rtt_ms, at_ms: now_ms },
                    State::Held => Link::Held,
                    State::Waiting { retry_in_ms } => {
                        Link::Waiting { until_ms: now_ms + u64::from(retry_in_ms) }
                    }
                    State::Ended(end) => Link::Ended(end),
                };
                match next.link {
                    Link::Proven { .. } if !self.counted => {
                        next.openings = self.openings.saturating_add(1);
                        next.counted = true;
                    }
                    // Also the very first answer may be late.
                    Link::Proven { .. } | Link::Held => {}
                    _ => next.counted = false,
                }
            }
            Action::Listed(list) => next.connections = Some(Rc::new(list.connections)),
            Action::Heard(event) => {
                if self.heard.iter().all(|known| known.id != event.id) {
                    let mut heard = vec![event];
                    heard.extend(self.heard.iter().take(KEPT - 1).cloned());
                    next.heard = Rc::new(heard);
                }
            }
        }
        Rc::new(next)
    }
}

/// The stream of this page, for its panels.
#[derive(Clone, PartialEq)]
pub struct LiveHandle {
    /// What it says.
    pub live: Live,
    /// Does not wait for the next try; opens it anew when it had ended.
    pub retry: Callback<()>,
}

struct Open {
    stream: EventStream,
    _heard: [Subscription; 3],
}

/// Opens the stream for as long as the page is shown.
#[hook]
pub fn use_live(api: &Api, on_session: &Callback<session::Action>) -> LiveHandle {
    let live = use_store(Live::new);
    let open = use_mut_ref(|| None::<Open>);
    let attempt = use_value(|| 0_u32);
    {
        let (tell, open, on_session) = (live.teller(), open.clone(), on_session.clone());
        use_effect_of((api.clone(), *attempt), move |(api, _)| {
            *open.borrow_mut() = start(api, &tell, &on_session);
            at_end(move || drop(open.take()))
        });
    }
    let retry = {
        let (next, attempt, ended) = (*attempt, attempt.setter(), matches!(live.link, Link::Ended(_)));
        Callback::from(move |()| {
            if ended {
                attempt.set(next.saturating_add(1));
            } else if let Some(open) = &*open.borrow() {
                open.stream.retry_now();
            }
        })
    };
    LiveHandle { live: (*live).clone(), retry }
}

fn start(api: &Api, tell: &Tell<Live>, on_session: &Callback<session::Action>) -> Option<Open> {
    let Ok(stream) = api.pop().stream(STREAM) else {
        on_session.emit(session::Action::FoundSignedOut(Code::PopProofMissing));
        return None;
    };
    let stands = {
        let (tell, on_session) = (tell.clone(), on_session.clone());
        stream.on_state(move |state| {
            tell.dispatch(Action::Stands(state, clock::now_ms()));
            match state {
                State::Ended(End::SignedOut) => {
                    on_session.emit(session::Action::SignedOut(Notice::SignedOutElsewhere));
                }
                State::Ended(End::NoKey) => {
                    on_session.emit(session::Action::FoundSignedOut(Code::PopProofMissing));
                }
                _ => {}
            }
        })
    };
    let listed = {
        let tell = tell.clone();
        stream.on_event("connections", move |data, _| {
            if let Ok(list) = json::from_str(data) {
                tell.dispatch(Action::Listed(list));
            }
        })
    };
    let heard = {
        let tell = tell.clone();
        stream.on_event("activity", move |data, _| {
            if let Ok(event) = json::from_str(data) {
                tell.dispatch(Action::Heard(event));
            }
        })
    };
    tell.dispatch(Action::Stands(stream.state(), clock::now_ms()));
    Some(Open { stream, _heard: [stands, listed, heard] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use holdfast_protocol::step_up::Kind;

    fn after(actions: impl IntoIterator<Item = Action>) -> Live {
        (*actions.into_iter().fold(Rc::new(Live::new()), |live, action| live.reduce(action))).clone()
    }

    #[test]
    fn a_heartbeat_is_no_new_opening_and_a_return_is() {
        let open = Action::Stands(State::Open { rtt_ms: 40 }, 1_000);
        let twice = after([open.clone(), open.clone()]);
        assert_eq!((twice.openings, twice.link), (1, Link::Proven { rtt_ms: 40, at_ms: 1_000 }));
        let lost = Action::Stands(State::Waiting { retry_in_ms: 500 }, 1_000);
        let back = after([open.clone(), lost.clone(), open.clone()]);
        assert_eq!(back.openings, 2);
        assert_eq!(after([open, lost]).link, Link::Waiting { until_ms: 1_500 });
    }

    #[test]
    fn a_late_answer_is_no_new_opening_and_hides_none() {
        let stands = |state| Action::Stands(state, 1_000);
        let (open, held) = (stands(State::Open { rtt_ms: 40 }), stands(State::Held));
        assert_eq!(after([open.clone(), held.clone(), open.clone()]).openings, 1);
        let back = [State::Waiting { retry_in_ms: 500 }, State::Connecting, State::Proving].map(stands);
        let returned = after([open.clone()].into_iter().chain(back).chain([held, open]));
        assert_eq!(returned.openings, 2, "what was missed is fetched");
    }

    #[test]
    fn news_of_agents_are_what_they_did_and_what_was_confirmed_about_them() {
        let step_up =
            |action, outcome| Activity::StepUp { action, outcome, sentence: String::new(), code: None };
        let heard = |id, what| Action::Heard(sample::event(id, what));
        let paid = heard(1, Activity::Agent { sentence: String::new() });
        assert_eq!(after([]).agent_news(), (None, 0));
        assert_eq!(after([paid.clone()]).agent_news().0, Some(1));
        for (what, newest) in [
            (step_up(Kind::AgentRevoke, Outcome::Confirmed), 2),
            (step_up(Kind::AgentApprove, Outcome::Unguarded), 2),
            (step_up(Kind::AgentApprove, Outcome::Asked), 1),
            (step_up(Kind::WalletSend, Outcome::Confirmed), 1),
            (Activity::SignedOut, 1),
        ] {
            assert_eq!(after([paid.clone(), heard(2, what)]).agent_news().0, Some(newest));
        }
        // However much an agent pays, the next charge is news.
        let many = (1..=300).map(|id| heard(id, Activity::Agent { sentence: String::new() }));
        assert_eq!(after(many).agent_news().0, Some(300));
    }

    #[test]
    fn an_event_that_comes_twice_is_one() {
        let event = sample::event(7, Activity::AccountCreated);
        let live = after([Action::Heard(event.clone()), Action::Heard(event)]);
        assert_eq!(live.heard.len(), 1);
    }
}
