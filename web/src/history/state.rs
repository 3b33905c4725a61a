use crate::problem::Failure;
use holdfast_protocol::history::{Activity, ActivityEvent, ActivityPage};
use std::rc::Rc;
use yew::prelude::Reducible;

/// What happened, as far as it was fetched.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum History {
    Loading,
    Failed(Failure),
    Loaded(Loaded),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    /// The newest first.
    pub(super) events: Vec<ActivityEvent>,
    pub(super) older: Older,
}

/// What comes below the oldest event in sight.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Older {
    None,
    There,
    Fetching,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// The newest page.
    Fetched(ActivityPage),
    CouldNotFetch(Failure),
    OlderAsked,
    OlderFetched(ActivityPage),
    CouldNotFetchOlder(Failure),
}

impl Reducible for History {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut loaded = match &*self {
            History::Loaded(loaded) => loaded.clone(),
            History::Loading | History::Failed(_) => {
                return Rc::new(match action {
                    Action::Fetched(page) => History::Loaded(Loaded {
                        older: if page.more { Older::There } else { Older::None },
                        events: page.events,
                    }),
                    Action::CouldNotFetch(failure) => History::Failed(failure),
                    _ => return self,
                });
            }
        };
        match action {
            Action::Fetched(page) => {
                let known = loaded.events.iter().map(|event| event.id).max();
                let oldest = page.events.iter().map(|event| event.id).min();
                if page.more && oldest > known {
                    // More happened than one page holds: what was in sight would leave a gap.
                    loaded = Loaded { events: page.events, older: Older::There };
                } else {
                    loaded.events = merged(&page.events, &loaded.events);
                }
            }
            // What is in sight is better than nothing.
            Action::CouldNotFetch(_) => {}
            Action::OlderAsked => loaded.older = Older::Fetching,
            Action::OlderFetched(page) => {
                loaded.older = if page.more { Older::There } else { Older::None };
                loaded.events = merged(&loaded.events, &page.events);
            }
            Action::CouldNotFetchOlder(failure) => loaded.older = Older::Failed(failure),
        }
        Rc::new(History::Loaded(loaded))
    }
}

impl History {
    /// Everything known, with what the stream has told since.
    pub(super) fn events(&self, heard: &[ActivityEvent]) -> Vec<ActivityEvent> {
        match self {
            History::Loaded(loaded) => merged(heard, &loaded.events),
            History::Loading | History::Failed(_) => heard.to_vec(),
        }
    }
}

/// Both lists as one, the newest first, each event once. Each is the newest first already.
fn merged(one: &[ActivityEvent], other: &[ActivityEvent]) -> Vec<ActivityEvent> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let next = match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if a.id == b.id => {
                one.next();
                other.next()
            }
            (Some(a), Some(b)) if a.id > b.id => one.next(),
            (Some(_), None) => one.next(),
            (_, _) => other.next(),
        };
        match next {
            Some(event) => all.push(event.clone()),
            None => return all,
        }
    }
}

/// A week: after that, a theft that nothing followed is history.
const ALARM_MS: u64 = 7 * 86_400_000;

/// The newest sign of theft that signing out everywhere has not answered yet.
pub(super) fn alarm(events: &[ActivityEvent], now_ms: u64) -> Option<&ActivityEvent> {
    events
        .iter()
        .take_while(|event| event.what != Activity::SignedOutEverywhere)
        .find(|event| matches!(event.what, Activity::TheftSuspected { .. }))
        .filter(|event| now_ms.saturating_sub(event.at_ms) < ALARM_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use holdfast_protocol::history::TheftSign;

    fn page(ids: impl IntoIterator<Item = i64>, more: bool) -> ActivityPage {
        ActivityPage {
            events: ids.into_iter().map(|id| sample::event(id, Activity::SignedOut)).collect(),
            more,
        }
    }

    fn ids(events: &[ActivityEvent]) -> Vec<i64> {
        events.iter().map(|event| event.id).collect()
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Rc<History> {
        actions.into_iter().fold(Rc::new(History::Loading), |state, action| state.reduce(action))
    }

    #[test]
    fn what_the_stream_tells_and_what_is_fetched_are_one_list() {
        let state = after([
            Action::Fetched(page([9, 8, 7], true)),
            Action::OlderAsked,
            Action::OlderFetched(page([6, 5], false)),
        ]);
        let heard = page([10, 9], false).events;
        assert_eq!(ids(&state.events(&heard)), [10, 9, 8, 7, 6, 5]);
    }

    #[test]
    fn after_a_long_absence_the_list_begins_anew_instead_of_having_a_gap() {
        let state = after([Action::Fetched(page([9, 8], false)), Action::Fetched(page([30, 29], true))]);
        assert_eq!(ids(&state.events(&[])), [30, 29]);
        let state = after([Action::Fetched(page([9, 8], false)), Action::Fetched(page([10, 9], true))]);
        assert_eq!(ids(&state.events(&[])), [10, 9, 8]);
    }

    #[test]
    fn a_theft_is_an_alarm_until_everything_was_signed_out() {
        let theft = sample::event(5, Activity::TheftSuspected { sign: TheftSign::ForeignKey });
        let now_ms = theft.at_ms + 1_000;
        let later = sample::event(6, Activity::SignedOut);
        let answered = sample::event(7, Activity::SignedOutEverywhere);
        assert!(alarm(&[later.clone(), theft.clone()], now_ms).is_some());
        assert!(alarm(&[answered, later, theft.clone()], now_ms).is_none());
        assert!(alarm(&[theft], now_ms + ALARM_MS).is_none());
    }
}
