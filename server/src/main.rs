//! The program `holdfast`.

use clap::{Args, Parser, Subcommand};
use holdfast_protocol::{ids::WalletId, wallet::Usd};
use holdfast_server::{
    account,
    app::App,
    audit::Witness,
    clock::Clock,
    config::Mode,
    db::Db,
    entropy::Entropy,
    ledger,
    listen::{self, Patience},
    live, mail, openapi, router,
    settings::{Settings, Start},
    verify_log::{self, Verdict},
};
use std::{
    error::Error,
    fs::{DirBuilder, OpenOptions},
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::{net::TcpListener, signal::unix::SignalKind, sync::oneshot};
use tracing_subscriber::EnvFilter;

/// Holdfast: a console that a stolen cookie does not open.
///
/// Settings come from flags, then from the environment, then from the file named by --config.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the console.
    ///
    /// In production it wants HOLDFAST_SECRET, CREDENTIALS_KEY, HOLDFAST_ORIGIN and, until the first
    /// account exists, HOLDFAST_SETUP_TOKEN; it says which of them is missing. With --mode development
    /// it makes what is missing and keeps it in the data folder.
    Serve(Box<Settings>),

    /// Verifies the whole audit trail offline.
    ///
    /// Judges each event by its hash, each confirmed step-up by its parameters, sentence, token and signature,
    /// and the chain by the signed heads. It changes nothing and needs no running server. Exit code: 0 when
    /// all is well, 1 when something was found, 2 when it could not verify.
    VerifyLog(Box<verify_log::Arguments>),

    /// Prints the HTTP contract as an OpenAPI 3.1 document.
    Openapi,

    /// The money in people's wallets.
    #[command(subcommand)]
    Wallet(WalletCommand),
}

#[derive(Subcommand)]
enum WalletCommand {
    /// Puts new money into a wallet: this console has no bank, and what people send comes from its operator.
    ///
    /// Wants the settings of `serve`; the console may be running meanwhile.
    Issue(Box<Issue>),
}

#[derive(Args)]
struct Issue {
    /// Into which: its owner sees the id, wal_….
    #[arg(long, value_name = "WALLET", value_parser = WalletId::parse)]
    to: WalletId,

    /// In US dollars, like 12.50.
    #[arg(long, value_name = "AMOUNT", value_parser = Usd::parse)]
    amount: Usd,

    #[command(flatten)]
    settings: Settings,
}

/// How long requests and connections may take to end when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(settings) => start(*settings, None),
        Command::VerifyLog(arguments) => verify(*arguments),
        Command::Openapi => print(openapi::text()),
        Command::Wallet(WalletCommand::Issue(issue)) => {
            let Issue { to, amount, settings } = *issue;
            start(settings, Some((to, amount)))
        }
    }
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Nothing can be written: {error}.");
            ExitCode::FAILURE
        }
    }
}

fn start(settings: Settings, issue: Option<(WalletId, Usd)>) -> ExitCode {
    let start = match settings.start() {
        Ok(start) => start,
        Err(wrong) => {
            eprintln!("Holdfast does not start:\n{wrong}");
            return ExitCode::from(2);
        }
    };
    log(start.config.mode);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Holdfast does not start: the system gives no threads ({error}).");
            return ExitCode::FAILURE;
        }
    };
    let done = match issue {
        None => runtime.block_on(serve(start)),
        Some((to, amount)) => runtime.block_on(put_into_wallet(start, &to, amount)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Holdfast stops: {error}");
            ExitCode::FAILURE
        }
    }
}

fn verify(arguments: verify_log::Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let verified = runtime
        .map_err(|error| format!("the system gives no runtime ({error})"))
        .and_then(|runtime| runtime.block_on(verify_log::run(arguments, &mut io::stdout().lock())));
    match verified {
        Ok(Verdict::AllIsWell) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        Err(why) => {
            eprintln!("Nothing was verified: {why}.");
            ExitCode::from(2)
        }
    }
}

/// Words for a person in development, JSON for machines in production.
fn log(mode: Mode) {
    let filter = EnvFilter::try_from_env("HOLDFAST_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match mode {
        Mode::Production => logs.json().init(),
        Mode::Development => logs.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
    }
}

async fn open(start: &Start) -> Result<Db, String> {
    if let Some(url) = &start.database_url {
        let opened = Db::open_postgres(url).await;
        return opened.map_err(|error| format!("PostgreSQL does not answer at DATABASE_URL: {error}"));
    }
    let file = start.data.join("holdfast.sqlite3");
    let cure = "Set --data (HOLDFAST_DATA) to a folder that this user can write";
    let cannot = |what: &str, path: &Path, error: &dyn Error| {
        format!("the {what} {} cannot be used: {error}. {cure}.", path.display())
    };
    make_private(&start.data, &file).map_err(|error| cannot("data folder", &start.data, &error))?;
    Db::open_sqlite(&file).await.map_err(|error| cannot("database", &file, &error))
}

async fn put_into_wallet(start: Start, to: &WalletId, amount: Usd) -> Result<(), Box<dyn Error>> {
    let db = open(&start).await?;
    let app = App::new(start.config, db.clone(), Clock::system(), Entropy::system());
    let issued = ledger::issue(&app, to, amount).await;
    db.close().await;
    issued.map_err(|refusal| refusal.detail().to_owned())?;
    println!("{amount} USD more are in {to}.");
    Ok(())
}

async fn serve(start: Start) -> Result<(), Box<dyn Error>> {
    let db = open(&start).await?;
    let witness = Witness::open(&start.witness, &Entropy::system()).map_err(|error| {
        let folder = start.witness.display();
        format!("the folder {folder} of the audit trail's signed heads cannot be used: {error}. --witness (HOLDFAST_WITNESS) names another.")
    })?;
    let listener = TcpListener::bind(start.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}. Choose another with --listen, or with --port of `cargo xtask run`.",
            start.listen
        )
    })?;
    let production = start.config.mode == Mode::Production;
    let (origin, has_setup_token) = (start.config.origin.clone(), start.config.setup_token.is_some());
    let app = App::new(start.config, db.clone(), Clock::system(), Entropy::system());

    app.begin().await?;
    let is_set_up = account::is_set_up(&app).await?;
    if production && !is_set_up && !has_setup_token {
        return Err("HOLDFAST_SETUP_TOKEN is not set, and the first account does not exist yet. Set it to at least 16 random characters.".into());
    }
    println!("Holdfast answers at {origin}");
    match &start.database_url {
        Some(_) => println!("Its data is in PostgreSQL, as DATABASE_URL says."),
        None => println!("Its data is in {}.", start.data.display()),
    }
    if production && !is_set_up {
        println!("Make the first account at {origin}/setup, with the token in HOLDFAST_SETUP_TOKEN.");
    }
    match start.made_setup_token {
        Some(token) if !is_set_up => {
            println!("Make the first account, once, at\n\n    {origin}/setup#t={}\n", token.reveal())
        }
        _ => {}
    }

    if start.database_url.is_some() {
        live::listen(&app).await?;
    }
    let (enough, until) = oneshot::channel();
    let sweeper = tokio::spawn(sweep(app.clone(), witness, until));
    let postman = tokio::spawn(deliver(app.clone(), start.data.join("mail")));
    tokio::spawn(stop(app.clone()));
    tokio::spawn(renew_credentials(app.clone()));
    let serving = listen::serve(listener, router(app.clone()), app.clone(), Patience::with(&app.config));
    let mut stopping = app.live.stopping();
    let overdue = async {
        // The sender is the app's, so this cannot fail.
        let _stopping = stopping.wait_for(|stopping| *stopping).await.is_ok();
        tokio::time::sleep(STOP_WITHIN).await;
    };
    tokio::select! {
        () = serving => {}
        () = overdue => {}
    }
    // An upgraded connection is none of HTTP's any more; it too is told why it ends.
    if tokio::time::timeout(STOP_WITHIN, app.live.all_closed()).await.is_err() {
        tracing::warn!("some connections did not close in time");
    }
    drop(enough);
    if sweeper.await.is_err() {
        tracing::error!("the last events of the audit trail were not signed");
    }
    postman.abort();
    db.close().await;
    Ok(())
}

/// Names and addresses are nobody else's business: the folder is the owner's alone where it is made here,
/// and so is the database. SQLite gives its other files the rights of this one.
fn make_private(folder: &Path, file: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

/// Waits for SIGTERM or SIGINT, then closes live connections with their code; the requests under way
/// are finished.
async fn stop(app: App) {
    let terminated = async {
        match tokio::signal::unix::signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping");
    app.live.stop();
}

async fn renew_credentials(app: App) {
    if let Err(error) = app.renew_credentials().await {
        tracing::warn!(%error, "credentials are still under the previous key; the next start tries again");
    }
}

/// Delivers mail when there is some, and what waits for another try within a minute of its time.
async fn deliver(app: App, folder: PathBuf) {
    loop {
        match mail::deliver(&app, &folder).await {
            Ok(written) if written.is_empty() => {
                let _or_later = tokio::time::timeout(Duration::from_secs(60), app.live.posted()).await;
            }
            Ok(written) => written.iter().for_each(|path| println!("Mail: {}", path.display())),
            Err(error) => {
                tracing::warn!(%error, "the mail cannot be read; it waits");
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        }
    }
}

/// Once a minute; and at the end, when nothing more happens, signs what the audit trail has become.
async fn sweep(app: App, mut witness: Witness, mut until: oneshot::Receiver<()>) {
    loop {
        if let Err(error) = app.sweep().await {
            tracing::warn!(%error, "what has expired could not be removed; it stays refused");
        }
        sign(&app, &mut witness).await;
        if tokio::time::timeout(Duration::from_secs(60), &mut until).await.is_ok() {
            return sign(&app, &mut witness).await;
        }
    }
}

async fn sign(app: &App, witness: &mut Witness) {
    if let Err(error) = witness.sign(&app.db, &app.clock).await {
        tracing::error!(%error, "the newest events of the audit trail are not signed yet");
    }
}
