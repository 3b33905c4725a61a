use crate::problem::Failure;
use holdfast_protocol::ids::CeremonyId;
use std::rc::Rc;
use yew::prelude::Reducible;

/// A further passkey.
///
/// ```text
/// Resting ──▶ Confirming ──▶ Ready ──▶ Prompting ──▶ Checking ──▶ Added
///    ▲            │  ▲        ▲ │          │             │
///    └────────────┘  │        └─┼──────────┘             ▼
///      left          └──────────┴───── Ended ◀──────── Unsent ──▶ Checking
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Adding {
    /// Nobody asked, or it was left.
    Resting,
    /// With a passkey that is there.
    Confirming,
    /// Its options are here; how the last try failed, where there was one.
    Ready(Option<Failure>),
    /// The device is asked, with the options of this ceremony.
    Prompting(CeremonyId),
    /// The server looks at the answer.
    Checking,
    /// The answer did not reach the server, or not its end: the same may be sent again.
    Unsent(Failure),
    /// It goes on with another confirmation only.
    Ended(Why),
    /// It is in the list.
    Added,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Why {
    Refused(Failure),
    /// The options are too old.
    Expired,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Began,
    Left,
    Prepared,
    PromptOpened(CeremonyId),
    PromptFailed(Failure),
    Answered,
    /// The server was not reached, or could not finish.
    CouldNotSend(Failure),
    Stopped(Why),
    Added,
}

impl Reducible for Adding {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(match action {
            Action::Began => Adding::Confirming,
            // What the device has made is with the server: that is not taken back here.
            Action::Left if matches!(*self, Adding::Checking) => Adding::Checking,
            Action::Left => Adding::Resting,
            Action::Prepared => Adding::Ready(None),
            Action::PromptOpened(ceremony) => Adding::Prompting(ceremony),
            Action::PromptFailed(failure) => Adding::Ready(Some(failure)),
            Action::Answered => Adding::Checking,
            Action::CouldNotSend(failure) => Adding::Unsent(failure),
            Action::Stopped(why) => Adding::Ended(why),
            Action::Added => Adding::Added,
        })
    }
}

impl Adding {
    /// A click on the way in begins nothing a second time.
    pub(super) fn may_begin(&self) -> bool {
        matches!(self, Adding::Resting | Adding::Ended(_) | Adding::Added)
    }

    /// Whether the device's answer to these options is still wanted.
    pub(super) fn awaits(&self, ceremony: &CeremonyId) -> bool {
        matches!(self, Adding::Prompting(asked) if asked == ceremony)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::{CeremonyFailure, Kind};

    fn after(actions: impl IntoIterator<Item = Action>) -> Adding {
        (*actions.into_iter().fold(Rc::new(Adding::Resting), |adding, action| adding.reduce(action))).clone()
    }

    fn opened(ceremony: u8) -> Action {
        Action::PromptOpened(CeremonyId::make([ceremony; 16]))
    }

    #[test]
    fn a_closed_prompt_can_be_opened_again_without_another_confirmation() {
        let failure = Failure::Ceremony(CeremonyFailure::Cancelled(Kind::Registration));
        let closed = [Action::Began, Action::Prepared, opened(1), Action::PromptFailed(failure.clone())];
        let state = after(closed);
        assert_eq!(state, Adding::Ready(Some(failure)));
        assert!(!state.may_begin());
    }

    #[test]
    fn an_answer_that_crosses_the_leaving_is_not_wanted() {
        let ceremony = CeremonyId::make([1; 16]);
        assert!(after([Action::Began, Action::Prepared, opened(1)]).awaits(&ceremony));
        assert!(!after([opened(1), Action::Left]).awaits(&ceremony));
        let anew = [opened(1), Action::Left, Action::Began, Action::Prepared, opened(2)];
        assert!(!after(anew).awaits(&ceremony));
    }

    #[test]
    fn what_was_sent_is_not_taken_back_by_leaving() {
        assert_eq!(after([Action::Answered, Action::Left]), Adding::Checking);
        assert_eq!(after([Action::CouldNotSend(Failure::Offline), Action::Left]), Adding::Resting);
    }

    #[test]
    fn whatever_ended_begins_anew() {
        for action in [Action::Left, Action::Added, Action::Stopped(Why::Expired)] {
            assert!(after([Action::Began, action]).may_begin());
        }
        assert!(!after([Action::Began]).may_begin());
    }
}
