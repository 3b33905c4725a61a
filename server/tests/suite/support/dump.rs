use super::World;
use holdfast_server::db::Db;
use sqlx::AssertSqlSafe;

/// What a refused request may change: the audit trail and its count, and the store of proofs.
const TRAIL: [&str; 2] = ["activity", "proofs_seen"];
const TRAIL_COUNT: &str = "activity_count";

/// Every row of every table, but for the audit trail and the store of proofs.
pub async fn stored_facts(world: &World) -> String {
    dump(world, &TRAIL, &[TRAIL_COUNT]).await
}

/// The same but for what begins and ends by itself: ceremonies, step-ups that wait for their confirmation, and
/// when sessions were last seen.
pub async fn guarded_facts(world: &World) -> String {
    let passing = [&TRAIL[..], &["ceremonies", "step_ups"]].concat();
    dump(world, &passing, &[TRAIL_COUNT, "last_seen_at_ms"]).await
}

/// Every row of every table; bytes in lower-case hex.
pub async fn everything_stored(world: &World) -> String {
    dump(world, &[], &[]).await.to_lowercase()
}

impl World {
    /// Rows of a table.
    pub async fn count(&self, table: &str) -> usize {
        let sql = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}");
        texts(&self.app.db, sql).await[0].parse().unwrap()
    }
}

async fn dump(world: &World, but_tables: &[&str], but_columns: &[&str]) -> String {
    let db = &world.app.db;
    let tables = match db {
        Db::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        Db::Postgres(_) => {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        }
    };
    let mut text = String::new();
    for table in texts(db, tables.to_owned()).await {
        if table.starts_with("_sqlx") || table.starts_with("sqlite_") || but_tables.contains(&table.as_str())
        {
            continue;
        }
        let columns = match db {
            Db::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
            Db::Postgres(_) => format!(
                "SELECT column_name::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        let columns = texts(db, columns).await;
        let shown =
            columns.iter().filter(|column| !but_columns.contains(&column.as_str())).map(|column| match db {
                Db::Sqlite(_) => format!("quote({column})"),
                Db::Postgres(_) => format!("coalesce({column}::text, 'NULL')"),
            });
        let row = shown.collect::<Vec<_>>().join(" || ' ' || ");
        let rows = texts(db, format!("SELECT {row} FROM {table} ORDER BY 1")).await;
        text.push_str(&format!("{table}\n  {}\n", rows.join("\n  ")));
    }
    assert!(text.contains("sessions\n"), "{text}");
    text
}

async fn texts(db: &Db, sql: String) -> Vec<String> {
    let sql = AssertSqlSafe(sql);
    match db {
        Db::Sqlite(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
    }
}
