//! Which part of a trail is read.

use crate::problem::{Refusal, Result};
use holdfast_protocol::problem::Code;

const LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;

/// Which part of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Events older than this one.
    pub before: i64,
    /// At most so many.
    pub limit: u32,
}

/// The newest 50, unless the query says more.
pub(crate) fn window(before: Option<i64>, limit: Option<u32>) -> Result<Window> {
    let (before, limit) = (before.unwrap_or(i64::MAX), limit.unwrap_or(LIMIT));
    if before < 1 {
        return Err(Refusal::with_detail(
            Code::InvalidRequest,
            "`before` is the number of an entry, from 1.",
        ));
    }
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::with_detail(Code::InvalidRequest, "`limit` goes from 1 to 100."));
    }
    Ok(Window { before, limit })
}

impl Window {
    /// What the window shows of one more than that, if there are so many, and whether there are.
    pub(crate) fn cut<T>(self, mut found: Vec<T>) -> (Vec<T>, bool) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::history::{Activity, ActivityEvent};

    #[test]
    fn fifty_of_the_newest_unless_told() {
        assert_eq!(window(None, None).unwrap(), Window { before: i64::MAX, limit: 50 });
        assert_eq!(window(Some(7), Some(100)).unwrap(), Window { before: 7, limit: 100 });
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        for (before, limit) in [(Some(0), None), (Some(-1), None), (None, Some(0)), (None, Some(101))] {
            let refusal = window(before, limit).unwrap_err();
            assert_eq!(refusal.code(), Code::InvalidRequest, "{before:?} {limit:?}");
        }
    }

    #[test]
    fn one_event_more_than_the_window_shows_says_that_there_are_more() {
        let event =
            |id| ActivityEvent { id, at_ms: 0, what: Activity::SignedOut, device: None, session: None };
        let window = Window { before: 9, limit: 2 };
        let (shown, more) = window.cut(vec![event(8), event(7)]);
        assert!(!more && shown.len() == 2);
        let (shown, more) = window.cut(vec![event(8), event(7), event(6)]);
        assert!(more && shown.len() == 2);
    }
}
