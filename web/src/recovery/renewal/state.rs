use crate::browser::Kept;
use std::rc::Rc;
use yew::prelude::Reducible;

/// Whether new codes are in sight. The list in force stays until they take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Only the list in force.
    Resting(Before),
    /// New codes are in sight.
    Shown(Standing),
}

/// What was here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// New codes that the person did not want.
    Declined,
    /// New codes that were in sight when the page was left, and not sent.
    Abandoned,
    /// New codes that were sent, and the page was left before their answer was here.
    AbandonedSent,
    /// New codes, which are in force now.
    Renewed,
    /// New codes, and by now another list is in force, or may be: perhaps these.
    Unsure,
}

/// How it stands with codes in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not in force.
    Unsent,
    /// The request is on its way, or in the prompt.
    Sent,
    /// An answer was lost, of these or of those before them: they may be in force.
    Unsure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Asked,
    Sent,
    /// The prompt was left, or the server refused: that request has done nothing.
    NothingDone,
    AnswerLost,
    Declined,
    CameInForce,
    FoundAnotherList,
}

/// [`Kept::CodesShown`] of codes that were not sent.
const SHOWN: &str = "yes";
/// Of codes that may be in force.
const SENT: &str = "sent";

impl Renewal {
    pub(super) fn new() -> Self {
        Self::after(Kept::CodesShown.read().as_deref())
    }

    /// With what the page kept when it was left.
    fn after(kept: Option<&str>) -> Self {
        Renewal::Resting(match kept {
            None => Before::Nothing,
            Some(SHOWN) => Before::Abandoned,
            Some(_) => Before::AbandonedSent,
        })
    }

    /// What is to be kept, in case the page is left now.
    pub(super) const fn kept(self) -> Option<&'static str> {
        match self {
            Renewal::Shown(Standing::Unsent) | Renewal::Resting(Before::Abandoned) => Some(SHOWN),
            Renewal::Shown(Standing::Sent | Standing::Unsure)
            | Renewal::Resting(Before::AbandonedSent | Before::Unsure) => Some(SENT),
            Renewal::Resting(Before::Nothing | Before::Declined | Before::Renewed) => None,
        }
    }

    /// Keeps it.
    pub(super) fn keep(self) {
        match self.kept() {
            Some(kept) => Kept::CodesShown.write(kept),
            None => Kept::CodesShown.forget(),
        }
    }
}

impl Reducible for Renewal {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(match (*self, action) {
            // What is not known of earlier codes is not known better because there are others.
            (Renewal::Resting(Before::Unsure | Before::AbandonedSent), Action::Asked) => {
                Renewal::Shown(Standing::Unsure)
            }
            (_, Action::Asked) => Renewal::Shown(Standing::Unsent),
            (Renewal::Shown(Standing::Unsent), Action::Sent) => Renewal::Shown(Standing::Sent),
            (Renewal::Shown(Standing::Sent), Action::NothingDone) => Renewal::Shown(Standing::Unsent),
            (Renewal::Shown(_), Action::AnswerLost) => Renewal::Shown(Standing::Unsure),
            (Renewal::Shown(Standing::Unsent), Action::Declined) => Renewal::Resting(Before::Declined),
            (Renewal::Shown(_), Action::Declined) => Renewal::Resting(Before::Unsure),
            (_, Action::CameInForce) => Renewal::Resting(Before::Renewed),
            (_, Action::FoundAnotherList) => Renewal::Resting(Before::Unsure),
            (as_it_was, _) => as_it_was,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: &[Action]) -> Renewal {
        let start = Rc::new(Renewal::Resting(Before::Nothing));
        *actions.iter().fold(start, |renewal, action| renewal.reduce(*action))
    }

    #[test]
    fn codes_that_were_declined_are_not_told_as_renewed() {
        assert_eq!(after(&[Action::Asked]), Renewal::Shown(Standing::Unsent));
        assert_eq!(after(&[Action::Asked, Action::Declined]), Renewal::Resting(Before::Declined));
        let sent = [Action::Asked, Action::Sent];
        assert_eq!(after(&[&sent[..], &[Action::CameInForce]].concat()), Renewal::Resting(Before::Renewed));
        let other = [&sent[..], &[Action::FoundAnotherList]].concat();
        assert_eq!(after(&other), Renewal::Resting(Before::Unsure));
    }

    #[test]
    fn codes_that_may_be_in_force_are_never_told_to_be_worth_nothing() {
        let unsure = Renewal::Resting(Before::Unsure);
        let lost = [Action::Asked, Action::Sent, Action::AnswerLost];
        for further in [
            &[Action::Declined][..],
            // What became of another try says nothing of the first.
            &[Action::Sent, Action::NothingDone, Action::Declined],
            // And other codes say nothing of those before them.
            &[Action::Declined, Action::Asked, Action::Declined],
            &[Action::Declined, Action::Asked, Action::Sent, Action::NothingDone, Action::Declined],
        ] {
            assert_eq!(after(&[&lost[..], further].concat()), unsure, "{further:?}");
        }
        assert_eq!(after(&[Action::Asked, Action::Sent, Action::Declined]), unsure);
        let certain = [Action::Asked, Action::Sent, Action::NothingDone, Action::Declined];
        assert_eq!(after(&certain), Renewal::Resting(Before::Declined));
    }

    #[test]
    fn a_page_that_was_left_tells_codes_that_were_sent_from_those_that_were_not() {
        let left = |actions: &[Action]| Renewal::after(after(actions).kept());
        let [nothing, abandoned, sent] =
            [Before::Nothing, Before::Abandoned, Before::AbandonedSent].map(Renewal::Resting);
        assert_eq!(left(&[]), nothing);
        assert_eq!(left(&[Action::Asked]), abandoned);
        assert_eq!(left(&[Action::Asked, Action::Sent]), sent);
        assert_eq!(left(&[Action::Asked, Action::Sent, Action::NothingDone]), abandoned);
        let lost = [Action::Asked, Action::Sent, Action::AnswerLost];
        assert_eq!(left(&lost), sent);
        assert_eq!(left(&[&lost[..], &[Action::Declined]].concat()), sent);
        assert_eq!(left(&[&lost[..], &[Action::CameInForce]].concat()), nothing);
        assert_eq!(left(&[Action::Asked, Action::Declined]), nothing);
        // Left once more, it is the same.
        assert_eq!(Renewal::after(sent.kept()), sent);
        assert_eq!(*Rc::new(sent).reduce(Action::Asked), Renewal::Shown(Standing::Unsure));
    }
}
