//! The database under it all: durable, and the same whichever it is.

use crate::support::{World, login_body, run};
use futures_util::future::join_all;
use holdfast_protocol::{base64url, history::Activity, problem::Code};
use holdfast_server::{
    audit::{self, Event},
    db::Db,
};
use serde_json::json;

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let world = World::new().await;
    let Db::Sqlite(pool) = &world.app.db else {
        let Db::Postgres(pool) = &world.app.db else { return };
        // Whether PostgreSQL itself writes through is its operator's; this program does not ask it not to.
        let level: String =
            sqlx::query_scalar("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")
                .fetch_one(pool)
                .await
                .unwrap();
        assert!(!matches!(level.as_str(), "session" | "client" | "database" | "user"), "{level}");
        return;
    };
    // Of every connection of the pool, not only of the one that came first.
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(pool.acquire().await.unwrap());
    }
    for connection in &mut all {
        for (sql, expected) in
            [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1), ("PRAGMA read_uncommitted", 0)]
        {
            let is: i64 = sqlx::query_scalar(sql).fetch_one(&mut **connection).await.unwrap();
            assert_eq!(is, expected, "{sql}");
        }
        let mode: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut **connection).await.unwrap();
        assert_eq!(mode, "wal");
    }
}

#[tokio::test]
async fn concurrent_writers_wait_for_one_another_and_none_is_lost() {
    let world = World::new().await;
    let account = world.account().await;
    let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    join_all(names.iter().map(|name| world.happens(&account, name))).await;
    assert_eq!(world.count("activity").await, 40);
    let numbered = "UPDATE accounts SET tier = tier WHERE id = $1 AND activity_count = 40";
    assert_eq!(run!(world.app.db, numbered, account.as_str()), 1);
}

#[tokio::test]
async fn what_is_not_committed_never_was_and_wakes_nobody() {
    let world = World::new().await;
    let account = world.account().await;
    let woken = world.app.live.watch(&account);
    let mut tx = world.app.db.write().await.unwrap();
    let (what, at_ms) = (Activity::SignedOut, world.clock.unix_ms());
    let event = Event { account: &account, what, device: None, session: None, at_ms };
    audit::record(&mut tx, event).await.unwrap();
    drop(tx);
    assert_eq!(world.count("activity").await, 0);
    assert!(!woken.has_changed().unwrap());
    world.happens(&account, "committed").await;
    assert_eq!(world.count("activity").await, 1);
    assert!(woken.has_changed().unwrap());
}

#[tokio::test]
async fn instances_that_start_at_once_migrate_one_database_once() {
    let world = World::new().await;
    let Db::Postgres(pool) = &world.app.db else {
        // SQLite has one instance; it opens again what it has made.
        let file = world.folder.path().join("holdfast.db");
        let again = Db::open_sqlite(&file).await.unwrap();
        again.close().await;
        return;
    };
    let url = sqlx::ConnectOptions::to_url_lossy(&*pool.connect_options());
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text || '_more'").fetch_one(pool).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(pool).await.unwrap();
    let mut url = url;
    url.set_path(&name);
    let opened = join_all((0..4).map(|_| Db::open_postgres(url.as_str()))).await;
    for db in opened {
        db.unwrap().close().await;
    }
}

#[tokio::test]
async fn while_the_database_is_away_nobody_is_let_in_and_everybody_is_told_when_to_come_back() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let proof = browser.fresh_proof("GET", "/v1/me").await.sign();
    let mut guest = world.guest();
    let options = guest.begin_login().await;
    let body = login_body(&options, &passkey.assert(&options, |_| {}));
    let login = guest.proof("/v1/login/verify").await.sign();
    world.app.db.close().await;
    let answers = [
        guest.get("/v1/health").await,
        guest.get("/v1/setup").await,
        browser.get_with("/v1/me", &proof).await,
        guest.post_with("/v1/login/verify", &body, Some(&login)).await,
        guest.post("/v1/login/options", &json!({ "jkt": base64url::encode(&[7; 32]) })).await,
    ];
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.code()), (503, Code::Unavailable));
        assert_eq!(answer.headers["retry-after"], "2");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}
