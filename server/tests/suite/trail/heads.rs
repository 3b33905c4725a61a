//! Signed heads against somebody who can write the database, and makes everything in it fit.

use super::{Real, forgeries::Forgery, judge, rechain};
use crate::support::{World, run};
use holdfast_protocol::base64url;
use holdfast_server::{
    audit::{
        Witness,
        heads::{HEADS, KEY, LineFault, PUBLIC_KEY, PublicKey},
    },
    db::Db,
    entropy::Entropy,
    verify_log::{Fault, Finding, Heads, Place, Row, Rules},
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};
use tempfile::TempDir;

/// What is in a folder's file of heads, and what is wrong with it.
fn read(folder: &Path) -> (Heads, Vec<Finding>) {
    let mut heads = Heads::default();
    let keys = [PublicKey::read(&folder.join(PUBLIC_KEY)).unwrap()];
    let text = fs::read(folder.join(HEADS)).unwrap();
    let (_, findings) = heads.read("heads", text.as_slice(), &keys).unwrap();
    (heads, findings)
}

fn lines(folder: &Path) -> usize {
    fs::read_to_string(folder.join(HEADS)).unwrap().lines().count()
}

fn of_owner(real: &Real, rows: &[Row]) -> Vec<Row> {
    rows.iter().filter(|row| row.account == real.owner.account.as_str().as_bytes()).cloned().collect()
}

#[tokio::test]
async fn what_is_new_is_signed_once_and_what_was_signed_is_found() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let mut witness = real.sign(folder.path()).await;
    let app = &real.world.app;
    witness.sign(&app.db, &app.clock).await.unwrap();
    assert_eq!(lines(folder.path()), 1);
    real.world.happens(&real.owner.account, "new").await;
    witness.sign(&app.db, &app.clock).await.unwrap();
    assert_eq!(lines(folder.path()), 2);
    real.world.happens(&real.owner.account, "newer").await;

    let (heads, findings) = read(folder.path());
    assert_eq!(findings, []);
    let (summary, findings) = real.verified(heads).await;
    assert_eq!(findings, []);
    assert_eq!((summary.heads, summary.uncovered), (4, 1));
}

#[tokio::test]
async fn an_unreadable_hash_of_one_account_leaves_no_other_unsigned() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    // PostgreSQL keeps each column to its type.
    if !matches!(real.world.app.db, Db::Sqlite(_)) {
        return;
    }
    let mut witness = real.sign(folder.path()).await;
    let app = &real.world.app;
    let other = real.world.account().await;
    real.world.happens(&other, "unreadable").await;
    run!(app.db, "UPDATE activity SET hash = 7 WHERE account_id = $1", other.as_str());
    real.world.happens(&real.owner.account, "new").await;
    witness.sign(&app.db, &app.clock).await.unwrap();
    let signed = fs::read_to_string(folder.path().join(HEADS)).unwrap();
    let last = signed.lines().last().unwrap();
    assert!(last.contains(real.owner.account.as_str()) && !last.contains(other.as_str()), "{last}");
}

#[tokio::test]
async fn a_chain_that_was_made_anew_is_found_by_the_heads_alone() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let _witness = real.sign(folder.path()).await;
    let mut rows = real.rows().await;
    let at = rows.iter().position(|row| row.account == real.owner.account.as_str().as_bytes()).unwrap() + 2;
    rows[at].browser = Some(b"Somebody else's".to_vec());
    rechain(&mut rows);
    real.write(&rows).await;
    assert_eq!(real.verified(Heads::default()).await.1, []);
    let newest = i64::try_from(of_owner(&real, &rows).len()).unwrap();
    let place = Place::Event { account: real.owner.account.to_string(), event: newest };
    let fault = Fault::HeadDiffers { signed: "heads, line 1".to_owned() };
    assert_eq!(real.verified(read(folder.path()).0).await.1, [Finding { place, fault }]);
}

#[tokio::test]
async fn a_tail_that_was_cut_is_found_by_the_heads_alone() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let _witness = real.sign(folder.path()).await;
    let all = of_owner(&real, &real.rows().await);
    let event = i64::try_from(all.len()).unwrap();
    for left in [all.len() - 1, 2] {
        real.write(&all[..left]).await;
        assert_eq!(real.verified(Heads::default()).await.1, []);
        let place = Place::Account { account: real.owner.account.to_string() };
        let fault = Fault::HeadMissing { event, signed: "heads, line 1".to_owned() };
        assert_eq!(real.verified(read(folder.path()).0).await.1, [Finding { place, fault }]);
    }
    // Nothing left at all, and no passkey that tells of it either.
    let mut others = real.rows().await;
    others.retain(|row| row.account != real.owner.account.as_str().as_bytes());
    assert_eq!(judge(&others, Rules::default(), Heads::default()).1, []);
    let found = judge(&others, Rules::default(), read(folder.path()).0).1;
    assert!(matches!(&found[..], [Finding { fault: Fault::HeadMissing { .. }, .. }]), "{found:?}");
}

#[tokio::test]
async fn a_public_key_that_was_swapped_is_found_by_the_heads_alone() {
    let (real, thief) = (Real::new().await, Real::somebody_elses().await);
    let folder = TempDir::new().unwrap();
    let _witness = real.sign(folder.path()).await;
    let theirs = thief.rows().await;
    let mut rows = real.rows().await;
    let at = real.enrolment(&rows);
    rows[at].evidence = theirs[thief.enrolment(&theirs)].evidence.clone();
    for row in &mut rows {
        if let Some(forgery) = Forgery::of(row) {
            // Signed anew by the key that takes the place of the owner's.
            *row = forgery.signed_by(&thief.passkey, |_| {});
        }
    }
    rechain(&mut rows);
    let (id, key) = thief.registered().await;
    real.swap_passkey(&id, &key).await;
    real.write(&rows).await;
    let (summary, findings) = real.verified(Heads::default()).await;
    assert_eq!((summary.step_ups, findings), (super::STEP_UPS, Vec::new()));
    let (_, findings) = real.verified(read(folder.path()).0).await;
    assert!(matches!(&findings[..], [Finding { fault: Fault::HeadDiffers { .. }, .. }]), "{findings:?}");
}

#[tokio::test]
async fn the_witness_signs_no_trail_that_went_back() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    let mut witness = real.sign(folder.path()).await;
    let rows = of_owner(&real, &real.rows().await);
    let mut altered = rows.clone();
    altered[2].at_ms += 1;
    rechain(&mut altered);
    for rows in [&altered[..], &rows[..rows.len() - 1]] {
        real.write(rows).await;
        witness.sign(&real.world.app.db, &real.world.clock).await.unwrap();
        assert_eq!(lines(folder.path()), 1);
    }
}

/// Three lines of one witness.
async fn three_lines(folder: &Path) -> (World, Witness) {
    let world = World::new().await;
    let account = world.account().await;
    let mut witness = Witness::open(folder, &world.app.entropy).unwrap();
    for name in ["one", "two", "three"] {
        world.happens(&account, name).await;
        witness.sign(&world.app.db, &world.clock).await.unwrap();
    }
    (world, witness)
}

#[tokio::test]
async fn each_flipped_bit_and_each_missing_line_of_the_heads_is_found() {
    let folder = TempDir::new().unwrap();
    let (_world, _witness) = three_lines(folder.path()).await;
    assert_eq!(read(folder.path()).1, []);
    let path = folder.path().join(HEADS);
    let text = fs::read(&path).unwrap();
    // Every byte, and every bit of some.
    for bit in (0..text.len() * 8).step_by(7) {
        let mut text = text.clone();
        text[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &text).unwrap();
        let findings = read(folder.path()).1;
        assert!(matches!(&findings[..], [Finding { fault: Fault::Line(_), .. }]), "bit {bit}: {findings:?}");
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for (left, line) in [(vec![lines[1], lines[2]], 1), (vec![lines[0], lines[2]], 2), (vec![lines[0]; 2], 2)]
    {
        fs::write(&path, left.concat()).unwrap();
        let place = Place::Line { file: "heads".to_owned(), line };
        assert_eq!(read(folder.path()).1, [Finding { place, fault: Fault::Line(LineFault::NotNext) }]);
    }
}

#[tokio::test]
async fn a_cut_end_of_the_heads_is_found_by_who_noted_it() {
    let folder = TempDir::new().unwrap();
    let (_world, witness) = three_lines(folder.path()).await;
    let noted = base64url::encode(&witness.end().hash);
    assert_eq!(read(folder.path()).0.expect(&noted), None);
    let path = folder.path().join(HEADS);
    let text = fs::read_to_string(&path).unwrap();
    let last = text.trim_end().rfind('\n').unwrap();
    fs::write(&path, &text[..=last]).unwrap();
    let (heads, findings) = read(folder.path());
    assert_eq!(findings, []);
    let fault = Fault::NotedLineMissing { hash: noted.clone() };
    assert_eq!(heads.expect(&noted), Some(Finding { place: Place::Heads, fault }));
}

#[tokio::test]
async fn heads_of_another_key_are_not_believed() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (_world, _witness) = three_lines(folder.path()).await;
    drop(Witness::open(other.path(), &Entropy::system()).unwrap());
    fs::copy(other.path().join(PUBLIC_KEY), folder.path().join(PUBLIC_KEY)).unwrap();
    let place = Place::Line { file: "heads".to_owned(), line: 1 };
    assert_eq!(read(folder.path()).1, [Finding { place, fault: Fault::Line(LineFault::OtherKey) }]);
}

#[tokio::test]
async fn a_witness_goes_on_where_it_ended() {
    let folder = TempDir::new().unwrap();
    let (world, witness) = three_lines(folder.path()).await;
    let path = folder.path().join(HEADS);
    for name in [KEY, HEADS] {
        let rights = fs::metadata(folder.path().join(name)).unwrap().permissions();
        assert_eq!(rights.mode() & 0o777, 0o600, "{name}");
    }
    let open = || Witness::open(folder.path(), &world.app.entropy);
    assert!(open().is_err(), "two witnesses write to one file");
    let end = witness.end();
    drop(witness);
    assert_eq!(open().unwrap().end(), end);

    // Killed in the middle of a line.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{}", &text[..50])).unwrap();
    let mut witness = open().unwrap();
    assert_eq!((witness.end(), fs::read_to_string(&path).unwrap()), (end, text.clone()));
    world.happens(&world.account().await, "four").await;
    witness.sign(&world.app.db, &world.clock).await.unwrap();
    assert_eq!((lines(folder.path()), read(folder.path()).1), (4, Vec::new()));
    drop(witness);

    // Altered, or signed with another key than the one that is there.
    fs::write(&path, text.replacen("\"number\":2", "\"number\":3", 1)).unwrap();
    assert!(open().is_err());
    fs::write(&path, text).unwrap();
    assert!(open().is_ok());
    fs::remove_file(folder.path().join(KEY)).unwrap();
    assert!(open().is_err());
}
