use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use holdfast_server::clock::Clock;
use tokio::time::Instant;

/// Moves a manual clock as fast as real time passes, until it is stopped or dropped.
#[derive(Debug)]
pub(super) struct Flow {
    over: Arc<AtomicBool>,
}

/// How coarse the flow is.
const STEP: Duration = Duration::from_millis(10);

impl Flow {
    pub(super) fn start(clock: Clock) -> Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let flow = move || {
            let mut last = Instant::now();
            while !told.load(Ordering::Relaxed) {
                thread::sleep(STEP);
                let passed = last.elapsed();
                // Whole milliseconds, so that no rest is lost at each step.
                let whole = Duration::from_millis(u64::try_from(passed.as_millis()).unwrap_or_default());
                clock.advance(whole);
                last += whole;
            }
        };
        thread::Builder::new().name("time".to_owned()).spawn(flow).context("let the time flow")?;
        Ok(Self { over })
    }

    pub(super) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.stop();
    }
}
