//! What one share does: starts a server, opens connections to it, holds them, and measures what they cost.

use super::{
    Load,
    line::Line,
    opening::{self, Nonce},
    people::{self, Person},
    program::Program,
    report::Measured,
    share::Others,
    tally::Tally,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Who opens connections at once.
const OPENERS: usize = 16;

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

/// Two threads answer challenges, and this one is free to wait for the others.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub async fn hold(load: Load, mut others: Others) {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let data = tempfile::tempdir().unwrap();
    let sessions = load.connections.div_ceil(load.per_session);
    let people = people::write(&data.path().join("holdfast.sqlite3"), sessions).await;
    let program = Program::start(data.path(), load.interval_s);
    program.wait_until_it_answers().await;
    let idle = program.usage();

    let tally = Tally::new(load.connections);
    let (address, nonce, next) = (program.address, Nonce::default(), AtomicUsize::new(0));
    let stage = Arc::new(Stage { load, address, people, nonce, tally, next });
    let openers: Vec<_> = (0..OPENERS).map(|_| tokio::spawn(open(stage.clone()))).collect();
    for opener in openers {
        opener.await.unwrap();
    }
    // What opening has left to do is done.
    stage.reach(1).await;
    others.meet();

    let (before, data_before, begun) = (program.usage(), stage.tally.data(), Instant::now());
    stage.tally.measure();
    stage.reach(stage.load.rounds).await;
    others.meet();
    let measured = Measured {
        idle,
        before,
        after: program.usage(),
        took: begun.elapsed(),
        samples: stage.tally.measured(),
        data: stage.tally.data() - data_before,
        failures: stage.tally.failures(),
    };
    others.tell(&measured);
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
