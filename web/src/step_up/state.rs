use super::check::{Asked, Difference};
use crate::{problem::Failure, words::Words};
use holdfast_protocol::problem::{Code, StepUpReason};
use std::rc::Rc;
use yew::prelude::Reducible;

/// The one prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Prompt {
    Closed,
    Open(Open),
}

/// A confirmation on its way.
///
/// ```text
///             ┌──── new options ────────────────────────────┐
///             ▼                                             │
/// (asked) ▶ Asking ──▶ Ready ──▶ Prompting ──▶ Sending ──▶ (done, or refused)
///             │ ▲        ▲           │           │ ▲
///             ▼ │        └───────────┘           ▼ │
///            Stuck                            Unanswered
/// ```
///
/// `Barred` and `Alarm` are reached from wherever the server answers. An alarm is left by leaving alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    /// The `id` of what gets the focus back.
    pub(super) opener: &'static str,
    pub(super) asked: Rc<Asked>,
    pub(super) phase: Phase,
    /// What went wrong last.
    pub(super) said: Option<Words>,
    /// Only passkeys could confirm it whose providers say "verified" without verifying anybody.
    pub(super) claimed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Options are on their way; nothing is checked yet, and nothing shown.
    Asking,
    /// Checked: the prompt of the device opens in the click.
    Ready,
    /// The device asks.
    Prompting,
    /// The server carries it out.
    Sending,
    /// It is not known whether it was carried out; the same request once more may tell, if the failure may pass.
    Unanswered(Failure),
    /// No options could be fetched.
    Stuck,
    /// The account may not do this now, or has nothing to confirm it with.
    Barred(Failure),
    /// Something else would have been signed.
    Alarm(Difference),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Asked {
        opener: &'static str,
        asked: Rc<Asked>,
    },
    /// By the person, after a failure or too late.
    AskedAgain(Option<Words>),
    Checked,
    /// The server knows the passkeys that could confirm it as [`Open::claimed`].
    OnlyClaimed,
    CouldNotAsk(Words),
    WasBarred(Failure),
    Differed(Difference),
    PromptOpened,
    /// The prompt ended without an answer; its options are still good.
    PromptFailed(Words),
    Answered,
    /// The server did not believe the answer; new options are on their way.
    ConfirmationRefused(Words),
    AnswerLost(Failure),
    /// Done, refused or left.
    Ended,
}

impl Reducible for Prompt {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        if let Action::Asked { opener, asked } = action {
            return Rc::new(Prompt::Open(Open {
                opener,
                asked,
                phase: Phase::Asking,
                said: None,
                claimed: false,
            }));
        }
        let Prompt::Open(open) = &*self else { return self };
        let next = |phase, said| Rc::new(Prompt::Open(Open { phase, said, ..open.clone() }));
        match (&open.phase, action) {
            (_, Action::Ended) => Rc::new(Prompt::Closed),
            (Phase::Alarm(_), _) => self,
            (_, Action::OnlyClaimed) => Rc::new(Prompt::Open(Open { claimed: true, ..open.clone() })),
            (Phase::Asking, Action::Checked) => next(Phase::Ready, open.said.clone()),
            // Renewed without a word, or too late to matter.
            (_, Action::Checked | Action::Asked { .. }) => self,
            (_, Action::AskedAgain(said)) => next(Phase::Asking, said),
            (_, Action::CouldNotAsk(why)) => next(Phase::Stuck, Some(why)),
            (_, Action::WasBarred(why)) => next(Phase::Barred(why), None),
            (_, Action::Differed(difference)) => next(Phase::Alarm(difference), None),
            (_, Action::PromptOpened) => next(Phase::Prompting, None),
            (_, Action::PromptFailed(why)) => next(Phase::Ready, Some(why)),
            (_, Action::Answered) => next(Phase::Sending, None),
            (_, Action::ConfirmationRefused(why)) => next(Phase::Asking, Some(why)),
            (_, Action::AnswerLost(why)) => next(Phase::Unanswered(why), None),
        }
    }
}

/// What a failure means for the confirmation of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Means {
    /// A confirmation is missing, too old, used, or not believed: ask for another one.
    Confirm,
    /// No confirmation helps now.
    Barred,
    /// It may have been carried out.
    Unanswered,
    /// The action itself was refused, and nothing was done. So is what the server takes for another operation
    /// than this one, which this page has held it against: confirming the same again would not help.
    Refused,
}

impl Means {
    pub(super) fn of(failure: &Failure) -> Self {
        let Failure::Refused(problem) = failure else {
            return if failure.may_pass() { Means::Unanswered } else { Means::Refused };
        };
        match problem.code {
            Code::StepUpRequired if problem.reason.as_deref() == Some(StepUpReason::Token.as_str()) => {
                Means::Confirm
            }
            Code::StepUpRequired | Code::RecoveryPending | Code::Cooldown | Code::RiskHold => Means::Barred,
            Code::TokenInvalid
            | Code::CeremonyGone
            | Code::CeremonyMismatch
            | Code::CeremonyInvalid
            | Code::CeremonyForeignOrigin
            | Code::CeremonyCrossOrigin
            | Code::UserVerificationMissing
            | Code::BackupEligibilityChanged
            | Code::UnsupportedKey => Means::Confirm,
            // A refusal keeps no key: under this one it was answered, in a session that is over by now.
            Code::IdempotencyKeyReused => Means::Unanswered,
            _ if failure.may_pass() => Means::Unanswered,
            _ => Means::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{step_up::text, words::Tone};
    use holdfast_protocol::{passkeys::Removal, problem::Problem};

    fn asked() -> Action {
        let id = holdfast_protocol::ids::PasskeyId::make([1; 16]);
        let asked = Asked::of(&Removal { id, name: "Key".to_owned() }).unwrap();
        Action::Asked { opener: "send", asked: Rc::new(asked) }
    }

    fn why(what: &'static str) -> Words {
        Words { what: what.into(), way_on: "Try again.".into(), tone: Tone::Wait }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Prompt {
        let start = Rc::new(Prompt::Closed).reduce(asked());
        (*actions.into_iter().fold(start, |state, action| state.reduce(action))).clone()
    }

    fn stands(state: &Prompt) -> Option<(&Phase, Option<&Words>)> {
        match state {
            Prompt::Open(open) => Some((&open.phase, open.said.as_ref())),
            Prompt::Closed => None,
        }
    }

    #[test]
    fn a_confirmation_goes_its_way_and_leaves_nothing() {
        use Action::{Answered, Checked, Ended, PromptOpened};
        let steps = [(Checked, Phase::Ready), (PromptOpened, Phase::Prompting), (Answered, Phase::Sending)];
        let mut told = Vec::new();
        for (action, phase) in steps {
            told.push(action);
            assert_eq!(stands(&after(told.clone())), Some((&phase, None)));
        }
        told.push(Ended);
        assert_eq!(after(told), Prompt::Closed);
    }

    #[test]
    fn a_doubt_about_the_passkeys_stays_in_sight_and_changes_nothing_else() {
        for before in [vec![], vec![Action::Checked], vec![Action::Checked, Action::PromptOpened]] {
            let phase = stands(&after(before.clone())).map(|(phase, _)| phase.clone());
            match after(before.into_iter().chain([Action::OnlyClaimed])) {
                Prompt::Open(open) => assert_eq!((Some(open.phase), open.claimed), (phase, true)),
                Prompt::Closed => panic!("closed"),
            }
        }
        let alarm = after([Action::Differed(Difference::Challenge), Action::OnlyClaimed]);
        assert!(matches!(alarm, Prompt::Open(Open { claimed: false, .. })));
    }

    #[test]
    fn a_closed_device_prompt_can_be_opened_again_in_the_next_click() {
        let failed = [Action::Checked, Action::PromptOpened, Action::PromptFailed(why("It was closed."))];
        assert_eq!(stands(&after(failed.clone())), Some((&Phase::Ready, Some(&why("It was closed.")))));
        let again = failed.into_iter().chain([Action::PromptOpened]);
        assert_eq!(stands(&after(again)), Some((&Phase::Prompting, None)));
    }

    #[test]
    fn options_that_are_renewed_disturb_nobody() {
        for (before, phase) in [
            (vec![Action::Checked], Phase::Ready),
            (vec![Action::Checked, Action::PromptOpened], Phase::Prompting),
            (vec![Action::Checked, Action::PromptOpened, Action::Answered], Phase::Sending),
        ] {
            let state = after(before.into_iter().chain([Action::Checked]));
            assert_eq!(stands(&state), Some((&phase, None)));
        }
    }

    #[test]
    fn a_refused_confirmation_says_why_while_another_is_asked_for_and_after() {
        let refused = [
            Action::Checked,
            Action::PromptOpened,
            Action::Answered,
            Action::ConfirmationRefused(why("It was too old.")),
        ];
        assert_eq!(stands(&after(refused.clone())), Some((&Phase::Asking, Some(&why("It was too old.")))));
        let ready = after(refused.into_iter().chain([Action::Checked]));
        assert_eq!(stands(&ready), Some((&Phase::Ready, Some(&why("It was too old.")))));
    }

    #[test]
    fn who_presses_too_late_is_told_and_asked_to_press_again() {
        let state = after([Action::Checked, Action::AskedAgain(Some(text::WAITED)), Action::Checked]);
        assert_eq!(stands(&state), Some((&Phase::Ready, Some(&text::WAITED))));
    }

    #[test]
    fn a_lost_answer_keeps_the_request() {
        let sent = [Action::Checked, Action::PromptOpened, Action::Answered];
        let lost = after(sent.into_iter().chain([Action::AnswerLost(Failure::TooSlow)]));
        assert_eq!(stands(&lost), Some((&Phase::Unanswered(Failure::TooSlow), None)));
        let again = (*Rc::new(lost).reduce(Action::Answered)).clone();
        assert_eq!(stands(&again), Some((&Phase::Sending, None)));
    }

    #[test]
    fn an_alarm_is_left_by_leaving_alone() {
        let alarm = after([Action::Differed(Difference::Sentence)]);
        for action in [
            Action::Checked,
            Action::AskedAgain(None),
            Action::CouldNotAsk(why("No.")),
            Action::WasBarred(Failure::Offline),
            Action::PromptOpened,
            Action::PromptFailed(why("No.")),
            Action::Answered,
            Action::ConfirmationRefused(why("No.")),
            Action::AnswerLost(Failure::Offline),
        ] {
            assert_eq!(*Rc::new(alarm.clone()).reduce(action), alarm);
        }
        assert_eq!(*Rc::new(alarm).reduce(Action::Ended), Prompt::Closed);
    }

    #[test]
    fn nothing_that_comes_late_opens_what_was_left() {
        let left = Rc::new(after([Action::Checked, Action::Ended]));
        for action in
            [Action::Checked, Action::AnswerLost(Failure::Offline), Action::Differed(Difference::Target)]
        {
            assert_eq!(*left.clone().reduce(action), Prompt::Closed);
        }
    }

    #[test]
    fn every_refusal_means_one_thing() {
        let refused = |code: Code| Problem::of(code);
        let required = |reason: StepUpReason| Problem {
            reason: Some(reason.as_str().to_owned()),
            ..Problem::of(Code::StepUpRequired)
        };
        for (problem, means) in [
            (required(StepUpReason::Token), Means::Confirm),
            (required(StepUpReason::Setup), Means::Barred),
            (refused(Code::Cooldown), Means::Barred),
            (refused(Code::RiskHold), Means::Barred),
            (refused(Code::RecoveryPending), Means::Barred),
            (refused(Code::StepUpMismatch), Means::Refused),
            (refused(Code::UserVerificationMissing), Means::Confirm),
            (refused(Code::TargetChanged), Means::Refused),
            (refused(Code::InsufficientFunds), Means::Refused),
            (refused(Code::SignedOut), Means::Refused),
            (refused(Code::InvalidRequest), Means::Refused),
            (refused(Code::IdempotencyKeyReused), Means::Unanswered),
            (refused(Code::Internal), Means::Unanswered),
            (refused(Code::Unavailable), Means::Unanswered),
            (refused(Code::RateLimited), Means::Unanswered),
        ] {
            let code = problem.code;
            assert_eq!(Means::of(&Failure::Refused(Box::new(problem))), means, "{code}");
        }
        for lost in [Failure::Offline, Failure::ServerAway, Failure::TooSlow, Failure::Unreadable] {
            assert_eq!(Means::of(&lost), Means::Unanswered, "{lost:?}");
        }
    }
}
