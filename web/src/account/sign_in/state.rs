use crate::problem::Failure;
use std::rc::Rc;
use yew::prelude::Reducible;

/// Signing in.
///
/// ```text
/// Preparing ──▶ Ready ──▶ Prompting ──▶ Verifying ──▶ (signed in)
///     ▲           ▲            │             │
///     │           └────────────┘             │ with what went wrong
///     └──────────────────────────────────────┘
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SignIn {
    pub(super) phase: Phase,
    pub(super) failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Options are on their way; a click waits for them.
    Preparing,
    /// The prompt opens in the click; passkeys are offered in the field.
    Ready,
    /// The prompt is open.
    Prompting,
    /// The server looks at the answer.
    Verifying,
    /// Nothing can be fetched; a click tries again.
    Stuck,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// The person asked, and the options are not there or too old.
    Asked,
    Prepared,
    CouldNotPrepare(Failure),
    PromptOpened,
    Answered,
    /// The prompt ended without an answer; its options are still good.
    PromptFailed(Failure),
    /// The server refused the answer; new options are on their way.
    Refused(Failure),
}

impl Reducible for SignIn {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let failure = self.failure.clone();
        Rc::new(match action {
            Action::Asked => Self { phase: Phase::Preparing, failure: None },
            Action::Prepared => match self.phase {
                // The words of a refusal stay in sight; those of a server that is back do not.
                Phase::Preparing => Self { phase: Phase::Ready, failure },
                Phase::Stuck => Self { phase: Phase::Ready, failure: None },
                phase => Self { phase, failure },
            },
            Action::CouldNotPrepare(why) => Self { phase: Phase::Stuck, failure: Some(why) },
            Action::PromptOpened => Self { phase: Phase::Prompting, failure: None },
            Action::Answered => Self { phase: Phase::Verifying, failure: None },
            Action::PromptFailed(why) => Self { phase: Phase::Ready, failure: Some(why) },
            Action::Refused(why) => Self { phase: Phase::Preparing, failure: Some(why) },
        })
    }
}

impl SignIn {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Preparing, failure: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::{CeremonyFailure, Kind};

    fn after(actions: impl IntoIterator<Item = Action>) -> SignIn {
        let start = Rc::new(SignIn::new());
        (*actions.into_iter().fold(start, |state, action| state.reduce(action))).clone()
    }

    fn cancelled() -> Failure {
        Failure::Ceremony(CeremonyFailure::Cancelled(Kind::SignIn))
    }

    #[test]
    fn a_closed_prompt_can_be_opened_again_in_the_next_click() {
        let state = after([Action::Prepared, Action::PromptOpened, Action::PromptFailed(cancelled())]);
        assert_eq!(state, SignIn { phase: Phase::Ready, failure: Some(cancelled()) });
    }

    #[test]
    fn a_refusal_stays_in_sight_while_new_options_are_fetched() {
        let state =
            after([Action::Prepared, Action::PromptOpened, Action::Answered, Action::Refused(cancelled())]);
        assert_eq!(state.phase, Phase::Preparing);
        let state = (*Rc::new(state).reduce(Action::Prepared)).clone();
        assert_eq!(state, SignIn { phase: Phase::Ready, failure: Some(cancelled()) });
    }

    #[test]
    fn a_server_that_is_back_takes_its_words_with_it() {
        let state = after([Action::CouldNotPrepare(Failure::ServerAway), Action::Prepared]);
        assert_eq!(state, SignIn { phase: Phase::Ready, failure: None });
    }

    #[test]
    fn options_that_arrive_late_do_not_disturb_an_open_prompt() {
        let state = after([Action::Prepared, Action::PromptOpened, Action::Prepared]);
        assert_eq!(state.phase, Phase::Prompting);
    }
}
