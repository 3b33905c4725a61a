//! The audit trail, and what `holdfast verify-log` says of it: of a real one, and of one that somebody has
//! altered who can write the database.

mod alterations;
mod command;
mod forgeries;
mod heads;

use crate::support::{Browser, SoftPasskey, World, run};
use holdfast_protocol::{
    base64url::Bytes,
    ids::CeremonyId,
    passkeys::{AssertionOptions, AssertionResponse},
    recovery::Regeneration,
    step_up::{Action, Confirmation, Kind, Request, StepUpOptions},
};
use holdfast_server::{
    audit::{
        Witness,
        chain::{BEGINNING, Hash},
    },
    verify_log::{self, Finding, Heads, Row, Rules, Summary, Verifier},
};
use std::path::Path;

/// Step-ups that the owner of a real trail has confirmed.
const STEP_UPS: u64 = 4;

/// A trail that the server has written: a person who sets up, signs in again and confirms operations, and
/// two others of whom less is to tell.
struct Real {
    world: World,
    owner: Browser,
    passkey: SoftPasskey,
}

impl Real {
    async fn new() -> Self {
        let world = World::new().await;
        let (_, mut passkey) = world.set_up_by_ceremony().await;
        let owner = world.sign_in_by_ceremony(&passkey).await;
        for _ in 0..STEP_UPS {
            world.advance_ms(1_000);
            passkey.counter += 1;
            confirm(&world, &owner, &passkey).await;
        }
        for names in [["one", "two", "three"], ["four", "five", "six"]] {
            let account = world.account().await;
            world.all_happen(&account, &names.map(str::to_owned)).await;
        }
        Self { world, owner, passkey }
    }

    async fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut tx = self.world.app.db.read().await.unwrap();
        verify_log::rows(&mut tx, |row| rows.push(row)).await.unwrap();
        rows
    }

    /// Puts other rows in the place of an account's, as who can write the database does.
    async fn write(&self, rows: &[Row]) {
        let db = &self.world.app.db;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let or_none = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(text);
        run!(*db, "DELETE FROM activity WHERE account_id = $1", self.owner.account.as_str());
        let mut count = 0;
        for row in rows.iter().filter(|row| row.account == self.owner.account.as_str().as_bytes()) {
            count += 1;
            run!(
                *db,
                "INSERT INTO activity (account_id, id, at_ms, what, browser, system, session_id, evidence,
                                       step_up, hash)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                text(&row.account),
                row.id,
                row.at_ms,
                text(&row.what),
                or_none(&row.browser),
                or_none(&row.system),
                or_none(&row.session),
                or_none(&row.evidence),
                or_none(&row.step_up),
                row.hash.as_deref(),
            );
        }
        let says = "UPDATE accounts SET activity_count = $1 WHERE id = $2";
        run!(*db, says, count, self.owner.account.as_str());
    }

    /// Signs the heads, in a folder that nobody has found who can only write the database.
    async fn sign(&self, folder: &Path) -> Witness {
        let app = &self.world.app;
        let mut witness = Witness::open(folder, &app.entropy).unwrap();
        witness.sign(&app.db, &app.clock).await.unwrap();
        witness
    }

    /// What the trail in the database is worth.
    async fn verified(&self, heads: Heads) -> (Summary, Vec<Finding>) {
        let mut findings = Vec::new();
        let verified = verify_log::verify(&self.world.app.db, Rules::default(), heads, |finding| {
            findings.push(finding);
        });
        (verified.await.unwrap(), findings)
    }
}

/// Regenerates the recovery codes, with a step-up.
async fn confirm(world: &World, browser: &Browser, passkey: &SoftPasskey) {
    let verifiers = (0..10).map(|_| Bytes(world.app.entropy.make::<32>().to_vec())).collect();
    let email = "mara@example.org".to_owned();
    let parameters = Regeneration { account: browser.account.clone(), email, verifiers };
    let (ceremony, token, credential) = ask(browser, passkey, &parameters).await;
    let request = Request {
        parameters,
        secret: None,
        confirmation: Some(Confirmation { ceremony, token, credential }),
    };
    let answer = browser.post(Kind::RecoveryCodesRegenerate.path(), &request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn ask<A: Action>(
    browser: &Browser,
    passkey: &SoftPasskey,
    parameters: &A,
) -> (CeremonyId, String, AssertionResponse) {
    let asked: StepUpOptions = browser.post(&A::KIND.preflight(), parameters).await.json();
    let StepUpOptions { ceremony, token, public_key } = asked;
    let options = AssertionOptions { ceremony: ceremony.clone(), token: token.clone(), public_key };
    let credential = passkey.assert(&options, |_| {});
    (ceremony, token, credential)
}

/// What rows are worth by themselves, in the order in which a database gives them.
fn judge(rows: &[Row], rules: Rules, heads: Heads) -> (Summary, Vec<Finding>) {
    let mut verifier = Verifier::new(rules, heads);
    let mut findings: Vec<Finding> = rows.iter().flat_map(|row| verifier.take(row)).collect();
    let (summary, more) = verifier.finish();
    findings.extend(more);
    (summary, findings)
}

/// Makes every hash anew, and lets each account say to have as many events as it has.
fn rechain(rows: &mut [Row]) {
    for account in rows.chunk_by_mut(|one, next| one.account == next.account) {
        let (mut previous, count): (Hash, usize) = (BEGINNING, account.len());
        for row in account {
            previous = row.link().hash(&previous);
            row.hash = Some(previous.to_vec());
            row.count = Some(i64::try_from(count).unwrap());
        }
    }
}

#[tokio::test]
async fn a_real_trail_is_all_well() {
    let real = Real::new().await;
    let (summary, findings) = real.verified(Heads::default()).await;
    assert_eq!(findings, []);
    assert_eq!((summary.accounts, summary.step_ups, summary.unchained), (3, STEP_UPS, 0));
    assert_eq!((summary.heads, summary.uncovered), (0, summary.events));
    // Made, enrolled, signed in twice; asked, confirmed and replaced each time; three and three more.
    assert_eq!(summary.events, 4 + 3 * STEP_UPS + 6);
}

#[tokio::test]
async fn events_that_happen_at_once_make_one_chain() {
    let real = Real::new().await;
    let account = real.world.account().await;
    let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    futures_util::future::join_all(names.iter().map(|name| real.world.happens(&account, name))).await;
    let (summary, findings) = real.verified(Heads::default()).await;
    assert_eq!((summary.accounts, findings), (4, Vec::new()));
}

#[tokio::test]
async fn a_trail_from_before_there_were_hashes_goes_on_and_is_told_of() {
    let real = Real::new().await;
    let account = real.world.account().await;
    real.world.all_happen(&account, &["one".to_owned(), "two".to_owned()]).await;
    run!(real.world.app.db, "UPDATE activity SET hash = NULL WHERE account_id = $1", account.as_str());
    real.world.happens(&account, "three").await;
    let (summary, findings) = real.verified(Heads::default()).await;
    assert_eq!((summary.unchained, findings), (2, Vec::new()));
}

#[tokio::test]
async fn an_event_is_not_recorded_without_its_evidence() {
    use holdfast_protocol::history::Activity;
    use holdfast_server::audit::{self, Event};
    let real = Real::new().await;
    let account = &real.owner.account;
    let what =
        Activity::PasskeyAdded { passkey: crate::support::passkey_of(account), name: "Key".to_owned() };
    let mut tx = real.world.app.db.write().await.unwrap();
    let event = Event { account, what, device: None, session: None, at_ms: real.world.clock.unix_ms() };
    assert!(audit::record(&mut tx, event).await.is_err());
}
