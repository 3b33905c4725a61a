use crate::problem::{Refusal, Result};
use holdfast_protocol::{
    history::{ActivityEvent, ActivityPage},
    problem::Code,
};
use serde::Deserialize;

const LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;

/// The query of `GET /v1/activity`, as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UncheckedWindow {
    before: Option<i64>,
    limit: Option<u32>,
}

/// Which part of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Events older than this one.
    pub before: i64,
    /// At most so many.
    pub limit: u32,
}

pub(super) fn window(asked: &UncheckedWindow) -> Result<Window> {
    let (before, limit) = (asked.before.unwrap_or(i64::MAX), asked.limit.unwrap_or(LIMIT));
    if before < 1 {
        return Err(Refusal::with_detail(Code::InvalidRequest, "`before` is the id of an event."));
    }
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::with_detail(Code::InvalidRequest, "`limit` goes from 1 to 100."));
    }
    Ok(Window { before, limit })
}

/// The page for a window, from one event more than it shows, if there are so many.
pub(super) fn page_of(mut events: Vec<ActivityEvent>, window: Window) -> ActivityPage {
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let more = events.len() > limit;
    events.truncate(limit);
    ActivityPage { events, more }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::history::Activity;

    fn asked(before: Option<i64>, limit: Option<u32>) -> UncheckedWindow {
        UncheckedWindow { before, limit }
    }

    #[test]
    fn fifty_of_the_newest_unless_told() {
        assert_eq!(window(&asked(None, None)).unwrap(), Window { before: i64::MAX, limit: 50 });
        assert_eq!(window(&asked(Some(7), Some(100))).unwrap(), Window { before: 7, limit: 100 });
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        for (before, limit) in [(Some(0), None), (Some(-1), None), (None, Some(0)), (None, Some(101))] {
            let refusal = window(&asked(before, limit)).unwrap_err();
            assert_eq!(refusal.code(), Code::InvalidRequest, "{before:?} {limit:?}");
        }
    }

    #[test]
    fn one_event_more_than_the_window_shows_says_that_there_are_more() {
        let event =
            |id| ActivityEvent { id, at_ms: 0, what: Activity::SignedOut, device: None, session: None };
        let window = Window { before: 9, limit: 2 };
        let page = page_of(vec![event(8), event(7)], window);
        assert!(!page.more && page.events.len() == 2);
        let page = page_of(vec![event(8), event(7), event(6)], window);
        assert!(page.more && page.events.len() == 2);
    }
}
