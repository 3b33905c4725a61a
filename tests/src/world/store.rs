use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use holdfast_server::db::Db;
use tempfile::TempDir;

use crate::postgres;

/// Where the data lives while the server comes and goes.
#[derive(Clone, Debug)]
pub(super) enum Store {
    Sqlite { file: PathBuf, _folder: Arc<TempDir> },
    Postgres { url: String },
}

impl Store {
    /// An empty database: PostgreSQL where `HOLDFAST_TEST_DATABASE` is `postgres`, else a SQLite file.
    pub(super) async fn new() -> Result<Self> {
        if std::env::var("HOLDFAST_TEST_DATABASE").is_ok_and(|asked| asked == "postgres") {
            return Ok(Self::Postgres { url: postgres::fresh_database().await? });
        }
        let folder = TempDir::with_prefix("holdfast-data-").context("make a folder for the data")?;
        Ok(Self::Sqlite { file: folder.path().join("holdfast.sqlite3"), _folder: Arc::new(folder) })
    }

    pub(super) async fn open(&self) -> Result<Db> {
        let opened = match self {
            Self::Sqlite { file, .. } => Db::open_sqlite(file).await,
            Self::Postgres { url } => Db::open_postgres(url).await,
        };
        opened.context("open the database")
    }
}

pub(super) async fn run(db: &Db, statement: &'static str) -> Result<u64> {
    let rows = match db {
        Db::Sqlite(pool) => sqlx::query(statement).execute(pool).await.map(|done| done.rows_affected()),
        Db::Postgres(pool) => sqlx::query(statement).execute(pool).await.map(|done| done.rows_affected()),
    };
    rows.with_context(|| format!("run {statement:?}"))
}

pub(super) async fn column(db: &Db, query: &'static str) -> Result<Vec<String>> {
    let rows: Result<Vec<(String,)>, sqlx::Error> = match db {
        Db::Sqlite(pool) => sqlx::query_as(query).fetch_all(pool).await,
        Db::Postgres(pool) => sqlx::query_as(query).fetch_all(pool).await,
    };
    let rows = rows.with_context(|| format!("run {query:?}"))?;
    Ok(rows.into_iter().map(|(value,)| value).collect())
}
