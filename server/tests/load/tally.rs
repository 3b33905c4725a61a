//! What was heard on all connections, counted.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Shared by all connections.
pub struct Tally {
    /// How often each connection was proven; [`OVER`] where it is no more.
    proven: Vec<AtomicU32>,
    /// Frames of the application.
    data: AtomicU64,
    measuring: AtomicBool,
    samples: Mutex<Samples>,
    failures: Mutex<BTreeMap<String, u32>>,
}

/// How long answers took, while it was measured; the fastest first.
#[derive(Default, Serialize, Deserialize)]
pub struct Samples {
    /// Microseconds from an answer to its verdict, as the client sees it.
    pub round_trips_us: Vec<u32>,
    /// Milliseconds from a challenge to its answer, as the server says.
    pub rtts_ms: Vec<u32>,
}

impl Samples {
    /// Those of both.
    pub fn and(mut self, other: Self) -> Self {
        self.round_trips_us.extend(other.round_trips_us);
        self.rtts_ms.extend(other.rtts_ms);
        self.sorted()
    }

    fn sorted(mut self) -> Self {
        self.round_trips_us.sort_unstable();
        self.rtts_ms.sort_unstable();
        self
    }
}

const OVER: u32 = u32::MAX;

impl Tally {
    pub fn new(connections: usize) -> Self {
        Self {
            proven: (0..connections).map(|_| AtomicU32::new(0)).collect(),
            data: AtomicU64::new(0),
            measuring: AtomicBool::new(false),
            samples: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    pub fn on_proven(&self, number: usize, round_trip: Duration, rtt_ms: u32) {
        self.proven[number].fetch_add(1, Relaxed);
        if self.measuring.load(Relaxed) {
            let mut samples = self.samples.lock().unwrap();
            samples.round_trips_us.push(u32::try_from(round_trip.as_micros()).unwrap_or(u32::MAX));
            samples.rtts_ms.push(rtt_ms);
        }
    }

    pub fn on_data(&self) {
        self.data.fetch_add(1, Relaxed);
    }

    /// Something that should not have happened, in words that are the same each time.
    pub fn on_failure(&self, what: String) {
        *self.failures.lock().unwrap().entry(what).or_default() += 1;
    }

    /// The same, and nothing more will come from this connection.
    pub fn on_over(&self, number: usize, why: String) {
        self.proven[number].store(OVER, Relaxed);
        self.on_failure(why);
    }

    /// How often each connection was proven at least, of those that are still there.
    pub fn rounds(&self) -> u32 {
        self.proven.iter().map(|count| count.load(Relaxed)).min().unwrap_or_default()
    }

    /// Counts from the beginning, and keeps how long each answer takes.
    pub fn measure(&self) {
        for count in &self.proven {
            let _over = count.fetch_update(Relaxed, Relaxed, |count| (count != OVER).then_some(0));
        }
        self.measuring.store(true, Relaxed);
    }

    /// Everything since [`Tally::measure`].
    pub fn measured(&self) -> Samples {
        self.measuring.store(false, Relaxed);
        std::mem::take(&mut *self.samples.lock().unwrap()).sorted()
    }

    /// Frames of the application, so far.
    pub fn data(&self) -> u64 {
        self.data.load(Relaxed)
    }

    pub fn failures(&self) -> BTreeMap<String, u32> {
        self.failures.lock().unwrap().clone()
    }
}
