//! The command: what it prints, and how it ends.

use super::Real;
use crate::support::{ORIGIN, SECRET, SETUP_TOKEN, SoftPasskey, World, run};
use holdfast_server::{
    audit::heads::{HEADS, PUBLIC_KEY},
    db::Db,
    secrets::Secret,
    verify_log::{self, Arguments, Verdict},
};
use sqlx::{AssertSqlSafe, SqlitePool, sqlite::SqliteConnectOptions};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// Where the database of a world is, and its heads.
pub(super) fn arguments(world: &World, folder: &Path) -> Arguments {
    let mut arguments = Arguments { data: Some(folder.to_owned()), ..Arguments::default() };
    match &world.app.db {
        Db::Sqlite(_) => {
            let file = folder.join("holdfast.sqlite3");
            if !file.exists() {
                symlink(world.folder.path().join("holdfast.db"), file).unwrap();
            }
        }
        Db::Postgres(pool) => {
            let url = sqlx::ConnectOptions::to_url_lossy(&*pool.connect_options());
            arguments.database_url = Some(url.to_string());
        }
    }
    arguments
}

pub(super) async fn said(arguments: Arguments) -> (Result<Verdict, String>, String) {
    let mut out = Vec::new();
    let verdict = verify_log::run(arguments, &mut out).await;
    (verdict, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn it_says_what_was_verified_and_what_was_found() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let witness = real.sign(folder.path()).await;
    let arguments = arguments(&real.world, folder.path());
    let (verdict, text) = said(arguments.clone()).await;
    assert_eq!(verdict, Ok(Verdict::AllIsWell), "{text}");
    let noted = holdfast_protocol::base64url::encode(&witness.end().hash);
    for line in [
        "3 accounts, 24 events, 4 step-ups and 3 passkeys verified.\n",
        "3 signed heads checked, in 1 lines; 0 events are newer.\nAll is well.\n",
        &noted,
    ] {
        assert!(text.contains(line), "{text}");
    }

    let checked = Arguments {
        check_secret: true,
        secret: Some(Secret::new(SECRET.to_owned())),
        expect: vec![noted],
        ..arguments.clone()
    };
    assert_eq!(said(checked.clone()).await.0, Ok(Verdict::AllIsWell));
    let other = Arguments { secret: Some(Secret::new("o".repeat(32))), ..checked.clone() };
    let (verdict, text) = said(other).await;
    assert_eq!((verdict, text.matches("has not signed the token").count()), (Ok(Verdict::Findings), 4));
    let noted = Arguments { expect: vec!["A".repeat(43)], ..checked };
    let (verdict, text) = said(noted).await;
    assert!(verdict == Ok(Verdict::Findings) && text.contains("was cut off"), "{text}");

    let altered = "UPDATE activity SET at_ms = at_ms + 1 WHERE account_id = $1 AND id = 2";
    run!(real.world.app.db, altered, real.owner.account.as_str());
    let (verdict, text) = said(arguments).await;
    assert_eq!(verdict, Ok(Verdict::Findings));
    let line =
        format!("{}, event 2: it is not what was recorded: its hash does not fit\n", real.owner.account);
    assert!(text.starts_with(&line) && text.contains("\n1 findings.\n"), "{text}");
}

#[tokio::test]
async fn what_is_no_text_any_more_is_found_too() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    // PostgreSQL keeps no text that is none.
    if !matches!(real.world.app.db, Db::Sqlite(_)) {
        return;
    }
    let altered = "UPDATE activity SET what = CAST(X'7bff7d' AS TEXT) WHERE account_id = $1 AND id = 2";
    run!(real.world.app.db, altered, real.owner.account.as_str());
    let without = Arguments { without_heads: true, ..arguments(&real.world, folder.path()) };
    let (verdict, text) = said(without).await;
    assert_eq!(verdict, Ok(Verdict::Findings));
    assert!(text.contains("event 2: its column `what` does not hold what it should\n"), "{text}");
}

/// The same bytes, which nothing that looks for a text finds any more.
#[tokio::test]
async fn a_blob_in_the_place_of_a_text_is_found() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    // PostgreSQL keeps each column to its type.
    if !matches!(real.world.app.db, Db::Sqlite(_)) {
        return;
    }
    // Who alters the file need not heed its foreign keys.
    let file = real.world.folder.path().join("holdfast.db");
    let careless = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let db = Db::Sqlite(SqlitePool::connect_with(careless).await.unwrap());
    let arguments = Arguments { without_heads: true, ..arguments(&real.world, folder.path()) };
    let cases = [
        ("activity", "what", 4),
        ("activity", "browser", 4),
        ("activity", "system", 4),
        ("activity", "session_id", 4),
        ("activity", "evidence", 4),
        ("activity", "step_up", 4),
        ("passkeys", "id", 3),
        ("passkeys", "account_id", 3),
    ];
    for (table, column, count) in cases {
        let of = if table == "activity" { "evidence IS NOT NULL AND step_up IS NOT NULL" } else { "0 = 0" };
        let cast = |to: &str| format!("UPDATE {table} SET {column} = CAST({column} AS {to}) WHERE {of}");
        assert_eq!(run!(db, AssertSqlSafe(cast("BLOB"))), count, "{table}.{column}");
        let (verdict, text) = said(arguments.clone()).await;
        let told = text.matches(&format!(": its column `{column}` does not hold what it should\n")).count();
        assert_eq!((verdict, told), (Ok(Verdict::Findings), usize::try_from(count).unwrap()), "{text}");
        assert_eq!(run!(db, AssertSqlSafe(cast("TEXT"))), count, "{table}.{column}");
    }
    // And what is neither number nor bytes any more; nobody stops the rest from being judged with it.
    for column in ["id", "at_ms", "hash"] {
        let kept = format!(
            "UPDATE activity SET {column} = 0.5 WHERE account_id = '{}' AND id = 2",
            real.owner.account
        );
        assert_eq!(run!(db, AssertSqlSafe(kept)), 1, "{column}");
        let (verdict, text) = said(arguments.clone()).await;
        assert_eq!(verdict, Ok(Verdict::Findings), "{text}");
        assert!(text.contains("3 passkeys verified."), "{text}");
        run!(db, "UPDATE activity SET id = 2 WHERE id = 0.5");
    }
}

#[tokio::test]
async fn without_what_it_needs_it_verifies_nothing() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let arguments = arguments(&real.world, folder.path());
    let (verdict, _) = said(arguments.clone()).await;
    assert!(verdict.is_err_and(|why| why.contains("--without-heads")));
    let (verdict, text) = said(Arguments { without_heads: true, ..arguments.clone() }).await;
    assert!(verdict == Ok(Verdict::AllIsWell) && text.contains("No signed heads"), "{text}");

    drop(real.sign(folder.path()).await);
    for name in [HEADS, PUBLIC_KEY] {
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(folder.path().join(name), &elsewhere).unwrap();
        assert!(said(arguments.clone()).await.0.is_err(), "{name}");
        fs::rename(elsewhere, folder.path().join(name)).unwrap();
    }
    // The wrong file, or one that somebody has emptied, speaks for nothing.
    let emptied = folder.path().join("emptied");
    fs::write(&emptied, "").unwrap();
    let (verdict, _) = said(Arguments { heads: vec![emptied], ..arguments.clone() }).await;
    assert!(verdict.is_err_and(|why| why.contains("no signed head is in the files")));
    assert_eq!(said(arguments.clone()).await.0, Ok(Verdict::AllIsWell));
    assert!(said(Arguments { check_secret: true, ..arguments.clone() }).await.0.is_err());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let nowhere = Arguments {
        data: Some(empty.clone()),
        witness: Some(folder.path().to_owned()),
        database_url: None,
        ..arguments
    };
    assert!(said(nowhere).await.0.is_err());
    // Nor does it make what is missing.
    assert_eq!(fs::read_dir(empty).unwrap().count(), 0);
}

#[tokio::test]
async fn its_exit_code_says_it_too() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let Arguments { data, database_url, .. } = arguments(&real.world, folder.path());
    let ends_with = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.arg("verify-log").arg("--data").arg(data.as_ref().unwrap()).env_clear();
        if let Some(url) = &database_url {
            command.args(["--database-url", url]);
        }
        command.output().unwrap().status.code()
    };
    assert_eq!(ends_with(), Some(2));
    drop(real.sign(folder.path()).await);
    assert_eq!(ends_with(), Some(0));
    run!(
        real.world.app.db,
        "DELETE FROM activity WHERE account_id = $1 AND id = 3",
        real.owner.account.as_str()
    );
    assert_eq!(ends_with(), Some(1));
}

#[tokio::test]
async fn the_program_signs_what_happens_until_it_stops() {
    // Only its randomness is used, and its idea of a browser: the server that stops is a program of its own.
    let (world, data) = (World::new().await, TempDir::new().unwrap());
    // The servers of other tests, which take what is free meanwhile, are at 127.0.0.1.
    let address = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
    let holdfast = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.env_clear().stderr(Stdio::null()).current_dir(&data);
        command
    };
    let mut serving = holdfast();
    serving.args(["serve", "--mode", "development", "--origin", ORIGIN, "--listen", &address.to_string()]);
    serving.env("HOLDFAST_SETUP_TOKEN", SETUP_TOKEN).stdout(Stdio::null());
    let mut serving = Ended(serving.spawn().unwrap());
    world.until(async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    let mut guest = world.guest();
    guest.address = address;
    let answer = guest.set_up(&mut SoftPasskey::new(&world)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Command::new("kill").args(["-TERM", &serving.0.id().to_string()]).status().unwrap();
    world.until(|| std::future::ready(serving.0.try_wait().unwrap().is_some())).await;

    let verified = holdfast().arg("verify-log").output().unwrap();
    let text = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(0), "{text}");
    assert!(text.contains("1 accounts, 3 events, ") && text.contains("; 0 events are newer."), "{text}");
}

/// A program that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to do.
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}
