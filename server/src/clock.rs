//! The one clock. Everything that asks for the time asks here, and tests set it.

use holdfast_protocol::pop::Now;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// Another instance's clock may be ahead by so much.
pub(crate) const SKEW_MS: u64 = 5_000;

/// Where the time comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { started: Instant },
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    now: watch::Sender<Now>,
    /// How much it goes on by itself after each look.
    step_ms: AtomicU64,
}

impl Clock {
    /// The machine's.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn system() -> Self {
        Self(Source::System { started: Instant::now() })
    }

    /// A clock that stands still until [`Clock::advance`].
    pub fn manual(unix_ms: u64) -> Self {
        let now = watch::Sender::new(Now { monotonic_ms: 0, unix_ms });
        Self(Source::Manual(Arc::new(Manual { now, step_ms: AtomicU64::new(0) })))
    }

    /// Both times at once.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn now(&self) -> Now {
        match &self.0 {
            Source::System { started } => Now {
                monotonic_ms: millis(started.elapsed()),
                unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).map(millis).unwrap_or_default(),
            },
            Source::Manual(manual) => {
                let now = *manual.now.borrow();
                manual.advance(manual.step_ms.load(Ordering::Relaxed));
                now
            }
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
            Source::Manual(manual) => {
                let reached = |now: &Now| now.monotonic_ms >= monotonic_ms;
                if manual.now.subscribe().wait_for(reached).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Moves a manual clock; the machine's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            manual.advance(millis(by));
        }
    }

    /// Lets a manual clock go on by itself, by so much after each look at it, so that no two see the same time.
    pub fn step(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            manual.step_ms.store(millis(by), Ordering::Relaxed);
        }
    }
}

impl Manual {
    fn advance(&self, by_ms: u64) {
        if by_ms > 0 {
            self.now.send_modify(|now| {
                now.monotonic_ms = now.monotonic_ms.saturating_add(by_ms);
                now.unix_ms = now.unix_ms.saturating_add(by_ms);
            });
        }
    }
}

/// The one timer of a connection, which rings for whatever it awaits first.
///
/// Tokio keeps timers in a hierarchical wheel: to set one costs the same however many there are, and none
/// costs a thread.
pub struct Alarm {
    clock: Clock,
    set: Option<Set>,
}

struct Set {
    at_ms: u64,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Alarm {
    pub fn new(clock: Clock) -> Self {
        Self { clock, set: None }
    }

    /// Ready once the monotonic time is reached; until then whoever polls is woken for the time that it
    /// named last.
    pub fn poll(&mut self, context: &mut Context<'_>, at_ms: u64) -> Poll<()> {
        while self.clock.now().monotonic_ms < at_ms {
            match &mut self.set {
                // Left to ring although it is too early: what moves the time on comes with every message.
                Some(set) if set.at_ms <= at_ms => {
                    ready!(set.sleep.as_mut().poll(context));
                    self.set = None;
                }
                Some(_) | None => {
                    let clock = self.clock.clone();
                    let sleep = Box::pin(async move { clock.sleep_until(at_ms).await });
                    self.set = Some(Set { at_ms, sleep });
                }
            }
        }
        Poll::Ready(())
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
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

    #[test]
    fn a_manual_clock_goes_on_by_itself_once_it_is_told_to() {
        let clock = Clock::manual(1_000);
        assert_eq!([clock.unix_ms(), clock.unix_ms()], [1_000, 1_000]);
        clock.step(Duration::from_millis(2));
        assert_eq!([clock.unix_ms(), clock.unix_ms()], [1_000, 1_002]);
        clock.step(Duration::ZERO);
        assert_eq!([clock.unix_ms(), clock.unix_ms()], [1_004, 1_004]);
    }

    #[tokio::test]
    async fn an_alarm_rings_at_the_time_that_was_named_last() {
        let clock = Clock::manual(0);
        let mut alarm = Alarm::new(clock.clone());
        let mut rings = async |at_ms| {
            let polled = std::future::poll_fn(|context| Poll::Ready(alarm.poll(context, at_ms))).await;
            polled.is_ready()
        };
        assert!(!rings(30).await);
        assert!(!rings(10).await);
        clock.advance(Duration::from_millis(10));
        assert!(rings(10).await);
        assert!(!rings(30).await);
        clock.advance(Duration::from_millis(20));
        assert!(rings(30).await);
    }

    #[tokio::test]
    async fn an_alarm_that_was_moved_wakes_who_waits() {
        let clock = Clock::manual(0);
        let mut alarm = Alarm::new(clock.clone());
        let (told, mut waits) = tokio::sync::mpsc::unbounded_channel();
        let waiting = tokio::spawn(async move {
            for at_ms in [20, 10, 40] {
                let polled = std::future::poll_fn(|context| Poll::Ready(alarm.poll(context, at_ms))).await;
                assert!(polled.is_pending());
            }
            told.send(()).unwrap();
            std::future::poll_fn(|context| alarm.poll(context, 40)).await;
        });
        waits.recv().await.unwrap();
        clock.advance(Duration::from_millis(40));
        waiting.await.unwrap();
    }
}
