//! The one clock. Everything that asks for the time asks here, and tests set it.

use holdfast_protocol::pop::Now;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// Where the time comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { started: Instant },
    Manual(Arc<watch::Sender<Now>>),
}

impl Clock {
    /// The machine's.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn system() -> Self {
        Self(Source::System { started: Instant::now() })
    }

    /// A clock that stands still until [`Clock::advance`].
    pub fn manual(unix_ms: u64) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(Now { monotonic_ms: 0, unix_ms }))))
    }

    /// Both times at once.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn now(&self) -> Now {
        match &self.0 {
            Source::System { started } => Now {
                monotonic_ms: millis(started.elapsed()),
                unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).map(millis).unwrap_or_default(),
            },
            Source::Manual(now) => *now.borrow(),
        }
    }

    /// Milliseconds since 1970, as the database holds them.
    pub fn unix_ms(&self) -> i64 {
        i64::try_from(self.now().unix_ms).unwrap_or(i64::MAX)
    }

    /// Ends when the monotonic time is reached.
    pub async fn sleep_until(&self, monotonic_ms: u64) {
        match &self.0 {
            Source::System { .. } => {
                let left = monotonic_ms.saturating_sub(self.now().monotonic_ms);
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
            Source::Manual(now) => {
                let reached = |now: &Now| now.monotonic_ms >= monotonic_ms;
                if now.subscribe().wait_for(reached).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Moves a manual clock; the machine's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.send_modify(|now| {
                now.monotonic_ms = now.monotonic_ms.saturating_add(millis(by));
                now.unix_ms = now.unix_ms.saturating_add(millis(by));
            });
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_who_sleeps_when_it_is_moved() {
        let clock = Clock::manual(1_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(50).await }
        });
        clock.advance(Duration::from_millis(49));
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_millis(1));
        sleeper.await.unwrap();
        assert_eq!(clock.unix_ms(), 1_050);
    }
}
