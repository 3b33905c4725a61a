//! Mail: in the outbox with the event, in a file after it, and never lost or doubled (M2).

use crate::support::{PATIENCE, PlainBody, Proof, World, run};
use axum::http::Method;
use futures_util::future::join_all;
use holdfast_protocol::problem::Code;
use holdfast_server::{mail::deliver, secrets::sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

async fn delivered(world: &World, folder: &Path) -> Vec<PathBuf> {
    deliver(&world.app, folder).await.unwrap()
}

/// The mails of so many first passkeys, and where to put them.
async fn with_mail(count: usize) -> (World, TempDir) {
    let world = World::new().await;
    let (_, mut passkey) = world.set_up_by_ceremony().await;
    for _ in 1..count {
        // As another account's would be.
        run!(world.app.db, "DELETE FROM setup");
        passkey.id = sha256(&passkey.id).to_vec();
        run!(world.app.db, "UPDATE accounts SET email_key = id");
        let mut guest = world.guest();
        let options = guest.begin_setup().await;
        let credential = passkey.register(&options, |_| {});
        assert_eq!(guest.finish_setup(&options, &credential).await.status, 200);
    }
    (world, TempDir::new().unwrap())
}

#[tokio::test]
async fn a_mail_is_written_once_after_its_event() {
    let (world, folder) = with_mail(1).await;
    tokio::time::timeout(PATIENCE, world.app.live.posted()).await.unwrap();
    let paths = delivered(&world, folder.path()).await;
    let [path] = &paths[..] else { panic!("{paths:?}") };
    let text = fs::read_to_string(path).unwrap();
    let id = path.file_stem().unwrap().to_str().unwrap();
    assert!(id.starts_with("eml_"), "{id}");
    for line in ["To: Mara <mara@example.org>\r\n", &format!("Message-ID: <{id}@localhost>\r\n")] {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(delivered(&world, folder.path()).await, Vec::<PathBuf>::new());
    world.advance_ms(86_400_000);
    assert_eq!(delivered(&world, folder.path()).await, Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_cannot_be_written_waits_and_holds_nothing_else_up() {
    let (world, folder) = with_mail(2).await;
    run!(world.app.db, "UPDATE outbox SET to_address = 'nobody' WHERE id = (SELECT MIN(id) FROM outbox)");
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    assert_eq!(delivered(&world, &file).await, Vec::<PathBuf>::new());
    world.advance_ms(59_999);
    assert_eq!(delivered(&world, folder.path()).await, Vec::<PathBuf>::new());
    world.advance_ms(1);
    assert_eq!(delivered(&world, folder.path()).await.len(), 1);
    world.advance_ms(119_999);
    run!(world.app.db, "UPDATE outbox SET to_address = 'mara@example.org'");
    assert_eq!(delivered(&world, folder.path()).await, Vec::<PathBuf>::new());
    world.advance_ms(1);
    assert_eq!(delivered(&world, folder.path()).await.len(), 1);
}

/// Killed after the file was written and before that was noted.
#[tokio::test]
async fn a_mail_that_is_written_twice_is_the_same_file() {
    let (world, folder) = with_mail(1).await;
    let first = delivered(&world, folder.path()).await;
    let text = fs::read(&first[0]).unwrap();
    run!(world.app.db, "UPDATE outbox SET sent_at_ms = NULL");
    world.advance_ms(120_000);
    assert_eq!(delivered(&world, folder.path()).await, first);
    assert_eq!(fs::read(&first[0]).unwrap(), text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn of_several_that_deliver_at_once_each_mail_has_one() {
    let (world, folder) = with_mail(5).await;
    let other = world.beside(|_| {}).await;
    let path = folder.path();
    let found = tokio::join!(
        delivered(&world, path),
        delivered(&other, path),
        delivered(&world, path),
        delivered(&other, path)
    );
    let all = [found.0, found.1, found.2, found.3].concat();
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (5, 5));
}

#[tokio::test]
async fn what_was_sent_is_forgotten_after_a_month_and_what_waits_is_not() {
    let (world, folder) = with_mail(2).await;
    run!(world.app.db, "UPDATE outbox SET to_address = 'nobody' WHERE id = (SELECT MIN(id) FROM outbox)");
    assert_eq!(delivered(&world, folder.path()).await.len(), 1);
    world.advance_ms(30 * 86_400_000);
    world.app.sweep().await.unwrap();
    assert_eq!(world.count("outbox").await, 2);
    world.advance_ms(1);
    world.app.sweep().await.unwrap();
    assert_eq!(world.count("outbox").await, 1);
}

/// However many try it, however long, on whichever instance.
#[tokio::test]
async fn a_suspected_theft_is_mailed_once_a_day_for_each_session_and_sign() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let beside = world.beside(|_| {}).await;
    let browser = world.browser().await;
    let other = world.sign_in(&browser.account).await;
    for _ in 0..2 {
        for browser in [&browser, &other] {
            let tries = (0..6).map(async |number| {
                let browser = browser.at([&world, &beside][number % 2]);
                let nonce = browser.fresh_nonce().await;
                let proof = Proof::new(&world.app, &browser.foreign_key(), "GET", "/v1/me", &nonce).sign();
                browser.get_with("/v1/me", &proof).await.code()
            });
            assert_eq!(join_all(tries).await, [Code::PopForeignKey; 6]);
        }
        let proof = browser.fresh_proof("GET", "/v1/me").await.sign();
        assert_eq!(browser.get_with("/v1/me", &proof).await.status, 200);
        assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopProofReplayed);
        // Recorded again by then.
        world.advance_ms(60_000);
    }
    // What a cleared browser looks like is shown, and no alarm.
    let bare = browser.request(Method::GET, "/v1/me").body(PlainBody::default()).unwrap();
    assert_eq!(browser.send(bare).await.code(), Code::PopProofMissing);
    let texts =
        delivered(&world, folder.path()).await.into_iter().map(|path| fs::read_to_string(path).unwrap());
    let mut first_lines: Vec<String> = texts
        .map(|text| {
            assert!(text.contains("Subject: Suspected theft of a session\r\n"), "{text}");
            text.lines().find(|line| line.contains("a session of yours")).unwrap().to_owned()
        })
        .collect();
    first_lines.sort();
    let [replayed, foreign, again] = &first_lines[..] else { panic!("{first_lines:?}") };
    assert!(replayed.starts_with("a proof of a session of yours was used a second time"), "{replayed}");
    assert!(
        foreign.starts_with("the cookie of a session of yours was used with somebody else's key"),
        "{foreign}"
    );
    assert_eq!(foreign, again);
}

/// Who overlooked the first mail gets another one, though the thief never rests.
#[tokio::test]
async fn a_theft_that_goes_on_is_mailed_every_day() {
    let world = World::new().await;
    let browser = world.browser().await;
    // From 8 o'clock on one day until 7 o'clock on the second after it.
    for _ in 0..48 {
        let nonce = browser.fresh_nonce().await;
        let proof = Proof::new(&world.app, &browser.foreign_key(), "GET", "/v1/me", &nonce).sign();
        assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
        world.advance_ms(3_600_000);
    }
    assert_eq!((world.count("activity").await, world.count("outbox").await), (48, 3));
}

/// The sign of the day before is a moment old.
#[tokio::test]
async fn a_theft_that_goes_on_over_midnight_is_mailed_once_more_and_not_each_time() {
    let world = World::new().await;
    let browser = world.browser().await;
    // From 8 o'clock until five seconds before midnight.
    world.advance_ms(16 * 3_600_000 - 5_000);
    for (known, tries) in [(1, 3), (2, 6)] {
        for _ in 0..tries {
            let nonce = browser.fresh_nonce().await;
            let proof = Proof::new(&world.app, &browser.foreign_key(), "GET", "/v1/me", &nonce).sign();
            assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
            assert_eq!((world.count("activity").await, world.count("outbox").await), (known, known));
        }
        world.advance_ms(7_000);
    }
}

#[tokio::test]
async fn a_theft_that_cannot_be_mailed_is_not_recorded_and_gets_nothing_either() {
    let world = World::new().await;
    let browser = world.browser().await;
    let nonce = browser.fresh_nonce().await;
    let proof = Proof::new(&world.app, &browser.foreign_key(), "GET", "/v1/me", &nonce).sign();
    run!(world.app.db, "ALTER TABLE outbox RENAME TO gone");
    assert_eq!(browser.get_with("/v1/me", &proof).await.status, 500);
    assert_eq!(world.count("activity").await, 0);
    run!(world.app.db, "ALTER TABLE gone RENAME TO outbox");
    assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
    assert_eq!((world.count("activity").await, world.count("outbox").await), (1, 1));
}
