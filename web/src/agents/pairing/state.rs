use crate::{
    agents::{
        limits::{Change, Form},
        text,
    },
    problem::Failure,
};
use holdfast_protocol::{
    agents::{AgentState, AgentView, PairingView},
    ids::PairingCode,
    problem::Code,
};
use std::rc::Rc;
use yew::prelude::Reducible;

/// How far a pairing is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pairing {
    /// The code is typed.
    Asked(Asked),
    /// Somebody asks with it.
    Found(Found),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) typed: String,
    pub(super) origin: Origin,
    pub(super) phase: Phase,
    /// How often it was submitted: each time the focus goes to what is wrong.
    pub(super) tries: u32,
    /// The one that was paired last, until its work is over.
    pub(super) paired: Option<Paired>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Paired {
    pub(super) agent: AgentView,
    /// As the list says; `None`: it is not in the list yet.
    pub(super) stands: Option<AgentState>,
}

/// Where the code in the field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Typed,
    /// From the address of this page.
    Link,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) asks: PairingView,
    pub(super) form: Form,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// It is the person's turn.
    Open,
    /// What was typed is no code.
    Faulty(&'static str),
    /// The server is asked, or the person in the prompt.
    Busy,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Typed(String),
    /// Looked for as typed, if that is a code.
    Submitted,
    Found(PairingView),
    CouldNotFind(PairingCode, Failure),
    Changed(Change),
    /// To be approved as filled in, if those are limits.
    Approved {
        now_ms: u64,
    },
    /// The prompt was closed.
    NotConfirmed,
    CouldNotPair(Failure),
    Paired(AgentView),
    /// What the list says of the one that was paired last; `None`: it is not there.
    Stands(Option<AgentState>),
    /// This one is not to be paired.
    Left,
}

impl Pairing {
    /// With the code of a link, where there is one.
    pub(super) fn new(code: Option<PairingCode>) -> Self {
        let origin = if code.is_some() { Origin::Link } else { Origin::Typed };
        let typed = code.map(|code| code.as_str().to_owned()).unwrap_or_default();
        Pairing::Asked(Asked { origin, ..Asked::typed(typed) })
    }

    /// The one that was paired last, as long as that is told.
    pub(super) fn paired(&self) -> Option<&AgentView> {
        match self {
            Pairing::Asked(asked) => asked.paired.as_ref().map(|paired| &paired.agent),
            Pairing::Found(_) => None,
        }
    }
}

impl Asked {
    fn typed(typed: String) -> Self {
        Self { typed, origin: Origin::Typed, phase: Phase::Open, tries: 0, paired: None }
    }

    /// The code, if it is one.
    pub(super) fn code(&self) -> Result<PairingCode, &'static str> {
        let nothing = self.typed.trim().is_empty();
        PairingCode::typed(&self.typed)
            .map_err(|_| if nothing { text::CODE_MISSING } else { text::CODE_UNCLEAR })
    }
}

impl Reducible for Pairing {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(match (*self).clone() {
            Pairing::Asked(asked) => asked.reduce(action),
            Pairing::Found(found) => found.reduce(action),
        })
    }
}

impl Asked {
    fn reduce(mut self, action: Action) -> Pairing {
        match action {
            Action::Typed(typed) => {
                let Self { tries, paired, .. } = self;
                self = Self { tries, paired, ..Self::typed(typed) };
            }
            Action::Submitted => {
                self.tries = self.tries.saturating_add(1);
                self.paired = None;
                self.phase = self.code().map_or_else(Phase::Faulty, |_| Phase::Busy);
            }
            Action::Found(asks) if self.awaits(&asks.code) => {
                let form = Form::wished(asks.budget);
                return Pairing::Found(Found { asks, form, phase: Phase::Open });
            }
            Action::CouldNotFind(code, failure) if self.awaits(&code) => self.phase = Phase::Failed(failure),
            Action::Stands(stands) => self.paired = self.paired.and_then(|paired| paired.stand(stands)),
            _ => {}
        }
        Pairing::Asked(self)
    }

    /// Another code may have been typed while the server was asked.
    fn awaits(&self, code: &PairingCode) -> bool {
        self.phase == Phase::Busy && self.code().as_ref() == Ok(code)
    }
}

impl Paired {
    /// `None`: revoked, torn down, or its time is over.
    fn stand(self, stands: Option<AgentState>) -> Option<Self> {
        let goes_on = match stands {
            Some(AgentState::Waiting | AgentState::Active) => true,
            Some(AgentState::Expired | AgentState::Revoked) => false,
            // The list is fetched after the answer.
            None => self.stands.is_none(),
        };
        goes_on.then_some(Self { stands, ..self })
    }
}

impl Found {
    /// Whether its code leads nowhere any more, by the server's word or by the clock.
    pub(super) fn is_over(&self, now_ms: u64) -> bool {
        match &self.phase {
            Phase::Busy => false,
            Phase::Failed(failure) if failure.code() == Some(Code::PairingGone) => true,
            _ => self.asks.expires_at_ms <= now_ms,
        }
    }

    fn reduce(mut self, action: Action) -> Pairing {
        match action {
            // What is being confirmed stays as it is.
            Action::Changed(change) if self.phase != Phase::Busy => {
                self.form.change(change);
                self.phase = Phase::Open;
            }
            Action::Approved { now_ms } => match self.form.limits(now_ms) {
                Ok(_) => self.phase = Phase::Busy,
                Err(fault) => self.form.refuse(fault),
            },
            Action::NotConfirmed => self.phase = Phase::Open,
            Action::CouldNotPair(failure) => self.phase = Phase::Failed(failure),
            Action::Paired(agent) => {
                let paired = Some(Paired { agent, stands: None });
                return Pairing::Asked(Asked { paired, ..Asked::typed(String::new()) });
            }
            // What was confirmed may be sent already: how it ends is told here.
            Action::Left if self.phase != Phase::Busy => {
                return Pairing::Asked(Asked::typed(String::new()));
            }
            _ => {}
        }
        Pairing::Found(self)
    }
}

/// The code in the query of an address: `?code=7k4m-x2f9`.
pub(super) fn code_of(query: &str) -> Option<PairingCode> {
    let members = query.strip_prefix('?')?.split('&');
    members.filter_map(|member| member.strip_prefix("code=")).find_map(|code| PairingCode::typed(code).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agents::limits::Fault, sample};
    use holdfast_protocol::{agents::FileScope, problem::Problem};

    const NOW_MS: u64 = 1_796_000_000_000;

    fn after(actions: impl IntoIterator<Item = Action>) -> Pairing {
        let start = Rc::new(Pairing::new(None));
        (*actions.into_iter().fold(start, |state, action| state.reduce(action))).clone()
    }

    fn typed(text: &str) -> Action {
        Action::Typed(text.to_owned())
    }

    fn found() -> [Action; 3] {
        [typed("7K4M X2F9"), Action::Submitted, Action::Found(sample::pairing())]
    }

    fn phase(state: Pairing) -> Phase {
        match state {
            Pairing::Asked(asked) => asked.phase,
            Pairing::Found(found) => found.phase,
        }
    }

    #[test]
    fn a_link_fills_the_code_in_and_does_nothing_else() {
        let code = code_of("?code=7k4m-x2f9");
        let Pairing::Asked(asked) = Pairing::new(code) else { panic!("looked up by itself") };
        assert_eq!(
            (asked.typed.as_str(), asked.origin, &asked.phase),
            ("7k4m-x2f9", Origin::Link, &Phase::Open)
        );
        for query in
            ["", "?", "?code=", "?code=<b>", "?codes=7k4m-x2f9", "code=7k4m-x2f9", "?code=%37k4m-x2f9"]
        {
            assert_eq!(code_of(query), None, "{query}");
        }
        assert_eq!(code_of("?a=b&code=7K4MX2F9").map(|code| code.to_string()).as_deref(), Some("7k4m-x2f9"));
    }

    #[test]
    fn what_is_no_code_is_not_looked_up() {
        assert_eq!(phase(after([Action::Submitted])), Phase::Faulty(text::CODE_MISSING));
        assert_eq!(phase(after([typed("7k4m"), Action::Submitted])), Phase::Faulty(text::CODE_UNCLEAR));
        assert_eq!(phase(after([typed("7k4mx2f9"), Action::Submitted])), Phase::Busy);
    }

    #[test]
    fn an_answer_to_an_earlier_code_is_not_taken_for_the_one_in_the_field() {
        let [type_it, submit, answer] = found();
        let refused = Action::CouldNotFind(sample::pairing().code, Failure::ServerAway);
        for late in [answer, refused] {
            let before = [type_it.clone(), submit.clone(), typed("0000-0000")];
            assert_eq!(phase(after(before.clone().into_iter().chain([late.clone()]))), Phase::Open);
            assert_eq!(phase(after(before.into_iter().chain([submit.clone(), late]))), Phase::Busy);
        }
    }

    #[test]
    fn the_owner_begins_with_the_wish_for_money_and_the_least_of_the_rest() {
        let Pairing::Found(found) = after(found()) else { panic!("not found") };
        assert_eq!(found.asks.scope, FileScope::Full);
        assert_eq!((found.form.budget.as_str(), found.form.scope), ("50.00", FileScope::Workspace));
    }

    #[test]
    fn what_is_being_confirmed_cannot_be_changed_under_the_prompt() {
        let other = Action::Changed(Change::Scope(FileScope::Full));
        let busy = found().into_iter().chain([Action::Approved { now_ms: NOW_MS }]);
        let Pairing::Found(found) = after(busy.chain([other])) else { panic!("left") };
        assert_eq!((found.form.scope, found.phase), (FileScope::Workspace, Phase::Busy));
    }

    #[test]
    fn what_is_no_budget_is_not_sent_and_a_closed_prompt_leaves_the_form_as_it_was() {
        let much = Action::Changed(Change::Budget("much".to_owned()));
        let Pairing::Found(state) =
            after(found().into_iter().chain([much, Action::Approved { now_ms: NOW_MS }]))
        else {
            panic!("left")
        };
        assert_eq!((state.form.fault, state.phase), (Some(Fault::Budget), Phase::Open));
        let closed = [Action::Approved { now_ms: NOW_MS }, Action::NotConfirmed];
        let Pairing::Found(state) = after(found().into_iter().chain(closed)) else { panic!("left") };
        assert_eq!((state.form.budget.as_str(), state.phase), ("50.00", Phase::Open));
    }

    #[test]
    fn a_code_is_over_by_the_clock_or_by_the_servers_word_and_not_while_it_is_confirmed() {
        let over = |actions: &[Action], now_ms| match after(found().into_iter().chain(actions.to_vec())) {
            Pairing::Found(found) => found.is_over(now_ms),
            Pairing::Asked(_) => panic!("left"),
        };
        let (ends_ms, approved) = (sample::pairing().expires_at_ms, Action::Approved { now_ms: NOW_MS });
        assert!(!over(&[], ends_ms - 1) && over(&[], ends_ms));
        assert!(!over(std::slice::from_ref(&approved), ends_ms));
        let gone = Failure::Refused(Box::new(Problem::of(Code::PairingGone)));
        assert!(over(&[approved.clone(), Action::CouldNotPair(gone)], NOW_MS));
        assert!(!over(&[approved, Action::CouldNotPair(Failure::ServerAway)], NOW_MS));
    }

    #[test]
    fn once_paired_the_next_code_can_be_typed() {
        let paired = Action::Paired(sample::agent(1));
        let Pairing::Asked(asked) = after(found().into_iter().chain([paired])) else { panic!("still there") };
        assert_eq!(
            (asked.typed.as_str(), asked.paired),
            ("", Some(Paired { agent: sample::agent(1), stands: None }))
        );
        assert!(matches!(after(found().into_iter().chain([Action::Left])), Pairing::Asked(_)));
    }

    #[test]
    fn what_is_being_approved_is_not_left_and_its_pairing_is_told() {
        let left = || found().into_iter().chain([Action::Approved { now_ms: NOW_MS }, Action::Left]);
        assert!(matches!(after(left()), Pairing::Found(Found { phase: Phase::Busy, .. })));
        let Pairing::Asked(asked) = after(left().chain([Action::Paired(sample::agent(1))])) else {
            panic!("still there")
        };
        assert_eq!(asked.paired.map(|paired| paired.agent), Some(sample::agent(1)));
    }

    #[test]
    fn a_pairing_is_told_until_the_work_of_its_agent_is_over() {
        use AgentState::{Active, Expired, Revoked, Waiting};
        let told = |list: &[Option<AgentState>]| {
            let stands = list.iter().copied().map(Action::Stands);
            match after(found().into_iter().chain([Action::Paired(sample::agent(1))]).chain(stands)) {
                Pairing::Asked(asked) => asked.paired.map(|paired| paired.stands),
                Pairing::Found(_) => panic!("still there"),
            }
        };
        assert_eq!(told(&[None]), Some(None), "it is not in the list yet");
        assert_eq!(told(&[None, Some(Waiting), Some(Active)]), Some(Some(Active)));
        for over in [Some(Revoked), Some(Expired), None] {
            assert_eq!(told(&[Some(Active), over]), None, "{over:?}");
        }
        assert_eq!(told(&[Some(Active), Some(Revoked), Some(Active)]), None);
    }
}
