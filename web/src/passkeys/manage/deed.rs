use crate::problem::Failure;
use holdfast_protocol::{ids::PasskeyId, passkeys::PasskeyView};
use std::rc::Rc;
use yew::prelude::Reducible;

/// What is being done to a passkey, one at a time; the last one stays, so that it can be told how it ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deeds {
    /// Nothing yet.
    None,
    Latest(Deed),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deed {
    pub(super) kind: Kind,
    /// To which.
    pub(super) id: PasskeyId,
    /// How it was called.
    pub(super) name: String,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Test,
    Removal,
    /// Ending the sessions that it has opened.
    EndOfSessions,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// What it means is in sight, and nothing is done yet.
    Weighing,
    /// The person is asked, or the server.
    UnderWay,
    /// The person would rather not.
    Left,
    Done,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Weighed(PasskeyView),
    Began(Kind, PasskeyView),
    /// The person would rather not, before it began.
    Left,
    /// How the one of this kind to this passkey ended: by then, another may be in sight.
    Ended(Kind, PasskeyId, Phase),
}

impl Reducible for Deeds {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let deed = |kind, PasskeyView { id, name, .. }, phase| Deeds::Latest(Deed { kind, id, name, phase });
        let phase = match action {
            Action::Weighed(view) => return Rc::new(deed(Kind::Removal, view, Phase::Weighing)),
            Action::Began(kind, view) => return Rc::new(deed(kind, view, Phase::UnderWay)),
            // It may be carried out already: how it ends is told here.
            Action::Left if self.busy() => return self,
            Action::Left => Phase::Left,
            // Said of another passkey, it would be false.
            Action::Ended(kind, id, _) if self.of(kind, &id).is_none() => return self,
            Action::Ended(_, _, phase) => phase,
        };
        match &*self {
            Deeds::Latest(deed) => Rc::new(Deeds::Latest(Deed { phase, ..deed.clone() })),
            Deeds::None => self,
        }
    }
}

impl Deeds {
    /// How a deed of this kind to this passkey stands, if that is the latest.
    pub(super) fn of(&self, kind: Kind, id: &PasskeyId) -> Option<&Phase> {
        match self {
            Deeds::Latest(deed) if deed.kind == kind && deed.id == *id => Some(&deed.phase),
            _ => None,
        }
    }

    /// Something is under way: nothing else begins.
    pub(super) fn busy(&self) -> bool {
        matches!(self, Deeds::Latest(Deed { phase: Phase::UnderWay, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn after(actions: impl IntoIterator<Item = Action>) -> Deeds {
        (*actions.into_iter().fold(Rc::new(Deeds::None), |deeds, action| deeds.reduce(action))).clone()
    }

    #[test]
    fn a_removal_is_weighed_before_it_begins_and_again_when_it_fails() {
        let (view, id) = (sample::passkey(1), sample::passkey(1).id);
        let weighed = [Action::Weighed(view.clone())];
        assert_eq!(after(weighed.clone()).of(Kind::Removal, &id), Some(&Phase::Weighing));
        assert!(!after(weighed).busy());
        let ended = Action::Ended(Kind::Removal, id.clone(), Phase::Failed(Failure::ServerAway));
        let failed = after([Action::Began(Kind::Removal, view), ended]);
        assert_eq!(failed.of(Kind::Removal, &id), Some(&Phase::Failed(Failure::ServerAway)));
    }

    #[test]
    fn how_a_deed_stands_is_told_of_its_own_passkey_and_kind_alone() {
        let (view, id) = (sample::passkey(1), sample::passkey(1).id);
        let testing = after([Action::Began(Kind::Test, view)]);
        assert!(testing.busy());
        assert_eq!(testing.of(Kind::Test, &id), Some(&Phase::UnderWay));
        assert_eq!(testing.of(Kind::Removal, &id), None);
        assert_eq!(testing.of(Kind::Test, &sample::passkey(2).id), None);
    }

    #[test]
    fn an_answer_to_nothing_changes_nothing() {
        let (view, id) = (sample::passkey(1), sample::passkey(1).id);
        assert_eq!(after([Action::Ended(Kind::Test, id.clone(), Phase::Done)]), Deeds::None);
        let begun = [Action::Began(Kind::Test, view)];
        let ended = begun.into_iter().chain([Action::Ended(Kind::Test, id.clone(), Phase::Done)]);
        assert_eq!(after(ended).of(Kind::Test, &id), Some(&Phase::Done));
    }

    #[test]
    fn an_answer_is_never_taken_for_that_to_another_deed() {
        let (one, other) = (sample::passkey(1), sample::passkey(2));
        for kind in [Kind::Test, Kind::EndOfSessions, Kind::Removal] {
            let late = Action::Ended(kind, one.id.clone(), Phase::Done);
            let weighed = [Action::Began(kind, one.clone()), Action::Weighed(other.clone()), late];
            assert_eq!(after(weighed).of(Kind::Removal, &other.id), Some(&Phase::Weighing));
        }
        let late = Action::Ended(Kind::Test, one.id.clone(), Phase::Done);
        let weighed = [Action::Began(Kind::Test, one.clone()), Action::Weighed(one.clone()), late];
        assert_eq!(after(weighed).of(Kind::Removal, &one.id), Some(&Phase::Weighing));
    }

    #[test]
    fn a_removal_under_way_is_not_taken_back_by_keeping_it() {
        let (view, id) = (sample::passkey(1), sample::passkey(1).id);
        let kept = after([Action::Weighed(view.clone()), Action::Left]);
        assert_eq!(kept.of(Kind::Removal, &id), Some(&Phase::Left));
        let late = after([Action::Began(Kind::Removal, view), Action::Left]);
        assert_eq!(late.of(Kind::Removal, &id), Some(&Phase::UnderWay));
    }
}
