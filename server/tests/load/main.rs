//! Many live connections at once, from native clients to the real program: each is challenged again and
//! again, and none ends. A few in every run of the tests; `cargo xtask soak load` opens as many as it is told,
//! and prints what they cost.
//!
//! The system lets a process have only so many files, so the load is shared by as many servers as that takes.
//! A share is a server and its client, each in a process of its own; all shares hold their connections, and
//! are measured, at the same time.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod line;
mod opening;
mod people;
mod program;
mod report;
mod share;
mod stage;
mod tally;

use report::Measured;
use share::{Others, Share};
use std::time::Duration;
use tokio::time::Instant;

/// What is to be opened, and for how long.
pub struct Load {
    pub connections: usize,
    /// To one server, at most.
    pub per_server: usize,
    /// Connections of one browser, as the tabs and streams of one person.
    pub per_session: usize,
    pub interval_s: u32,
    /// How often each connection is challenged while it is measured.
    pub rounds: u32,
}

/// So that every run of the tests has more than one share.
const PER_SERVER: u32 = 30;
/// Files that a server or a client needs beside its connections.
const FILES_KEPT: u64 = 200;
/// What [`Load`] is told by; a share hears its own number of connections.
const CONNECTIONS: &str = "HOLDFAST_LOAD_CONNECTIONS";

impl Load {
    fn told() -> Self {
        let told = |name, otherwise: u32| {
            std::env::var(name)
                .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
        };
        let per_server: usize = told("HOLDFAST_LOAD_PER_SERVER", PER_SERVER).try_into().unwrap();
        // What the system lets a process have.
        let (_, files) = rlimit::Resource::NOFILE.get().unwrap();
        let possible = usize::try_from(files.saturating_sub(FILES_KEPT)).unwrap();
        assert!(possible > 0, "{files} files may be open here, and more are needed: see `ulimit -Hn`");
        Self {
            connections: told(CONNECTIONS, 60).try_into().unwrap(),
            per_server: per_server.clamp(1, possible),
            per_session: told("HOLDFAST_LOAD_PER_SESSION", 4).try_into().unwrap(),
            interval_s: told("HOLDFAST_LOAD_INTERVAL_S", 1),
            rounds: told("HOLDFAST_LOAD_ROUNDS", 3),
        }
    }

    /// Connections of each share: as few shares as there can be, and as equal.
    fn shares(&self) -> Vec<usize> {
        let shares = self.connections.div_ceil(self.per_server);
        (0..shares).map(|share| (self.connections + share) / shares).collect()
    }

    /// So long each connection takes for its rounds at the very most, if no round is missed.
    fn within(&self, rounds: u32) -> Duration {
        Duration::from_secs(60) + Duration::from_secs(2) * self.interval_s * rounds
    }
}

#[test]
fn of_many_connections_none_ends() {
    let load = Load::told();
    if let Some(others) = Others::find() {
        return stage::hold(load, others);
    }
    let shares = load.shares();
    println!("connections to each server, from a client of its own: {shares:?}");
    let (begun, mut shares) = (Instant::now(), shares.into_iter().map(Share::start).collect::<Vec<_>>());
    share::let_meet(&mut shares);
    println!("all are open and proven after {:.1} s", begun.elapsed().as_secs_f64());
    share::let_meet(&mut shares);
    let measured = shares.iter_mut().map(Share::measured).reduce(Measured::and).unwrap();
    print!("{}", measured.table(load.connections, shares.len()));
    assert!(measured.failures.is_empty(), "{:#?}", measured.failures);
}

#[test]
fn shares_are_few_and_equal() {
    let shares = |connections, per_server| {
        Load { connections, per_server, per_session: 1, interval_s: 1, rounds: 1 }.shares()
    };
    assert_eq!(shares(20_000, 19_800), [10_000, 10_000]);
    assert_eq!(shares(60, 60), [60]);
    assert_eq!(shares(61, 30), [20, 20, 21]);
}
