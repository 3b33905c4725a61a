use crate::problem::Failure;
use holdfast_pop::{End, State};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The terminal of this page.
///
/// ```text
///            asked           fetched             admitted
///   Closed ────────▶ Fetching ───────▶ Confirming ───────▶ Open ──▶ Over
///     ▲                 │ failed           │ left, refused          │
///     └─────────────────┴──────────────────┘          Fetching ◀────┘ asked
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terminal {
    pub(super) phase: Phase,
    /// How many were opened here: each has a screen of its own.
    pub(super) opened: u32,
    /// What came of copying.
    pub(super) copied: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Closed(Closed),
    /// What draws it is on its way.
    Fetching,
    /// The prompt is open.
    Confirming,
    Open(Line),
    /// What was shown last stays in sight.
    Over(Over),
}

/// Why none is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Closed {
    NotAsked,
    /// The person closed the prompt.
    Left,
    NotFetched,
    Refused(Failure),
}

/// How the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Not proven yet.
    Connecting,
    /// What is typed gets there.
    Proven,
    /// Frozen until this browser has proven itself again.
    Held,
}

/// Why it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The shell has, with this status; `None`: a signal has ended it.
    Shell(Option<i32>),
    /// The person has, here.
    Here,
    /// The person has, from the list of connections.
    Elsewhere,
    /// With the session.
    SignedOut,
    /// The connection was lost, and the shell with it.
    Lost,
    /// It never came about.
    Refused,
    /// More was shown or pasted than is kept.
    TooMuch,
    /// The browser did not draw it.
    NotDrawn,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Asked,
    Fetched,
    NotFetched,
    Left,
    Refused(Failure),
    /// Confirmed: the server gives one ticket.
    Admitted,
    Stands(State),
    Ended(Over),
    Copied(&'static str),
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Closed(Closed::NotAsked), opened: 0, copied: None }
    }

    /// Whether another can be asked for.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Closed(_) | Phase::Over(_))
    }
}

impl Reducible for Terminal {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        next.phase = match (&self.phase, action) {
            (_, Action::Copied(said)) => {
                next.copied = Some(said);
                return Rc::new(next);
            }
            (Phase::Closed(_) | Phase::Over(_), Action::Asked) => Phase::Fetching,
            (Phase::Fetching, Action::Fetched) => Phase::Confirming,
            (Phase::Fetching, Action::NotFetched) => Phase::Closed(Closed::NotFetched),
            (Phase::Confirming, Action::Left) => Phase::Closed(Closed::Left),
            (Phase::Confirming, Action::Refused(failure)) => Phase::Closed(Closed::Refused(failure)),
            (Phase::Confirming, Action::Admitted) => {
                next.opened = self.opened.saturating_add(1);
                Phase::Open(Line::Connecting)
            }
            (Phase::Open(line), Action::Stands(state)) => line.after(state),
            (Phase::Open(_), Action::Ended(over)) => Phase::Over(over),
            _ => return self,
        };
        next.copied = None;
        Rc::new(next)
    }
}

impl Line {
    /// A shell ends with its connection: after the first proof there is no coming back.
    fn after(self, state: State) -> Phase {
        let opening = self == Line::Connecting;
        match state {
            State::Open { .. } => Phase::Open(Line::Proven),
            State::Connecting | State::Proving | State::Waiting { .. } if opening => {
                Phase::Open(Line::Connecting)
            }
            State::Proving | State::Held => Phase::Open(Line::Held),
            State::Connecting | State::Waiting { .. } => Phase::Over(Over::Lost),
            State::Ended(End::Closed) => Phase::Over(Over::Here),
            State::Ended(End::EndedByOwner) => Phase::Over(Over::Elsewhere),
            State::Ended(End::SignedOut | End::NoKey) => Phase::Over(Over::SignedOut),
            // The shell's status comes before; where it did not, there was no shell any more.
            State::Ended(End::EndedByApplication) => Phase::Over(Over::Lost),
            State::Ended(End::Refused) => Phase::Over(Over::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Action = Action::Stands(State::Open { rtt_ms: 40 });

    fn after(actions: impl IntoIterator<Item = Action>) -> Terminal {
        let confirmed = [Action::Asked, Action::Fetched, Action::Admitted];
        let actions = confirmed.into_iter().chain(actions);
        (*actions.fold(Rc::new(Terminal::new()), |state, action| state.reduce(action))).clone()
    }

    fn phase(actions: impl IntoIterator<Item = Action>) -> Phase {
        after(actions).phase
    }

    #[test]
    fn a_line_that_is_not_proven_is_frozen_and_comes_back() {
        assert_eq!(phase([OPEN]), Phase::Open(Line::Proven));
        for unproven in [State::Held, State::Proving] {
            let unproven = Action::Stands(unproven);
            assert_eq!(phase([OPEN, unproven.clone()]), Phase::Open(Line::Held));
            assert_eq!(phase([OPEN, unproven, OPEN]), Phase::Open(Line::Proven));
        }
    }

    #[test]
    fn what_is_lost_before_the_first_proof_is_tried_again_and_after_it_the_shell_is_gone() {
        for lost in [State::Waiting { retry_in_ms: 500 }, State::Connecting] {
            let lost = Action::Stands(lost);
            assert_eq!(phase([lost.clone()]), Phase::Open(Line::Connecting));
            assert_eq!(phase([OPEN, lost]), Phase::Over(Over::Lost));
        }
    }

    #[test]
    fn the_reason_that_comes_first_is_the_one_that_is_told() {
        let shell = Action::Ended(Over::Shell(Some(0)));
        for later in [State::Waiting { retry_in_ms: 500 }, State::Ended(End::Closed)] {
            let said = phase([OPEN, shell.clone(), Action::Stands(later)]);
            assert_eq!(said, Phase::Over(Over::Shell(Some(0))));
        }
        let ends = [
            (End::Closed, Over::Here),
            (End::EndedByApplication, Over::Lost),
            (End::EndedByOwner, Over::Elsewhere),
            (End::SignedOut, Over::SignedOut),
            (End::NoKey, Over::SignedOut),
            (End::Refused, Over::Refused),
        ];
        for (end, over) in ends {
            assert_eq!(phase([OPEN, Action::Stands(State::Ended(end))]), Phase::Over(over));
        }
    }

    #[test]
    fn each_confirmation_opens_one_with_a_screen_of_its_own() {
        let one = after([OPEN]);
        assert!(!one.is_at_rest());
        assert_eq!((*Rc::new(one.clone()).reduce(Action::Asked)).clone(), one, "one at a time");
        let again = [Action::Asked, Action::Fetched, Action::Admitted];
        let two = after([OPEN, Action::Ended(Over::Here)].into_iter().chain(again));
        assert_eq!((two.opened, two.phase), (2, Phase::Open(Line::Connecting)));
    }

    #[test]
    fn whoever_leaves_the_prompt_is_where_they_were() {
        let asked = [Action::Asked, Action::Fetched, Action::Left];
        let left = asked.into_iter().fold(Rc::new(Terminal::new()), |state, action| state.reduce(action));
        assert_eq!(left.phase, Phase::Closed(Closed::Left));
        assert!(left.is_at_rest());
    }
}
