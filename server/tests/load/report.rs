//! What a run comes to, as a table of figures and their aims.

use super::{program::Usage, tally::Samples};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// What was measured of a server that holds all its connections, or of several.
#[derive(Serialize, Deserialize)]
pub struct Measured {
    /// Before the first connection.
    pub idle: Usage,
    pub before: Usage,
    pub after: Usage,
    pub took: Duration,
    pub samples: Samples,
    /// Frames of the application.
    pub data: u64,
    /// In words, and how often.
    pub failures: BTreeMap<String, u32>,
}

/// What the figures should be: `cargo xtask soak load` is judged by them, a test is not.
const MEMORY_KIB: f64 = 12.0;
const P99_MS: f64 = 250.0;

impl Measured {
    /// Of both together, which were measured at the same time.
    pub fn and(mut self, other: Self) -> Self {
        for (what, times) in other.failures {
            *self.failures.entry(what).or_default() += times;
        }
        Self {
            idle: self.idle + other.idle,
            before: self.before + other.before,
            after: self.after + other.after,
            took: self.took.max(other.took),
            samples: self.samples.and(other.samples),
            data: self.data + other.data,
            failures: self.failures,
        }
    }

    /// `figure  measured  aim`, one line each.
    pub fn table(&self, connections: usize, servers: usize) -> String {
        let [connections, servers] =
            [connections, servers].map(|count| f64::from(u32::try_from(count).unwrap()));
        let challenges = u32::try_from(self.samples.round_trips_us.len()).unwrap();
        let a_connection = |kib: u64| f64::from(u32::try_from(kib).unwrap()) / connections;
        let idle_kib = self.idle.resident_kib;
        let client = |permille| f64::from(at_most(&self.samples.round_trips_us, permille)) / 1000.0;
        let server = |permille| f64::from(at_most(&self.samples.rtts_ms, permille));
        let cpu_ms = (self.after.cpu - self.before.cpu).as_secs_f64() * 1000.0 / f64::from(challenges.max(1));
        let rows = [
            ("load.connections", connections, None),
            ("load.servers", servers, None),
            ("load.seconds", self.took.as_secs_f64(), None),
            ("load.challenges", f64::from(challenges), None),
            ("load.failures", f64::from(self.failures.values().sum::<u32>()), Some(0.0)),
            ("load.memory_kib", a_connection(self.after.resident_kib - idle_kib), Some(MEMORY_KIB)),
            ("load.memory_at_peak_kib", a_connection(self.after.peak_kib - idle_kib), Some(MEMORY_KIB)),
            ("load.cpu_ms", cpu_ms, None),
            ("load.round_trip_p50_ms", client(500), None),
            ("load.round_trip_p99_ms", client(990), Some(P99_MS)),
            ("load.round_trip_p999_ms", client(999), None),
            ("load.answered_p50_ms", server(500), None),
            ("load.answered_p99_ms", server(990), None),
            ("load.answered_p999_ms", server(999), None),
            ("load.data_frames", f64::from(u32::try_from(self.data).unwrap()), None),
        ];
        let mut table = format!("{:<28} {:>12}  aim\n", "figure", "measured");
        for (name, value, most) in rows {
            let missed = if most.is_some_and(|most| value > most) { "  (missed)" } else { "" };
            let aim = most.map(|most| format!("at most {most}")).unwrap_or_default();
            writeln!(table, "{name:<28} {value:>12.2}  {aim}{missed}").unwrap();
        }
        table
    }
}

/// What so many thousandths of all do not exceed.
fn at_most(sorted: &[u32], permille: usize) -> u32 {
    let rank = (sorted.len() * permille).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[test]
fn a_thousandth_of_a_thousand_is_one() {
    let sorted: Vec<u32> = (1..=1000).collect();
    assert_eq!([1, 500, 990, 999, 1000].map(|permille| at_most(&sorted, permille)), [1, 500, 990, 999, 1000]);
    assert_eq!((at_most(&[7], 999), at_most(&[], 500)), (7, 0));
}
