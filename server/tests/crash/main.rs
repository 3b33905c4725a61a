//! The program is killed with -9 in the middle of sign-ups and sign-ins. What it acknowledged is in
//! place afterwards, and there is no half-made account. A few deaths in every run of the tests;
//! `cargo xtask soak crash` kills as often as it is told.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../suite/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the suite, which uses all of it")]
mod support;

use holdfast_protocol::{account::Me, base64url::Bytes, recovery::RecoveryCodesRequest};
use holdfast_server::db::Db;
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{Browser, Guest, ORIGIN, PATIENCE, SETUP_TOKEN, SoftPasskey, World};

/// What the server said yes to before it died.
#[derive(Default)]
struct Acknowledged {
    sessions: Vec<Arc<Browser>>,
    codes: u32,
    /// Passkeys whose sign-up the server may have heard of.
    tried: Vec<SoftPasskey>,
}

/// The real program with a database file of its own.
struct Program {
    address: SocketAddr,
    running: Option<Child>,
}

impl Program {
    fn start(&mut self, data: &Path) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.args(["serve", "--mode", "development", "--origin", ORIGIN, "--listen"]);
        command
            .arg(self.address.to_string())
            .arg("--data")
            .arg(data)
            .env("HOLDFAST_SETUP_TOKEN", SETUP_TOKEN);
        command.env("HOLDFAST_LOG", "off").stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(command.spawn().unwrap());
    }

    /// SIGKILL: nothing is flushed, nobody is told.
    fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

/// Chooses moments to die; seeded, so that a run can be repeated.
struct Delay(u64);

impl Delay {
    fn next_ms(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_and_nothing_is_half_made() {
    let kills: u32 = std::env::var("HOLDFAST_KILLS").map_or(10, |kills| kills.parse().unwrap());
    // Requests that die with the server are no news.
    std::panic::set_hook(Box::new(|_| {}));
    // Only its randomness is used: the server that is killed is a program of its own.
    let world = Arc::new(World::new().await);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut program = Program { address: free, running: None };
    let mut delay = Delay(42);
    let (mut done, mut sessions, mut codes) = (0, 0, 0);

    while done < kills {
        // Each database lives through some deaths; the first comes in the middle of sign-ups.
        let data = tempfile::tempdir().unwrap();
        let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
        for _ in 0..5.min(kills - done) {
            program.start(data.path());
            wait_until_it_answers(free).await;
            check(&acknowledged).await;
            let work = || tokio::spawn(work(world.clone(), free, acknowledged.clone()));
            let workers = [work(), work(), work(), work()];
            tokio::time::sleep(Duration::from_millis(2 + delay.next_ms(200))).await;
            program.kill();
            for worker in workers {
                let _died_with_the_server = worker.await;
            }
            inspect(data.path()).await;
            done += 1;
        }
        program.start(data.path());
        wait_until_it_answers(free).await;
        sessions += check(&acknowledged).await;
        codes += acknowledged.lock().unwrap().codes;
        program.kill();
    }
    let _silent = std::panic::take_hook();
    println!(
        "{done} kills; {sessions} sessions and {codes} lists of codes were acknowledged, and all are in place"
    );
    assert!(sessions > 0, "no session was ever acknowledged: nothing was shown");
}

/// Signs up or, where that has happened, signs in; again and again, until the server is gone.
async fn work(world: Arc<World>, address: SocketAddr, acknowledged: Arc<Mutex<Acknowledged>>) {
    loop {
        let mut guest = world.guest();
        guest.address = address;
        let tried = acknowledged.lock().unwrap().tried.clone();
        let browser = match sign_in(&mut guest, &tried).await {
            Some(browser) => browser,
            // Nobody has signed up yet, or the server died before it heard of it.
            None => match sign_up(&mut guest, &world, &acknowledged).await {
                Some(browser) => browser,
                None => continue,
            },
        };
        let verifiers = (0..10).map(|_| Bytes(browser.app.entropy.make::<32>().to_vec())).collect();
        let browser = Arc::new(browser);
        acknowledged.lock().unwrap().sessions.push(browser.clone());
        let put = browser.post("/v1/recovery-codes", &RecoveryCodesRequest { verifiers }).await;
        if put.status.is_success() {
            acknowledged.lock().unwrap().codes += 1;
        }
    }
}

/// Remembers the passkey before the server can have heard of it: its yes may be lost.
async fn sign_up(guest: &mut Guest, world: &World, acknowledged: &Mutex<Acknowledged>) -> Option<Browser> {
    let options = guest.begin_setup().await;
    let mut passkey = SoftPasskey::new(world);
    let credential = passkey.register(&options, |_| {});
    acknowledged.lock().unwrap().tried.push(passkey);
    let answer = guest.finish_setup(&options, &credential).await;
    answer.status.is_success().then(|| guest.signed_in(&answer))
}

async fn sign_in(guest: &mut Guest, tried: &[SoftPasskey]) -> Option<Browser> {
    for passkey in tried {
        let answer = guest.sign_in(passkey, |_| {}).await;
        if answer.status.is_success() {
            return Some(guest.signed_in(&answer));
        }
    }
    None
}

async fn wait_until_it_answers(address: SocketAddr) {
    let answers = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answers).await.unwrap();
}

/// Every session that was acknowledged signs in to its account, and sees its codes.
async fn check(acknowledged: &Mutex<Acknowledged>) -> usize {
    let (sessions, codes) = {
        let acknowledged = acknowledged.lock().unwrap();
        (acknowledged.sessions.clone(), acknowledged.codes)
    };
    for session in &sessions {
        let me: Me = session.get("/v1/me").await.json();
        assert_eq!((&me.account.id, &me.session.id), (&session.account, &session.session));
        assert!(codes == 0 || me.recovery_codes.is_some_and(|codes| codes.left == 10));
    }
    assert!(codes <= 1, "two lists were acknowledged");
    sessions.len()
}

/// Looks into the file itself: all of an account, or nothing of it.
async fn inspect(data: &Path) {
    let Db::Sqlite(file) = Db::open_sqlite(&data.join("holdfast.sqlite3")).await.unwrap() else {
        panic!("a file is SQLite's")
    };
    let count =
        async |query: &'static str| -> i64 { sqlx::query_scalar(query).fetch_one(&file).await.unwrap() };
    let intact: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&file).await.unwrap();
    assert_eq!(intact, "ok");
    let accounts = count("SELECT COUNT(*) FROM accounts").await;
    assert!(accounts <= 1);
    assert_eq!(accounts, count("SELECT COUNT(*) FROM setup").await);
    assert_eq!(accounts, count("SELECT COUNT(*) FROM passkeys").await);
    let made = "SELECT COUNT(*) FROM activity WHERE what LIKE '%account_created%'";
    assert_eq!(accounts, count(made).await);
    let opened = "SELECT COUNT(*) FROM activity WHERE what LIKE '%signed_in%'";
    assert_eq!(count("SELECT COUNT(*) FROM sessions").await, count(opened).await);
    let codes = count("SELECT COUNT(*) FROM recovery_codes").await;
    assert_eq!(codes, 10 * count("SELECT COUNT(*) FROM recovery_code_lists").await);
    let numbered = count("SELECT COALESCE(MAX(activity_count), 0) FROM accounts").await;
    assert_eq!(numbered, count("SELECT COUNT(*) FROM activity").await);
    file.close().await;
}
