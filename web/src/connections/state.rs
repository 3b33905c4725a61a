use crate::problem::Failure;
use holdfast_protocol::{connections::ConnectionView, ids::ConnectionId};
use std::rc::Rc;
use yew::prelude::Reducible;

/// What the panel adds to what the stream says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Connections {
    /// As fetched: in sight until the stream says better.
    pub(super) fetched: Option<Rc<Vec<ConnectionView>>>,
    /// Being ended.
    pub(super) ending: Vec<ConnectionId>,
    /// Ended: gone from the list before the server's next one.
    pub(super) ended: Vec<ConnectionId>,
    pub(super) failure: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Fetched(Vec<ConnectionView>),
    CouldNotFetch(Failure),
    EndAsked(ConnectionId),
    Ended(ConnectionId),
    CouldNotEnd(ConnectionId, Failure),
}

impl Reducible for Connections {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        match action {
            Action::Fetched(list) => {
                next.fetched = Some(Rc::new(list));
                next.failure = None;
            }
            Action::CouldNotFetch(failure) => next.failure = Some(failure),
            Action::EndAsked(id) => {
                next.failure = None;
                next.ending.push(id);
            }
            Action::Ended(id) => {
                next.ending.retain(|other| *other != id);
                next.ended.push(id);
            }
            Action::CouldNotEnd(id, failure) => {
                next.ending.retain(|other| *other != id);
                next.failure = Some(failure);
            }
        }
        Rc::new(next)
    }
}

impl Connections {
    /// What to show: the stream's list before the fetched one, this browser's own first.
    pub(super) fn shown(&self, live: Option<&Rc<Vec<ConnectionView>>>) -> Option<Vec<ConnectionView>> {
        let list = live.or(self.fetched.as_ref())?;
        let alive = || list.iter().filter(|view| !self.ended.contains(&view.id));
        let own = alive().filter(|view| view.this_browser);
        Some(own.chain(alive().filter(|view| !view.this_browser)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn this_browser_comes_first_and_what_was_ended_is_gone_at_once() {
        let other = sample::connection(1);
        let own = ConnectionView { this_browser: true, ..sample::connection(2) };
        let list = Rc::new(vec![other.clone(), own.clone()]);
        let state = Connections::default();
        assert_eq!(state.shown(Some(&list)), Some(vec![own.clone(), other.clone()]));
        let state = Rc::new(state).reduce(Action::EndAsked(other.id.clone())).reduce(Action::Ended(other.id));
        assert!(state.ending.is_empty());
        assert_eq!(state.shown(Some(&list)), Some(vec![own]));
    }

    #[test]
    fn an_end_that_failed_says_so_and_can_be_asked_again() {
        let id = sample::connection(1).id;
        let state = Rc::new(Connections::default())
            .reduce(Action::EndAsked(id.clone()))
            .reduce(Action::CouldNotEnd(id, Failure::ServerAway));
        assert!(state.ending.is_empty());
        assert_eq!(state.failure, Some(Failure::ServerAway));
    }
}
