//! The database: SQLite in one file, or PostgreSQL. Each statement is written once, with `$1`, and run
//! by the macros below on whichever is open.

use crate::{audit::Recorded, live::Live};
use sqlx::{
    Database, PgPool, SqlitePool,
    migrate::MigrateError,
    pool::PoolConnection,
    postgres::{PgListener, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    ops::{Deref, DerefMut},
    path::Path,
    time::Duration,
};

/// An open database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// An open transaction; dropped without [`Tx::commit`], it is rolled back.
pub struct Tx {
    pub(crate) on: On,
    recorded: Recorded,
    /// It has put mail into the outbox.
    posted: bool,
}

/// Which database a transaction is open on; matched only by the macros below.
pub enum On {
    Sqlite(Open<sqlx::Sqlite>),
    Postgres(Open<sqlx::Postgres>),
}

/// What statements run on.
pub enum Open<D: Database> {
    Transaction(sqlx::Transaction<'static, D>),
    /// For one statement, which is a transaction of its own.
    Statement(PoolConnection<D>),
}

impl<D: Database> Deref for Open<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        match self {
            Open::Transaction(tx) => tx,
            Open::Statement(connection) => connection,
        }
    }
}

impl<D: Database> DerefMut for Open<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        match self {
            Open::Transaction(tx) => tx,
            Open::Statement(connection) => connection,
        }
    }
}

impl<D: Database> Open<D> {
    async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Open::Transaction(tx) => tx.commit().await,
            Open::Statement(_) => Ok(()),
        }
    }
}

/// How long a writer waits for another, and a request for a pooled connection.
const WAIT: Duration = Duration::from_secs(10);

impl Db {
    /// Opens or makes a SQLite file, for durability: a power cut loses no committed transaction.
    pub async fn open_sqlite(file: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT);
        let pool = SqlitePoolOptions::new().max_connections(8).acquire_timeout(WAIT);
        let pool = pool.connect_with(options).await?;
        sqlx::migrate!().run(&pool).await.map_err(migration)?;
        Ok(Self::Sqlite(pool))
    }

    /// Connects to PostgreSQL.
    pub async fn open_postgres(url: &str) -> Result<Self, sqlx::Error> {
        let pool = PgPoolOptions::new().max_connections(16).acquire_timeout(WAIT).connect(url).await?;
        let blob = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(5478); CREATE DOMAIN blob AS bytea; \
                    EXCEPTION WHEN duplicate_object THEN NULL; END $$";
        sqlx::raw_sql(blob).execute(&pool).await?;
        sqlx::migrate!().run(&pool).await.map_err(migration)?;
        Ok(Self::Postgres(pool))
    }

    /// Opens a SQLite file as it is, to read it: nothing is made, nothing is migrated.
    pub async fn inspect_sqlite(file: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .busy_timeout(WAIT)
            .row_buffer_size(AHEAD);
        Ok(Self::Sqlite(SqlitePoolOptions::new().max_connections(1).connect_with(options).await?))
    }

    /// Connects to PostgreSQL to read what is there: nothing is made, nothing is migrated, and a transaction
    /// sees one moment, as it does on SQLite.
    pub async fn inspect_postgres(url: &str) -> Result<Self, sqlx::Error> {
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(WAIT).after_connect(|connection, _| {
                let reading =
                    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
                Box::pin(async move { sqlx::raw_sql(reading).execute(connection).await.map(drop) })
            });
        Ok(Self::Postgres(pool.connect(url).await?))
    }

    /// A transaction that will write. On SQLite it takes the write lock at once: one that finds out
    /// later that it must write is refused when another wrote meanwhile.
    pub async fn write(&self) -> Result<Tx, sqlx::Error> {
        let on = match self {
            Db::Sqlite(pool) => On::Sqlite(Open::Transaction(pool.begin_with("BEGIN IMMEDIATE").await?)),
            Db::Postgres(pool) => On::Postgres(Open::Transaction(pool.begin().await?)),
        };
        Ok(Tx::on(on))
    }

    /// For a single statement that reads: without a transaction's beginning and end, which are two more trips
    /// to the database.
    pub async fn look(&self) -> Result<Tx, sqlx::Error> {
        let on = match self {
            Db::Sqlite(pool) => On::Sqlite(Open::Statement(pool.acquire().await?)),
            Db::Postgres(pool) => On::Postgres(Open::Statement(pool.acquire().await?)),
        };
        Ok(Tx::on(on))
    }

    /// A transaction that only reads.
    pub async fn read(&self) -> Result<Tx, sqlx::Error> {
        let on = match self {
            Db::Sqlite(pool) => On::Sqlite(Open::Transaction(pool.begin().await?)),
            Db::Postgres(pool) => On::Postgres(Open::Transaction(pool.begin().await?)),
        };
        Ok(Tx::on(on))
    }

    /// What other instances say on a channel; `None` on SQLite, which has no other instance.
    pub async fn listener(&self, channel: &str) -> Result<Option<PgListener>, sqlx::Error> {
        let Db::Postgres(pool) = self else { return Ok(None) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(channel).await?;
        Ok(Some(listener))
    }

    /// Closes every connection; SQLite's log is folded into its file.
    pub async fn close(&self) {
        match self {
            Db::Sqlite(pool) => pool.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

fn migration(error: MigrateError) -> sqlx::Error {
    sqlx::Error::Migrate(Box::new(error))
}

impl Tx {
    fn on(on: On) -> Self {
        Self { on, recorded: Recorded::default(), posted: false }
    }

    /// Mail waits in the outbox from this transaction on.
    pub(crate) fn has_posted(&mut self) {
        self.posted = true;
    }

    /// What has been recorded in this transaction.
    pub(crate) fn recorded(&mut self) -> &mut Recorded {
        &mut self.recorded
    }

    /// Makes it last, and then wakes the live connections of the accounts that it concerned: on this
    /// instance directly, on the others through PostgreSQL. Mail goes out from this instance.
    pub async fn commit(mut self, live: &Live) -> Result<(), sqlx::Error> {
        let accounts = self.recorded.accounts();
        if let On::Postgres(tx) = &mut self.on {
            for account in &accounts {
                let notify = sqlx::query("SELECT pg_notify($1, $2)");
                notify.bind(crate::live::CHANNEL).bind(account.as_str()).execute(&mut **tx).await?;
            }
        }
        match self.on {
            On::Sqlite(tx) => tx.commit().await?,
            On::Postgres(tx) => tx.commit().await?,
        }
        for account in &accounts {
            live.wake(account);
        }
        if self.posted {
            live.post();
        }
        Ok(())
    }
}

/// Runs a statement: `execute!(tx, "UPDATE … WHERE id = $1", id)` gives the number of rows.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &mut $tx.on {
            $crate::db::On::Sqlite(tx) => sqlx::query($sql)$(.bind($bind))*.execute(&mut **tx).await
                .map(|done| done.rows_affected()),
            $crate::db::On::Postgres(tx) => sqlx::query($sql)$(.bind($bind))*.execute(&mut **tx).await
                .map(|done| done.rows_affected()),
        }
    };
}

/// Reads all rows as a type that derives `sqlx::FromRow`, or a tuple: `rows!(tx, Row, "SELECT …", id)`.
macro_rules! rows {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &mut $tx.on {
            $crate::db::On::Sqlite(tx) => sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut **tx).await,
            $crate::db::On::Postgres(tx) => sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut **tx).await,
        }
    };
}

/// Reads one row or none.
macro_rules! row {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &mut $tx.on {
            $crate::db::On::Sqlite(tx) => sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(&mut **tx).await,
            $crate::db::On::Postgres(tx) => sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(&mut **tx).await,
        }
    };
}

/// How many rows are read ahead. SQLite works in a thread of its own: where each row is waited for, and its place
/// then given back, the two wake each other twice a row. For the same reason rows are fetched as they are, and
/// decoded one by one when they are taken: while SQLite reads the next, both want the queue and the memory.
pub(crate) const AHEAD: usize = 256;

/// Reads rows one after the other, without ever holding more than [`AHEAD`] and as many again:
/// `each!(tx, Row, |row| take(row), "SELECT …")`.
macro_rules! each {
    ($tx:expr, $row:ty, $take:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use futures_util::TryStreamExt as _;
        let mut take = $take;
        match &mut $tx.on {
            $crate::db::On::Sqlite(tx) => {
                let found = sqlx::query($sql)$(.bind($bind))*.fetch(&mut **tx);
                let mut found = found.try_ready_chunks($crate::db::AHEAD);
                while let Some(rows) = found.try_next().await.map_err(|failed| failed.1)? {
                    for row in rows {
                        take(<$row as sqlx::FromRow<_>>::from_row(&row)?);
                    }
                }
            }
            $crate::db::On::Postgres(tx) => {
                let mut found = sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch(&mut **tx);
                while let Some(row) = found.try_next().await? { take(row); }
            }
        }
        Ok::<(), sqlx::Error>(())
    }};
}

pub(crate) use {each, execute, row, rows};

/// Whether a statement failed because what it inserts is there already.
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether the same again may succeed in a moment: the database is busy, restarting or gone, or two
/// transactions were in each other's way.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing_code(&code)),
        _ => false,
    }
}

fn is_passing_code(code: &str) -> bool {
    // PostgreSQL's have five signs; SQLite's are numbers, whose lowest byte is the kind.
    if code.len() == 5 {
        const OURS: [&str; 7] = ["40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03"];
        return code.starts_with("08") || OURS.contains(&code);
    }
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    code.parse::<u32>().is_ok_and(|code| [BUSY, LOCKED].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_database_passes_and_a_wrong_statement_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("busy.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        let writing = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        assert!(is_passing(&pool.begin_with("BEGIN IMMEDIATE").await.unwrap_err()));
        drop(writing);
        let wrong = sqlx::query("SELECT nothing FROM nowhere").execute(&pool).await.unwrap_err();
        assert!(!is_passing(&wrong), "{wrong}");
    }

    #[test]
    fn codes_that_pass() {
        for code in ["40001", "40P01", "08006", "57P01", "5", "517", "262"] {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["23505", "42P01", "1", "2067", "", "x"] {
            assert!(!is_passing_code(code), "{code}");
        }
    }
}
