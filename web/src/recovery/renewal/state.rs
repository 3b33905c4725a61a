use crate::browser::Kept;
use std::rc::Rc;
use yew::prelude::Reducible;

/// Whether new codes are in sight. The list in force stays until they take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Only the list in force.
    Resting(Before),
    /// New codes are in sight, and not in force.
    Shown,
}

/// What was here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// New codes that the person did not want.
    Declined,
    /// New codes that were in sight when the page was left.
    Abandoned,
    /// New codes, which are in force now.
    Renewed,
    /// New codes, and by now another list is in force: perhaps these.
    Unsure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Asked,
    Declined,
    CameInForce,
    FoundAnotherList,
}

impl Renewal {
    pub(super) fn new() -> Self {
        Renewal::Resting(Kept::CodesShown.read().map_or(Before::Nothing, |_| Before::Abandoned))
    }
}

impl Reducible for Renewal {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(match action {
            Action::Asked => Renewal::Shown,
            Action::Declined => Renewal::Resting(Before::Declined),
            Action::CameInForce => Renewal::Resting(Before::Renewed),
            Action::FoundAnotherList => Renewal::Resting(Before::Unsure),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_were_declined_are_not_told_as_renewed() {
        let after = |actions: &[Action]| {
            let start = Rc::new(Renewal::Resting(Before::Nothing));
            *actions.iter().fold(start, |renewal, action| renewal.reduce(*action))
        };
        assert_eq!(after(&[Action::Asked]), Renewal::Shown);
        assert_eq!(after(&[Action::Asked, Action::Declined]), Renewal::Resting(Before::Declined));
        assert_eq!(after(&[Action::Asked, Action::CameInForce]), Renewal::Resting(Before::Renewed));
        assert_eq!(after(&[Action::Asked, Action::FoundAnotherList]), Renewal::Resting(Before::Unsure));
    }
}
