//! The real program, on the database that the test's own server has left.

use crate::support::{ORIGIN, PATIENCE, SECRET, World, run};
use holdfast_protocol::ids::WalletId;
use holdfast_server::db::Db;
use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// `holdfast` with its data; killed when dropped.
pub struct Program {
    pub address: SocketAddr,
    data: TempDir,
    database_url: Option<String>,
    /// Of its environment, beside what it always has.
    pub settings: Vec<(&'static str, &'static str)>,
    running: Option<Child>,
}

impl Program {
    /// Takes the database over: the world's own server has none from here on.
    pub async fn after(world: &World) -> Self {
        let data = tempfile::tempdir().unwrap();
        let database_url = match &world.app.db {
            Db::Sqlite(_) => None,
            Db::Postgres(pool) => {
                Some(sqlx::ConnectOptions::to_url_lossy(&*pool.connect_options()).to_string())
            }
        };
        // The world has a clock of its own, and the program that of the machine, whatever day it shows.
        run!(world.app.db, "UPDATE agents SET expires_at_ms = 9000000000000");
        run!(
            world.app.db,
            "UPDATE sessions SET created_at_ms = 9000000000000, last_seen_at_ms = 9000000000000"
        );
        world.app.db.close().await;
        if database_url.is_none() {
            let made = world.folder.path().join("holdfast.db");
            std::fs::rename(made, data.path().join("holdfast.sqlite3")).unwrap();
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { address, data, database_url, settings: Vec::new(), running: None }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.args(words).args(["--mode", "development", "--origin", ORIGIN]);
        command.arg("--data").arg(self.data.path()).env("HOLDFAST_SECRET", SECRET).env("HOLDFAST_LOG", "off");
        match &self.database_url {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env_remove("DATABASE_URL"),
        };
        command.envs(self.settings.iter().copied());
        command
    }

    /// Returns when it answers.
    pub async fn start(&mut self) {
        let listen = self.address.to_string();
        let mut command = self.command(&["serve", "--listen", &listen]);
        let says = File::create(self.says()).unwrap();
        self.running = Some(command.stdout(says).stderr(Stdio::null()).spawn().unwrap());
        let answers = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.unwrap();
    }

    /// What it says since it was started, in a file.
    pub fn says(&self) -> PathBuf {
        self.data.path().join("says")
    }

    /// SIGKILL: nothing is flushed, nobody is told.
    pub fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As the operator does, in a process of its own.
    pub fn issue(&self, to: &WalletId, amount: &str) -> Output {
        self.command(&["wallet", "issue", "--to", to.as_str(), "--amount", amount]).output().unwrap()
    }

    /// What the one stored credential is encrypted under.
    pub async fn key_id(&self) -> String {
        let (db, sql) = (self.database().await, "SELECT key_id FROM credentials");
        let found = match &db {
            Db::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
            Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        };
        db.close().await;
        found.unwrap()
    }

    /// What it has written.
    pub async fn database(&self) -> Db {
        match &self.database_url {
            Some(url) => Db::open_postgres(url).await.unwrap(),
            None => Db::open_sqlite(&self.data.path().join("holdfast.sqlite3")).await.unwrap(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}
