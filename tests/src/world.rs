//! The server in process, at an address and with a clock of the test's own, beside the browsers that
//! visit it:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use holdfast_tests::browser::{AuthenticatorOptions, Kind};
//! use holdfast_tests::world::World;
//! use std::time::Duration;
//!
//! let mut world = World::new().await?;
//! let browser = world.browser(Kind::Firefox).await?;
//! let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
//! world.sign_up(&browser).await?;
//! world.pass(Duration::from_secs(300));
//! world.restart().await?;
//! world.assert_no_violations(&browser).await
//! # }
//! ```

mod flow;
mod server;
mod store;
mod tls;
mod walks;
mod wire;

pub use walks::{
    Person, answers_more_than, answers_on_time, asked_code, code_field, confirm, prompt, recovery_codes,
};
pub use wire::{Exchange, Wire};

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use axum::Router;
use holdfast_protocol::history::Activity;
use holdfast_protocol::ids::{AccountId, WalletId};
use holdfast_protocol::wallet::Usd;
use holdfast_server::audit::{self, Event};
use holdfast_server::verify_log::{self, Heads, Rules, Verifier};
use holdfast_server::{app::App, clock::Clock, config::Config, ledger, secrets::Secret};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::browser::{Authenticator, AuthenticatorOptions, Browser, Kind, Tab};
use crate::wait;
use flow::Flow;
use server::Server;
use store::Store;
use tls::Tls;

/// A console of one's own: nothing is shared with another test's.
#[derive(Debug)]
pub struct World {
    origin: String,
    address: SocketAddr,
    /// Keeps the port while the server is stopped. It never listens: who dials meets nobody.
    #[expect(dead_code, reason = "held so that nobody else gets the port")]
    place: TcpSocket,
    config: Setting,
    clock: Clock,
    flow: Flow,
    store: Store,
    wire: Wire,
    site: Router,
    /// Streams of an application's own, made anew with each start.
    streams: fn(&App) -> Router,
    server: Option<Server>,
    tls: Option<Tls>,
}

/// How browsers reach it.
#[derive(Debug, Clone, Copy)]
pub enum Over {
    /// `http://localhost`.
    Plain,
    /// `https://localhost`.
    Tls,
}

/// A configuration, which shows no secret.
struct Setting(Config);

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setting({})", self.0.origin)
    }
}

const SETUP_TOKEN: &str = "the-token-that-the-server-prints";
const SECRET: &str = "a secret of at least thirty-two characters";

impl World {
    /// A running server without any account. Its time flows like everybody's, and further where the
    /// test says so.
    pub async fn new() -> Result<Self> {
        Self::beside(Router::new()).await
    }

    /// The same with pages and files of somebody else's at the same origin, as in their console.
    pub async fn beside(site: Router) -> Result<Self> {
        Self::reached(Over::Plain, site, |_| Router::new()).await
    }

    /// The same with somebody else's streams.
    pub async fn with_streams(streams: fn(&App) -> Router) -> Result<Self> {
        Self::reached(Over::Plain, Router::new(), streams).await
    }

    /// The same over TLS, for a browser that takes `__Host-` cookies in no other way. Nobody has signed
    /// the certificate.
    pub async fn over_tls(site: Router) -> Result<Self> {
        Self::reached(Over::Tls, site, |_| Router::new()).await
    }

    /// All of it: how it is reached, somebody else's pages, and their streams.
    pub async fn reached(over: Over, site: Router, streams: fn(&App) -> Router) -> Result<Self> {
        let place = TcpSocket::new_v4().context("make a socket")?;
        place.set_reuseaddr(true)?;
        place.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("find a free port")?;
        let address = place.local_addr()?;
        let (origin, tls) = match over {
            Over::Plain => (format!("http://localhost:{}", address.port()), None),
            Over::Tls => {
                let tls = Tls::before(address)?;
                (format!("https://localhost:{}", tls.port), Some(tls))
            }
        };
        let secret = |text: &str| Secret::new(text.to_owned());
        let mut config = Config::development(&origin, secret(SECRET), secret(SETUP_TOKEN));
        config.terminal = true;
        let clock = Clock::manual(unix_ms()?);
        let mut world = Self {
            origin,
            address,
            place,
            config: Setting(config),
            flow: Flow::start(clock.clone())?,
            clock,
            store: Store::new().await?,
            wire: Wire::default(),
            site,
            streams,
            server: None,
            tls,
        };
        world.start().await?;
        Ok(world)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// An address of this console: `world.at("/security")`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What the server prints when it starts for the first time.
    pub fn setup_link(&self) -> String {
        self.at(&format!("/setup#t={SETUP_TOKEN}"))
    }

    /// The secret of that link.
    pub fn setup_token(&self) -> &'static str {
        SETUP_TOKEN
    }

    /// What passes between browsers and server.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Makes the server's clock go forward at once.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Lets the server's clock stand still; it goes on by [`World::pass`] alone.
    pub fn stop_time(&self) {
        self.flow.stop();
    }

    /// Starts the server that was stopped, with the same address, database and secrets.
    pub async fn start(&mut self) -> Result<()> {
        ensure!(self.server.is_none(), "the server runs already");
        let (config, clock) = (self.config.0.clone(), self.clock.clone());
        let streams = self.streams;
        let site = self.site.clone();
        let site = move |app: &App| site.merge(streams(app));
        let server = Server::start(config, clock, self.address, &self.store, &self.wire, site);
        self.server = Some(server.await.context("start the server")?);
        Ok(())
    }

    /// Stops the server as the operator does: live connections are told, what is under way is finished.
    pub async fn stop(&mut self) -> Result<()> {
        let server = self.server.take().context("the server runs")?;
        server.stop().await
    }

    /// Stops the server and starts it again.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.start().await
    }

    /// Starts the server again as one whose operator lets nobody open a terminal.
    pub async fn switch_terminals_off(&mut self) -> Result<()> {
        self.config.0.terminal = false;
        self.restart().await
    }

    /// Starts a new server, and only then stops the old one, as when an operator rolls a version out: for a
    /// moment both take connections.
    pub async fn roll(&mut self) -> Result<()> {
        let old = self.server.take().context("the server runs")?;
        self.start().await?;
        old.stop().await
    }

    /// A browser with a fresh profile. Chromium's virtual authenticators answer the offers in autofill
    /// by themselves, without any person; here passkeys are offered by buttons only.
    pub async fn browser(&self, kind: Kind) -> Result<Browser> {
        let browser = Browser::start(kind).await?;
        self.without_autofill(&browser).await?;
        Ok(browser)
    }

    /// The same on a machine with hardware for keys, for a world over TLS.
    pub async fn browser_with_hardware(&self) -> Result<Browser> {
        let tls = self.tls.as_ref().context("browsers use their hardware over TLS alone")?;
        let browser = Browser::start_with_hardware(&tls.key_hash).await?;
        self.without_autofill(&browser).await?;
        Ok(browser)
    }

    /// Opens another tab for the same person, at `/`. Chromium's virtual authenticators belong to one
    /// tab each, so that it gets a twin of this one.
    pub async fn another_tab(&self, browser: &Browser, authenticator: &Authenticator<'_>) -> Result<Tab> {
        let credentials = authenticator.credentials().await?;
        let tab = browser.new_tab().await?;
        self.without_autofill(browser).await?;
        if browser.kind() == Kind::Chromium {
            // It stays with the tab.
            let twin = browser.add_authenticator(AuthenticatorOptions::default()).await?;
            for credential in &credentials {
                twin.add_credential(credential).await?;
            }
        }
        browser.goto(&self.origin).await?;
        Ok(tab)
    }

    /// Makes the tab that is driven now one without passkeys in autofill (see [`World::browser`]).
    pub async fn without_autofill(&self, browser: &Browser) -> Result<()> {
        const SCRIPT: &str = "
            if (window.PublicKeyCredential) {
                const ask = PublicKeyCredential.getClientCapabilities.bind(PublicKeyCredential);
                PublicKeyCredential.getClientCapabilities =
                    async () => ({ ...(await ask()), conditionalGet: false });
            }";
        if browser.kind() == Kind::Chromium {
            let script = json!({ "source": SCRIPT });
            browser.devtools("Page.addScriptToEvaluateOnNewDocument", script).await?;
        }
        Ok(())
    }

    /// Runs a statement against the database, behind the server's back.
    pub async fn run_sql(&self, statement: &'static str) -> Result<u64> {
        store::run(&self.server()?.app.db, statement).await
    }

    /// Puts new money into a wallet, as the operator does.
    pub async fn issue(&self, wallet: &WalletId, amount: Usd) -> Result<()> {
        let issued = ledger::issue(&self.server()?.app, wallet, amount).await;
        issued.map_err(|refusal| anyhow::anyhow!("{}", refusal.detail()))
    }

    /// Mara “M”, who has a wallet and nothing in it, and no browser here: `wal_1111-1111-1111-1111`.
    pub async fn has_somebody_to_send_to(&self) -> Result<()> {
        const ACCOUNT: &str = "
            INSERT INTO accounts (id, user_handle, name, email, email_key, role, tier, epoch, created_at_ms)
            SELECT 'acc_1111-1111-1111-1111', public_key, 'Mara “M”', 'm@example.org', 'm@example.org', 'member',
                'web_locked', 1, created_at_ms + 1
            FROM passkeys";
        self.run_sql(ACCOUNT).await?;
        const WALLET: &str = "
            INSERT INTO wallets (id, account_id, created_at_ms)
            VALUES ('wal_1111-1111-1111-1111', 'acc_1111-1111-1111-1111', 1)";
        self.run_sql(WALLET).await.map(drop)
    }

    /// A column of text.
    pub async fn column(&self, query: &'static str) -> Result<Vec<String>> {
        store::column(&self.server()?.app.db, query).await
    }

    /// What the audit trail holds, the oldest first.
    pub async fn activity(&self) -> Result<Vec<Value>> {
        let events = self.column("SELECT what FROM activity ORDER BY id").await?;
        events.iter().map(|event| serde_json::from_str(event).context("read an event")).collect()
    }

    /// How many events of this kind the audit trail holds.
    pub async fn count(&self, kind: &str) -> Result<usize> {
        Ok(self.activity().await?.iter().filter(|event| event["kind"] == kind).count())
    }

    /// Waits until the audit trail holds so many events of this kind.
    pub async fn records(&self, kind: &str, count: usize) -> Result<()> {
        let recorded = wait::until(async || Ok((self.count(kind).await? >= count).then_some(())));
        let found = recorded.await?;
        found.with_context(|| format!("{count} of {kind} are not recorded"))
    }

    /// Lets something happen in the first account, as its other browsers would see it.
    pub async fn happens(&self, events: impl IntoIterator<Item = Activity>) -> Result<()> {
        let app = &self.server()?.app;
        let account = self.column("SELECT id FROM accounts ORDER BY created_at_ms").await?;
        let account = AccountId::parse(account.first().context("there is an account")?)?;
        let mut tx = app.db.write().await?;
        for what in events {
            let (account, at_ms) = (&account, app.clock.unix_ms());
            audit::record(&mut tx, Event { account, what, device: None, session: None, at_ms }).await?;
        }
        Ok(tx.commit(&app.live).await?)
    }

    /// The thumbprints of the keys of sessions that have not ended.
    pub async fn session_keys(&self) -> Result<Vec<String>> {
        self.column("SELECT jkt FROM sessions WHERE ended_at_ms IS NULL ORDER BY created_at_ms, id").await
    }

    /// Fails if the Content-Security-Policy stopped anything, by the browser's own word or by what it
    /// reported to the server, if a script failed without being caught, or if the audit trail does not hold.
    pub async fn assert_no_violations(&self, browser: &Browser) -> Result<()> {
        let complaints = browser.complaints().await?.into_iter();
        let wrong = complaints.filter(|it| it.is_violation() || it.source.contains("javascript"));
        let wrong: Vec<_> = wrong.collect();
        ensure!(wrong.is_empty(), "the browser complains: {wrong:?}");
        let reports = self.wire.exchanges_at("/v1/csp-report");
        ensure!(reports.is_empty(), "reported to the server: {reports:?}");
        self.assert_trail_holds().await
    }

    /// Of the events alone: a passkey that a test has put into its table was registered nowhere.
    async fn assert_trail_holds(&self) -> Result<()> {
        let mut verifier = Verifier::new(Rules::default(), Heads::default());
        let mut findings = Vec::new();
        let mut tx = self.server()?.app.db.read().await?;
        verify_log::rows(&mut tx, |row| findings.extend(verifier.take(&row))).await?;
        findings.extend(verifier.finish().1);
        ensure!(findings.is_empty(), "the audit trail does not hold: {findings:?}");
        Ok(())
    }

    fn server(&self) -> Result<&Server> {
        self.server.as_ref().context("the server is stopped")
    }
}

/// The machine's time, as the server's clock begins.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's clock begins where everybody's is, for its pages show ages"
)]
fn unix_ms() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("it is after 1970")?;
    u64::try_from(since.as_millis()).context("and before the year 500 million")
}
