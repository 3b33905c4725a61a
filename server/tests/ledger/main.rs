//! People send one another money while the program is killed with -9 and started again, and ask again for
//! what they had no answer to. The books agree at every moment; what was acknowledged was done, once. A few
//! sends in every run of the tests; `cargo xtask soak ledger` makes as many as it is told.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod books;
mod program;
mod starting;
#[path = "../suite/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the suite, which uses all of it")]
mod support;

use books::Done;
use futures_util::{FutureExt as _, future::join};
use holdfast_protocol::{
    ids::WalletId,
    problem::Code,
    step_up::Request,
    wallet::{Send, Sent, Usd, WalletView},
};
use program::Program;
use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use support::{Answer, Owner, PATIENCE, World};
use tokio::time::Instant;

const PEOPLE: usize = 6;
/// Each in several browsers, so that one person's sends race, too.
const BROWSERS: usize = 5;
const NAME: &str = "Ada";

/// What all browsers share.
struct Stage {
    sends: usize,
    wallets: Vec<WalletId>,
    /// The number of the next send.
    next: AtomicUsize,
    /// By their keys.
    acknowledged: Mutex<BTreeMap<String, Done>>,
    /// How often a send had no answer and was repeated.
    unanswered: AtomicUsize,
}

/// Chooses what happens; seeded, so that a choice can be made again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_send_that_was_acknowledged_is_done_once_and_the_sum_stays() {
    let sends: usize = std::env::var("HOLDFAST_SENDS").map_or(100, |sends| sends.parse().unwrap());
    let world = World::new().await;
    let mut browsers = Vec::new();
    for _ in 0..PEOPLE {
        let first = world.owner(NAME).await;
        for _ in 1..BROWSERS {
            let browser = world.sign_in(&first.browser.account).await;
            browsers.push(Owner { browser, passkey: first.passkey.clone() });
        }
        browsers.push(first);
    }
    let mut wallets = Vec::new();
    for owner in browsers.iter().step_by(BROWSERS) {
        wallets.push(owner.browser.get("/v1/wallet").await.json::<WalletView>().id);
    }

    let mut program = Program::after(&world).await;
    for wallet in &wallets {
        assert!(program.issue(wallet, "20.00").status.success());
    }
    program.start().await;
    // A request that dies with the server is no news.
    let aloud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.location().is_none_or(|location| !location.file().contains("support")) {
            aloud(panic);
        }
    }));
    let (next, acknowledged, unanswered) = <(AtomicUsize, Mutex<_>, AtomicUsize)>::default();
    let stage = Arc::new(Stage { sends, wallets, next, acknowledged, unanswered });
    let begun = Instant::now();
    let mut workers = Vec::new();
    for (number, mut owner) in browsers.into_iter().enumerate() {
        owner.browser.address = program.address;
        workers.push(tokio::spawn(work(stage.clone(), owner, number)));
    }

    let kills = (sends / 100).max(4);
    let mut random = Random(42);
    for kill in 1..=kills {
        stage.reach(sends * kill / (kills + 1)).await;
        tokio::time::sleep(Duration::from_micros(random.below(50_000).try_into().unwrap())).await;
        program.kill();
        let db = program.database().await;
        let wrong = books::wrong(&db).await;
        db.close().await;
        assert!(wrong.is_empty(), "after {kill} kills: {wrong:?}");
        program.start().await;
    }
    stage.reach(sends).await;
    for worker in workers {
        worker.await.unwrap();
    }
    program.kill();

    let db = program.database().await;
    assert_eq!(books::wrong(&db).await, Vec::<&str>::new());
    let (done, acknowledged) = (books::sends(&db).await, stage.acknowledged.lock().unwrap());
    assert_eq!(done.len(), sends, "what was done is what was acknowledged");
    for (key, acknowledged) in &*acknowledged {
        assert_eq!(done.get(key), Some(acknowledged), "{key}");
    }
    println!(
        "{sends} sends between {PEOPLE} wallets in {:.0} s, {kills} kills, {} attempts without an answer: each was \
         done once, and the sum is 0",
        begun.elapsed().as_secs_f64(),
        stage.unanswered.load(Relaxed)
    );
    assert!(stage.unanswered.load(Relaxed) > 0, "no answer was ever lost: nothing was shown");
}

impl Stage {
    /// Waits until so many sends were acknowledged, as long as there are any.
    async fn reach(&self, sends: usize) {
        let count = || self.acknowledged.lock().unwrap().len();
        while count() < sends {
            let before = count();
            let one_more = async {
                while count() == before {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            assert!(tokio::time::timeout(PATIENCE, one_more).await.is_ok(), "nothing is sent any more");
        }
    }

    /// From one's own wallet to somebody else's.
    fn make(&self, own: usize, note: &str, random: &mut Random) -> Send {
        let to = (own + 1 + random.below(PEOPLE - 1)) % PEOPLE;
        let amount = Usd::from_micros(1 + i64::try_from(random.below(4_000_000)).unwrap()).unwrap();
        let [from, to] = [own, to].map(|at| self.wallets[at].clone());
        Send { from, to, to_name: NAME.to_owned(), amount, note: Some(note.to_owned()) }
    }
}

/// What the server said of a request.
enum Told {
    Yes(Answer),
    /// Nothing was done: its confirmation is gone.
    ConfirmAnew,
    /// Nothing was done: somebody has spent it meanwhile.
    TooMuch,
    /// Nothing: it is gone, or busy.
    Nothing,
}

/// Sends until all have sent enough.
async fn work(stage: Arc<Stage>, owner: Owner, number: usize) {
    let mut random = Random(u64::try_from(number).unwrap());
    loop {
        let at = stage.next.fetch_add(1, Relaxed);
        if at >= stage.sends {
            return;
        }
        let key = format!("send-number-{at:06}");
        loop {
            let send = stage.make(number / BROWSERS, &key, &mut random);
            if let Some(sent) = send_until_told(&stage, &owner, &send, &key, &mut random).await {
                let Send { from, to, amount, .. } = send;
                let done = Done { id: sent.transfer, from, to, amount };
                stage.acknowledged.lock().unwrap().insert(key, done);
                break;
            }
        }
    }
}

/// Confirms and sends, again and again, until it is known what became of it. `None`: nothing was done.
async fn send_until_told(
    stage: &Stage,
    owner: &Owner,
    send: &Send,
    key: &str,
    random: &mut Random,
) -> Option<Sent> {
    loop {
        let asked = match told(owner.ask(send)).await {
            Told::Yes(asked) => asked,
            Told::TooMuch => return None,
            Told::ConfirmAnew | Told::Nothing => continue,
        };
        let confirmation = Some(owner.sign(&asked));
        let request = Request { parameters: send.clone(), secret: None, confirmation };
        loop {
            let act = || told(owner.act(&request, key));
            let told = match random.below(8) {
                0 => {
                    // Does not wait for the answer.
                    let patience = Duration::from_micros(random.below(20_000).try_into().unwrap());
                    tokio::time::timeout(patience, act()).await.unwrap_or(Told::Nothing)
                }
                1 => {
                    let (one, other) = join(act(), act()).await;
                    either(one, other)
                }
                _ => act().await,
            };
            match told {
                Told::Yes(answer) => return Some(answer.json()),
                Told::TooMuch => return None,
                Told::ConfirmAnew => break,
                Told::Nothing => stage.unanswered.fetch_add(1, Relaxed),
            };
        }
    }
}

async fn told(answer: impl Future<Output = Answer>) -> Told {
    if let Ok(answer) = AssertUnwindSafe(answer).catch_unwind().await {
        if answer.status.is_success() {
            return Told::Yes(answer);
        }
        match answer.code() {
            Code::StepUpRequired => return Told::ConfirmAnew,
            Code::InsufficientFunds => return Told::TooMuch,
            Code::Unavailable | Code::RateLimited => {}
            other => panic!("{other}: {answer:?}"),
        }
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    Told::Nothing
}

/// What is known after the same was asked twice at once.
fn either(one: Told, other: Told) -> Told {
    match (one, other) {
        (Told::Yes(one), Told::Yes(other)) => {
            assert_eq!(one.json::<Sent>(), other.json::<Sent>());
            Told::Yes(one)
        }
        (Told::Yes(_), Told::ConfirmAnew | Told::TooMuch)
        | (Told::ConfirmAnew | Told::TooMuch, Told::Yes(_)) => panic!("it was done, and it was not"),
        (Told::Nothing, known) | (known, _) => known,
    }
}
