//! Many live connections at once, from a native client to the real program: each is challenged again and
//! again, and none ends. A few in every run of the tests; `cargo xtask soak load` opens as many as it is told,
//! and prints what they cost.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod line;
mod opening;
mod people;
mod program;
mod report;
mod tally;

use line::Line;
use opening::Nonce;
use people::Person;
use program::Program;
use report::Measured;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tally::Tally;
use tokio::time::Instant;

/// What is to be opened, and for how long.
pub struct Load {
    pub connections: usize,
    /// Connections of one browser, as the tabs and streams of one person.
    pub per_session: usize,
    pub interval_s: u32,
    /// How often each connection is challenged while it is measured.
    pub rounds: u32,
}

impl Load {
    fn told() -> Self {
        let told = |name, otherwise: u32| {
            std::env::var(name)
                .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
        };
        Self {
            connections: told("HOLDFAST_LOAD_CONNECTIONS", 60).try_into().unwrap(),
            per_session: told("HOLDFAST_LOAD_PER_SESSION", 4).try_into().unwrap(),
            interval_s: told("HOLDFAST_LOAD_INTERVAL_S", 1),
            rounds: told("HOLDFAST_LOAD_ROUNDS", 3),
        }
    }

    /// So long each connection takes for its rounds at the very most, if no round is missed.
    fn within(&self, rounds: u32) -> Duration {
        Duration::from_secs(60) + Duration::from_secs(2) * self.interval_s * rounds
    }
}

/// Who opens connections at once.
const OPENERS: usize = 16;
/// Files that the client needs beside its connections.
const FILES_KEPT: u64 = 100;

/// What all connections share.
struct Stage {
    load: Load,
    address: SocketAddr,
    people: Vec<Person>,
    nonce: Nonce,
    tally: Tally,
    /// The number of the next connection to open.
    next: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_connections_none_ends() {
    let load = Load::told();
    let files = u64::try_from(load.connections).unwrap() + FILES_KEPT;
    let given = rlimit::increase_nofile_limit(files).unwrap();
    assert!(given >= files, "{given} files may be open here, and {files} are needed: see `ulimit -Hn`");

    let data = tempfile::tempdir().unwrap();
    let sessions = load.connections.div_ceil(load.per_session);
    let people = people::write(&data.path().join("holdfast.sqlite3"), sessions).await;
    let program = Program::start(data.path(), load.interval_s);
    program.wait_until_it_answers().await;
    let idle = program.usage();

    let begun = Instant::now();
    let tally = Tally::new(load.connections);
    let (address, nonce, next) = (program.address, Nonce::default(), AtomicUsize::new(0));
    let stage = Arc::new(Stage { load, address, people, nonce, tally, next });
    let openers: Vec<_> = (0..OPENERS).map(|_| tokio::spawn(open(stage.clone()))).collect();
    for opener in openers {
        opener.await.unwrap();
    }
    println!("{} connections after {:.1} s", stage.load.connections, begun.elapsed().as_secs_f64());
    // What opening has left to do is done.
    stage.reach(1).await;

    let (before, data_before, begun) = (program.usage(), stage.tally.data(), Instant::now());
    stage.tally.measure();
    stage.reach(stage.load.rounds).await;
    let failures = stage.tally.failures();
    let measured = Measured {
        idle,
        before,
        after: program.usage(),
        took: begun.elapsed(),
        samples: stage.tally.measured(),
        data: stage.tally.data() - data_before,
        failures: failures.values().sum(),
    };
    print!("{}", measured.table(&stage.load));
    assert!(failures.is_empty(), "{failures:#?}");
}

/// One after the other, until all are opened.
async fn open(stage: Arc<Stage>) {
    loop {
        let number = stage.next.fetch_add(1, Relaxed);
        if number >= stage.load.connections {
            return;
        }
        let person = &stage.people[number / stage.load.per_session];
        match opening::open(stage.address, person, &stage.nonce).await {
            Ok((socket, prover)) => {
                let stage = stage.clone();
                tokio::spawn(async move {
                    let person = &stage.people[number / stage.load.per_session];
                    let line = Line { number, person, tally: &stage.tally, socket, prover };
                    stage.tally.on_over(number, line.live().await);
                });
            }
            Err(wrong) => stage.tally.on_over(number, format!("not opened: {wrong}")),
        }
    }
}

impl Stage {
    /// Waits until every connection that still lives has been proven so often.
    async fn reach(&self, rounds: u32) {
        let reached = async {
            while self.tally.rounds() < rounds {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(self.load.within(rounds), reached).await.is_err() {
            self.tally.on_failure("a connection that was not challenged any more".to_owned());
        }
    }
}
