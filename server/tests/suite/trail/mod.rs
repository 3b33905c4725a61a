//! The audit trail, and what `holdfast verify-log` says of it: of a real one, and of one that somebody has
//! altered who can write the database.

mod alterations;
mod command;
mod forgeries;
mod heads;
mod own_end;
mod unguarded;

use crate::support::{Browser, SoftPasskey, World, passkey_of, run};
use holdfast_protocol::{
    base64url::Bytes,
    history::Activity,
    ids::{AccountId, CeremonyId, PasskeyId, SessionId},
    passkeys::{AssertionOptions, AssertionResponse, PasskeyList},
    recovery::Regeneration,
    step_up::{Action, Confirmation, Evidence, Kind, Outcome, Request, StepUpOptions},
};
use holdfast_relying_party::Refusal;
use holdfast_server::{
    audit::{
        self, Event, Witness,
        chain::{BEGINNING, Hash},
    },
    verify_log::{self, Fault, Finding, Heads, PasskeyRow, Place, Row, Rules, Summary, Verifier},
};
use std::{collections::HashSet, path::Path};

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
        Self::of(World::new().await).await
    }

    /// Of a person with another key: worlds draw the same bits, one after the other.
    async fn somebody_elses() -> Self {
        let world = World::new().await;
        let _drawn = world.app.entropy.make::<32>();
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let (_, mut passkey) = world.set_up_by_ceremony().await;
        let owner = world.sign_in_by_ceremony(&passkey).await;
        for _ in 0..STEP_UPS {
            world.advance_ms(1_000);
            passkey.counter += 1;
            confirm(&world, &owner, &passkey).await;
        }
        for names in [["one", "two", "three"], ["four", "five", "six"]] {
            let account = enrolled(&world).await;
            world.all_happen(&account, &names.map(str::to_owned)).await;
        }
        Self { world, owner, passkey }
    }

    async fn rows(&self) -> Vec<Row> {
        rows(&self.world).await
    }

    /// Where the owner's passkey was added.
    fn enrolment(&self, rows: &[Row]) -> usize {
        let account = self.owner.account.as_str().as_bytes();
        let is_it =
            |row: &Row| row.account == account && row.what.starts_with(b"{\"kind\":\"passkey_added\"");
        rows.iter().position(is_it).unwrap()
    }

    /// The credential and its key, as the trail has them.
    async fn registered(&self) -> (Vec<u8>, Vec<u8>) {
        let rows = self.rows().await;
        let evidence = rows[self.enrolment(&rows)].evidence.as_deref().unwrap();
        let Evidence::Registration { credential_id, public_key, .. } =
            serde_json::from_slice(evidence).unwrap()
        else {
            panic!("a registration")
        };
        (credential_id.0, public_key.0)
    }

    /// Puts another passkey in the place of the owner's in the table, as who can write the database does.
    async fn swap_passkey(&self, credential_id: &[u8], public_key: &[u8]) {
        let swap = "UPDATE passkeys SET credential_id = $1, public_key = $2 WHERE account_id = $3";
        run!(self.world.app.db, swap, credential_id, public_key, self.owner.account.as_str());
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
        verified(&self.world, heads).await
    }
}

async fn rows(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut tx = world.app.db.read().await.unwrap();
    verify_log::rows(&mut tx, |row| rows.push(row)).await.unwrap();
    rows
}

async fn passkeys(world: &World) -> Vec<PasskeyRow> {
    let mut passkeys = Vec::new();
    let mut tx = world.app.db.read().await.unwrap();
    verify_log::passkeys(&mut tx, |row| passkeys.push(row)).await.unwrap();
    passkeys
}

/// What the trail in a world's database is worth.
pub async fn verified(world: &World, heads: Heads) -> (Summary, Vec<Finding>) {
    verified_by(world, Rules::default(), heads).await
}

/// The same by other rules.
pub async fn verified_by(world: &World, rules: Rules, heads: Heads) -> (Summary, Vec<Finding>) {
    let mut findings = Vec::new();
    let verified = verify_log::verify(&world.app.db, rules, heads, |finding| findings.push(finding));
    (verified.await.unwrap(), findings)
}

/// Where [`enrol`] has recorded further passkeys.
pub fn additions_switched_off() -> Rules {
    Rules { step_up_off: vec![Kind::PasskeyRegisterAdditional], ..Rules::default() }
}

/// A new account, whose passkey was added as the server adds one.
async fn enrolled(world: &World) -> AccountId {
    let account = world.account().await;
    enrol(world).await;
    account
}

/// Records of each passkey that a test has put into the table what the server records when it adds one.
pub async fn enrol(world: &World) {
    let (mut told, mut accounts) = (HashSet::new(), HashSet::new());
    for row in rows(world).await {
        if let Ok(Activity::PasskeyAdded { passkey, .. }) = serde_json::from_slice(&row.what) {
            told.insert(passkey.as_str().as_bytes().to_vec());
            accounts.insert(row.account);
        }
    }
    let passkeys = passkeys(world).await;
    let mut tx = world.app.db.write().await.unwrap();
    for PasskeyRow { account, id, credential_id, public_key, .. } in passkeys {
        if !told.insert(id.clone()) {
            continue;
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let of = AccountId::parse(&text(&account)).unwrap();
        let at_ms = world.clock.unix_ms();
        let session = SessionId::make([7; 16]);
        let event = |what| Event { account: &of, what, device: None, session: Some(&session), at_ms };
        if !accounts.insert(account) {
            let (action, outcome) = (Kind::PasskeyRegisterAdditional, Outcome::Unguarded);
            let what = Activity::StepUp { action, outcome, sentence: String::new(), code: None };
            audit::record(&mut tx, event(what)).await.unwrap();
        }
        let passkey = PasskeyId::parse(&text(&id)).unwrap();
        let what = Activity::PasskeyAdded { passkey, name: "Key".to_owned() };
        let (credential_id, public_key) = (Bytes(credential_id), Bytes(public_key));
        let evidence = Evidence::Registration { credential_id, public_key, backup_eligible: true };
        audit::record_with(&mut tx, event(what), &evidence).await.unwrap();
    }
    tx.commit(&world.app.live).await.unwrap();
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
    let StepUpOptions { ceremony, token, public_key, .. } = asked;
    let options = AssertionOptions { ceremony: ceremony.clone(), token: token.clone(), public_key };
    let credential = passkey.assert(&options, |_| {});
    (ceremony, token, credential)
}

/// What rows are worth by themselves, in the order in which a database gives them.
fn judge(rows: &[Row], rules: Rules, heads: Heads) -> (Summary, Vec<Finding>) {
    judge_all(rows, &[], Verifier::new(rules, heads))
}

/// The same with rows of the table of passkeys.
fn judge_all(rows: &[Row], passkeys: &[PasskeyRow], mut verifier: Verifier) -> (Summary, Vec<Finding>) {
    let mut findings: Vec<Finding> = rows.iter().flat_map(|row| verifier.take(row)).collect();
    findings.extend(passkeys.iter().flat_map(|row| verifier.take_passkey(row)));
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
    // Made, enrolled, signed in twice; asked, confirmed and replaced each time; four and four more.
    assert_eq!(summary.events, 4 + 3 * STEP_UPS + 8);
    assert_eq!(summary.passkeys, 3);
}

#[tokio::test]
async fn events_that_happen_at_once_make_one_chain() {
    let real = Real::new().await;
    let account = enrolled(&real.world).await;
    let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    futures_util::future::join_all(names.iter().map(|name| real.world.happens(&account, name))).await;
    let (summary, findings) = real.verified(Heads::default()).await;
    assert_eq!((summary.accounts, findings), (4, Vec::new()));
}

#[tokio::test]
async fn a_trail_from_before_there_were_hashes_goes_on_and_is_told_of() {
    let real = Real::new().await;
    let account = enrolled(&real.world).await;
    real.world.happens(&account, "two").await;
    let older = "UPDATE activity SET hash = NULL, evidence = NULL WHERE account_id = $1";
    run!(real.world.app.db, older, account.as_str());
    real.world.happens(&account, "three").await;
    let old = || Rules { allow_unchained: true, ..Rules::default() };
    let (summary, findings) = verified_by(&real.world, old(), Heads::default()).await;
    assert_eq!((summary.unchained, findings), (2, Vec::new()));
    let (_, findings) = real.verified(Heads::default()).await;
    let place = |event| Place::Event { account: account.to_string(), event };
    let fault = Fault::NeverChained;
    assert_eq!(findings, [1, 2].map(|event| Finding { place: place(event), fault: fault.clone() }));

    // Its passkey has no key in the trail; another account's with the same id has.
    let PasskeyList { passkeys } = real.owner.get("/v1/passkey").await.json();
    let (mine, theirs) = (passkey_of(&account), passkeys[0].id.clone());
    let renamed = "UPDATE activity SET what = REPLACE(what, $1, $2) WHERE account_id = $3 AND id = 1";
    run!(real.world.app.db, renamed, mine.as_str(), theirs.as_str(), account.as_str());
    let (id, key) = real.registered().await;
    real.swap_passkey(&[7; 32], &key).await;
    let (_, findings) = verified_by(&real.world, old(), Heads::default()).await;
    let passkey = |account: &AccountId, passkey: &PasskeyId| {
        let place = Place::Passkey { account: account.to_string(), passkey: passkey.to_string() };
        Finding { place, fault: Fault::NeverRegistered }
    };
    let both = [passkey(&account, &mine), passkey(&real.owner.account, &theirs)];
    assert!(findings.len() == 2 && both.iter().all(|it| findings.contains(it)), "{findings:?}");
    real.swap_passkey(&id, &key).await;
    let (_, findings) = verified_by(&real.world, old(), Heads::default()).await;
    assert_eq!(findings, [passkey(&account, &mine)]);
}

#[tokio::test]
async fn an_event_is_not_recorded_without_its_evidence() {
    let real = Real::new().await;
    let account = &real.owner.account;
    let what = Activity::PasskeyAdded { passkey: passkey_of(account), name: "Key".to_owned() };
    let mut tx = real.world.app.db.write().await.unwrap();
    let event = Event { account, what, device: None, session: None, at_ms: real.world.clock.unix_ms() };
    assert!(audit::record(&mut tx, event).await.is_err());
}

#[tokio::test]
async fn a_passkey_in_the_table_is_the_one_that_was_registered() {
    let (real, thief) = (Real::new().await, Real::somebody_elses().await);
    let ((id, key), (_, theirs)) = (real.registered().await, thief.registered().await);
    assert_ne!(key, theirs);
    real.swap_passkey(&id, &theirs).await;
    let found = async || real.verified(Heads::default()).await.1;
    let swapped = found().await;
    assert!(matches!(&swapped[..], [Finding { place: Place::Passkey { .. }, fault: Fault::KeySwapped }]));

    // It works: the server takes the thief's key for the owner's. What it signs tells.
    let mut forged = thief.passkey.clone();
    (forged.id, forged.user_handle) = (real.passkey.id.clone(), real.passkey.user_handle.clone());
    forged.counter = 9;
    confirm(&real.world, &real.owner, &forged).await;
    let signed = found().await;
    let fault = Fault::Assertion(Refusal::SignatureInvalid);
    assert!(signed.len() == 2 && signed.iter().any(|finding| finding.fault == fault), "{signed:?}");

    let real = Real::new().await;
    let (db, mine) = (&real.world.app.db, real.owner.account.as_str());
    let found = async || real.verified(Heads::default()).await.1;
    let (id, key) = real.registered().await;
    real.swap_passkey(&[7; 32], &key).await;
    assert!(matches!(&found().await[..], [Finding { fault: Fault::NeverRegistered, .. }]));
    real.swap_passkey(&id, &key).await;
    assert_eq!(found().await, []);

    let PasskeyList { passkeys } = real.owner.get("/v1/passkey").await.json();
    let what = Activity::PasskeyRemoved { passkey: passkeys[0].id.clone(), name: "Key".to_owned() };
    let mut tx = db.write().await.unwrap();
    let account = &real.owner.account;
    let event = Event { account, what, device: None, session: None, at_ms: real.world.clock.unix_ms() };
    audit::record(&mut tx, event).await.unwrap();
    tx.commit(&real.world.app.live).await.unwrap();
    assert!(matches!(&found().await[..], [Finding { fault: Fault::EnabledAgain, .. }]));
    run!(*db, "UPDATE passkeys SET disabled_at_ms = 1 WHERE account_id = $1", mine);
    assert_eq!(found().await, []);
}
