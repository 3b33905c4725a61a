//! Limits by source, cheap and per instance.

use crate::{
    clock::Clock,
    problem::{Refusal, Result},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use holdfast_protocol::problem::Code;
use std::{num::NonZeroU32, ops::Add, time::Duration};

/// Whom a limit counts: a keyed hash, never an address.
pub type Key = [u8; 32];

type Limiter = RateLimiter<Key, DashMapStateStore<Key>, Ticking, NoOpMiddleware<Moment>>;

/// How often something may be tried.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub burst: NonZeroU32,
    /// One more after so long.
    pub every: Duration,
}

/// One limit.
pub struct Limit {
    limiter: Limiter,
    clock: Ticking,
}

impl Limit {
    pub fn new(rate: Rate, clock: Clock) -> Self {
        let clock = Ticking(clock);
        let quota = Quota::with_period(rate.every).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let limiter =
            RateLimiter::new(quota.allow_burst(rate.burst), DashMapStateStore::default(), clock.clone());
        Self { limiter, clock }
    }

    /// Counts a try, or refuses it with `Retry-After`.
    pub fn check(&self, key: &Key) -> Result<()> {
        if self.limiter.len() > 10_000 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let seconds = u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
            Refusal::retry_after(Code::RateLimited, seconds)
        })
    }
}

/// Our clock, for governor.
#[derive(Clone)]
struct Ticking(Clock);

/// Milliseconds of the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(u64);

impl governor::clock::Clock for Ticking {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(self.0.now().monotonic_ms)
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        Nanos::from(Duration::from_millis(self.0.saturating_sub(earlier.0)))
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(duration.as_u64() / 1_000_000))
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0.saturating_add(other.as_u64().div_ceil(1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_one_at_a_time() {
        let clock = Clock::manual(0);
        let rate = Rate { burst: NonZeroU32::new(3).unwrap(), every: Duration::from_secs(10) };
        let limit = Limit::new(rate, clock.clone());
        for _ in 0..3 {
            limit.check(&[1; 32]).unwrap();
        }
        assert_eq!(limit.check(&[1; 32]).unwrap_err().code(), Code::RateLimited);
        limit.check(&[2; 32]).unwrap();
        clock.advance(Duration::from_secs(11));
        limit.check(&[1; 32]).unwrap();
        assert!(limit.check(&[1; 32]).is_err());
    }
}
