use crate::problem::Failure;
use holdfast_protocol::account::LogoutScope;
use std::rc::Rc;
use yew::prelude::Reducible;

/// Leaving.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leaving {
    /// Nobody asked.
    Not,
    /// From where?
    Choosing,
    /// Everywhere ends something for others too: asked once more.
    Confirming,
    /// The server is told.
    Ending(LogoutScope),
    /// It could not be told: the session goes on.
    Failed(LogoutScope, Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Asked,
    ChoseEverywhere,
    Stayed,
    Began(LogoutScope),
    CouldNot(LogoutScope, Failure),
}

impl Reducible for Leaving {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(match (action, &*self) {
            (Action::Asked, _) => Leaving::Choosing,
            (Action::ChoseEverywhere, _) => Leaving::Confirming,
            // What was told cannot be taken back.
            (Action::Stayed, Leaving::Ending(scope)) => Leaving::Ending(*scope),
            (Action::Stayed, _) => Leaving::Not,
            (Action::Began(scope), _) => Leaving::Ending(scope),
            (Action::CouldNot(scope, failure), _) => Leaving::Failed(scope, failure),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: impl IntoIterator<Item = Action>) -> Leaving {
        (*actions.into_iter().fold(Rc::new(Leaving::Not), |state, action| state.reduce(action))).clone()
    }

    #[test]
    fn everywhere_is_asked_twice() {
        assert_eq!(after([Action::Asked, Action::ChoseEverywhere]), Leaving::Confirming);
        assert_eq!(after([Action::Asked, Action::ChoseEverywhere, Action::Stayed]), Leaving::Not);
    }

    #[test]
    fn what_has_begun_cannot_be_dismissed() {
        let began = Action::Began(LogoutScope::Everywhere);
        assert_eq!(after([began, Action::Stayed]), Leaving::Ending(LogoutScope::Everywhere));
    }
}
