//! A connection's carrier and its clock: what comes next of the two.

use super::{Carrier, Ending, Next, Sending};
use crate::clock::{Alarm, Clock};
use holdfast_protocol::pop::Close;
use std::task::{Context, Poll, ready};

/// A reader who takes nothing of what waits for him for so long is too slow.
const READ_WITHIN_MS: u64 = 10_000;

/// Both ends of it, and its clock.
pub(super) struct Line<C> {
    pub carrier: C,
    clock: Clock,
    alarm: Alarm,
    /// Nothing comes from the browser any more, and nothing goes to it.
    pub gone: bool,
    /// Since when something has waited for a slow reader.
    blocked_since_ms: Option<u64>,
}

impl<C: Carrier> Line<C> {
    pub(super) fn new(carrier: C, clock: Clock) -> Self {
        Self { carrier, alarm: Alarm::new(clock.clone()), clock, gone: false, blocked_since_ms: None }
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>, deadline_ms: u64) -> Poll<Next> {
        if self.gone {
            ready!(self.alarm.poll(context, deadline_ms));
            return Poll::Ready(Next::Deadline);
        }
        match self.carrier.poll_receive(context, &self.clock) {
            Poll::Ready(Some(received)) => return Poll::Ready(Next::Received(received)),
            Poll::Ready(None) => return Poll::Ready(Next::End(Ending::Gone)),
            Poll::Pending => {}
        }
        self.blocked_since_ms = match self.carrier.poll_send(context) {
            Sending::Idle => None,
            // Who reads slowly and steadily is no reader who has gone.
            Sending::Blocked if self.carrier.took() => Some(self.clock.now().monotonic_ms),
            Sending::Blocked => self.blocked_since_ms.or(Some(self.clock.now().monotonic_ms)),
            Sending::Over(ending) => return Poll::Ready(Next::End(ending)),
        };
        let too_slow_ms = self.blocked_since_ms.map_or(u64::MAX, |since_ms| since_ms + READ_WITHIN_MS);
        ready!(self.alarm.poll(context, deadline_ms.min(too_slow_ms)));
        Poll::Ready(if too_slow_ms <= deadline_ms {
            Next::End(Close::TooMuchHeld.into())
        } else {
            Next::Deadline
        })
    }
}
