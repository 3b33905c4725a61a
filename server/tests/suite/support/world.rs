use super::{Browser, PATIENCE, Program};
use axum::Router;
use holdfast_protocol::{
    history::{Activity, ActivityEvent},
    ids::{AccountId, AgentId, PasskeyId},
};
use holdfast_server::{
    app::{App, stored},
    audit::{self, Event},
    clock::Clock,
    config::Config,
    db::Db,
    entropy::Entropy,
    listen::{self, Patience},
    router,
    secrets::{Keyring, Secret},
};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;

/// Where the page believes to be.
pub const ORIGIN: &str = "http://localhost:8080";
/// What opens the setup.
pub const SETUP_TOKEN: &str = "a-setup-token-of-the-tests";
/// What every key of the server is derived from.
pub const SECRET: &str = "a secret a secret a secret a secret ";
/// What credentials are encrypted under.
pub const CREDENTIALS_KEY: &str = "a key to credentials a key to credentials";
/// When the clock begins.
pub const START_MS: u64 = 1_800_000_000_000;

/// Tests of other things do not wait for it.
pub const PATIENT: Patience =
    Patience { head: Duration::from_secs(60), unread: Duration::from_secs(60), connections: 4_000 };

/// Runs a statement on whichever database is open.
macro_rules! run {
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &$db {
            holdfast_server::db::Db::Sqlite(pool) => {
                sqlx::query($sql)$(.bind($bind))*.execute(pool).await.unwrap().rows_affected()
            }
            holdfast_server::db::Db::Postgres(pool) => {
                sqlx::query($sql)$(.bind($bind))*.execute(pool).await.unwrap().rows_affected()
            }
        }
    };
}
pub(crate) use run;

/// A running server with a clock that stands still.
pub struct World {
    pub app: App,
    pub clock: Clock,
    pub address: SocketAddr,
    pub folder: Arc<TempDir>,
}

/// What a server stands on.
struct Ground {
    folder: Arc<TempDir>,
    db: Db,
    clock: Clock,
}

impl Ground {
    async fn new() -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        Self { db: open(&folder).await, folder, clock: Clock::manual(START_MS) }
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With another configuration than the tests' usual one.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::alone(change, PATIENT).await
    }

    /// With an application's own addresses beside those of Holdfast.
    pub async fn serving(application: impl FnOnce(&App) -> Router) -> Self {
        Self::start(Ground::new().await, Entropy::counted(1), |_| {}, PATIENT, application).await
    }

    /// With another patience than the tests' usual one.
    pub async fn with_patience(patience: Patience) -> Self {
        Self::alone(|_| {}, patience).await
    }

    async fn alone(change: impl FnOnce(&mut Config), patience: Patience) -> Self {
        Self::start(Ground::new().await, Entropy::counted(1), change, patience, |_| Router::new()).await
    }

    /// A second instance beside this one, on the same database.
    pub async fn beside(&self, change: impl FnOnce(&mut Config)) -> Self {
        self.beside_by(self.clock.clone(), Entropy::counted(2), change).await
    }

    /// A third, whose clock is ahead of the others'.
    pub async fn ahead_by_ms(&self, ms: u64) -> Self {
        let clock = Clock::manual(self.clock.now().unix_ms + ms);
        self.beside_by(clock, Entropy::counted(3), |_| {}).await
    }

    async fn beside_by(&self, clock: Clock, entropy: Entropy, change: impl FnOnce(&mut Config)) -> Self {
        let (folder, db) = (self.folder.clone(), self.app.db.clone());
        Self::start(Ground { folder, db, clock }, entropy, change, PATIENT, |_| Router::new()).await
    }

    async fn start(
        ground: Ground,
        entropy: Entropy,
        change: impl FnOnce(&mut Config),
        patience: Patience,
        application: impl FnOnce(&App) -> Router,
    ) -> Self {
        let Ground { folder, db, clock } = ground;
        let secret = |text: &str| Secret::new(text.to_owned());
        let mut config = Config::development(ORIGIN, secret(SECRET), secret(SETUP_TOKEN));
        config.credentials_keys = Keyring::new(secret(CREDENTIALS_KEY), None);
        config.pop.jitter_ms = 0;
        config.terminal = true;
        change(&mut config);
        let app = App::new(config, db, clock.clone(), entropy);
        app.begin().await.unwrap();

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = application(&app).merge(router(app.clone()));
        tokio::spawn(listen::serve(listener, router, app.clone(), patience));
        Self { app, clock, address, folder }
    }

    /// A new account with a passkey.
    pub async fn account(&self) -> AccountId {
        let account = AccountId::make(self.app.entropy.make());
        let email = format!("{account}@example.org");
        run!(
            self.app.db,
            "INSERT INTO accounts (id, user_handle, name, email, email_key, role, tier, epoch, created_at_ms)
             VALUES ($1, $2, 'Ada', $3, $4, 'member', 'web_locked', 1, $5)",
            account.as_str(),
            account.as_str().as_bytes(),
            email.as_str(),
            email.as_str(),
            self.app.clock.unix_ms(),
        );
        run!(
            self.app.db,
            "INSERT INTO passkeys (id, account_id, credential_id, public_key, aaguid, sign_count,
                                   backup_eligible, backup_state, transports, name, browser, system,
                                   created_at_ms)
             VALUES ($1, $2, $3, $4, $5, 0, $6, $7, '', 'Key', 'Firefox', 'Linux', $8)",
            passkey_of(&account).as_str(),
            account.as_str(),
            account.as_str().as_bytes(),
            [0_u8; 65].as_slice(),
            [0_u8; 16].as_slice(),
            false,
            false,
            self.app.clock.unix_ms(),
        );
        account
    }

    /// An agent of an account that is at work, with a budget of 10 USD.
    pub async fn agent(&self, account: &AccountId) -> Program {
        let (id, token) = (AgentId::make(self.app.entropy.make()), self.app.entropy.make_text());
        let now_ms = self.app.clock.unix_ms();
        run!(
            self.app.db,
            "INSERT INTO agents (id, account_id, name, scope, budget_micros, token_hash, approved_at_ms,
                                 expires_at_ms)
             VALUES ($1, $2, 'Shopper', 'workspace', 10000000, $3, $4, $5)",
            id.as_str(),
            account.as_str(),
            stored(&token),
            now_ms,
            now_ms + 86_400_000,
        );
        Program { address: self.address, id, token }
    }

    /// Another browser of an account, signed in.
    pub async fn sign_in(&self, account: &AccountId) -> Browser {
        Browser::sign_in(self, account, &passkey_of(account)).await
    }

    /// A browser of a new account.
    pub async fn browser(&self) -> Browser {
        let account = self.account().await;
        self.sign_in(&account).await
    }

    /// Records an event of the account, and tells the live connections.
    pub async fn happens(&self, account: &AccountId, name: &str) {
        self.all_happen(account, &[name.to_owned()]).await;
    }

    /// The same for several, in one transaction.
    pub async fn all_happen(&self, account: &AccountId, names: &[String]) {
        let mut tx = self.app.db.write().await.unwrap();
        for name in names {
            let what = Activity::PasskeyRenamed { passkey: passkey_of(account), name: name.clone() };
            let at_ms = self.app.clock.unix_ms();
            let event = Event { account, what, device: None, session: None, at_ms };
            audit::record(&mut tx, event).await.unwrap();
        }
        tx.commit(&self.app.live).await.unwrap();
    }

    pub fn advance_ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    /// Waits for what another task is about to do.
    pub async fn until<F: Future<Output = bool>>(&self, mut is_so: impl FnMut() -> F) {
        let wait = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }
}

/// The name that [`World::happens`] gave an event.
pub fn name_of(event: &ActivityEvent) -> Option<&str> {
    match &event.what {
        Activity::PasskeyRenamed { name, .. } => Some(name),
        _ => None,
    }
}

pub fn passkey_of(account: &AccountId) -> PasskeyId {
    PasskeyId::parse(&account.as_str().replace("acc", "psk")).unwrap()
}

/// A database of the test's own.
async fn open(folder: &TempDir) -> Db {
    let Ok(url) = std::env::var("HOLDFAST_TEST_DATABASE_URL") else {
        return Db::open_sqlite(&folder.path().join("holdfast.db")).await.unwrap();
    };
    let options: PgConnectOptions = url.parse().unwrap();
    let name = format!("holdfast_{:032x}", u128::from_be_bytes(Entropy::system().make()));
    let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
    Db::open_postgres(options.database(&name).to_url_lossy().as_str()).await.unwrap()
}
