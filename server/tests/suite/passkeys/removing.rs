//! A passkey that is removed signs in nowhere and confirms nothing, and stays in the list.

use super::{act, add, ask, list};
use crate::support::{World, passkey_of, run, stored_facts};
use holdfast_protocol::{
    account::Me,
    base64url::Bytes,
    history::{Activity, ActivityPage},
    passkeys::{EndByPasskeyRequest, PasskeyView, Removal, Trust},
    problem::Code,
    step_up::StepUpOptions,
};

fn removal(view: &PasskeyView) -> Removal {
    Removal { id: view.id.clone(), name: view.name.clone() }
}

#[tokio::test]
async fn a_removed_passkey_is_refused_and_offered_no_more_and_stays_in_the_list() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, view) = add(&world, &browser, &first).await;
    assert_eq!(world.count("outbox").await, 2);
    assert_eq!(act(&browser, &first, &removal(&view)).await.status, 204);
    assert_eq!(world.count("outbox").await, 3);

    let shown = &list(&browser).await[1];
    assert_eq!((&shown.id, shown.trust), (&view.id, Trust::Disabled));
    let mut guest = world.guest();
    assert_eq!(guest.sign_in(&second, |_| {}).await.code(), Code::PasskeyDisabled);
    let me: Me = browser.get("/v1/me").await.json();
    assert_eq!(me.signals.accepted_credential_ids, [Bytes(first.id.clone())]);

    let third = add(&world, &browser, &first).await.1;
    let options: StepUpOptions = ask(&browser, &removal(&third)).await.json();
    let allowed = options.public_key.allow_credentials.iter();
    assert!(!allowed.clone().any(|allowed| allowed.id == second.id));
    assert_eq!(allowed.count(), 2);
    assert_eq!(act(&browser, &second, &removal(&third)).await.code(), Code::StepUpMismatch);
    assert_eq!(act(&browser, &first, &removal(&view)).await.code(), Code::NotFound);
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    let removed = Activity::PasskeyRemoved { passkey: view.id.clone(), name: view.name.clone() };
    assert_eq!(page.events.iter().filter(|event| event.what == removed).count(), 1);
}

#[tokio::test]
async fn a_removal_that_cannot_be_mailed_does_not_happen() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, view) = add(&world, &browser, &first).await;
    let before = stored_facts(&world).await;
    run!(world.app.db, "ALTER TABLE outbox RENAME TO gone");
    assert_eq!(act(&browser, &first, &removal(&view)).await.status, 500);
    run!(world.app.db, "ALTER TABLE gone RENAME TO outbox");
    run!(world.app.db, "DELETE FROM step_ups");
    assert_eq!(stored_facts(&world).await, before);
    let mut guest = world.guest();
    assert_eq!(guest.sign_in(&second, |_| {}).await.status, 200);
    let mails = world.count("outbox").await;
    assert_eq!(act(&browser, &first, &removal(&view)).await.status, 204);
    assert_eq!(world.count("outbox").await, mails + 1);
}

#[tokio::test]
async fn it_is_the_one_that_was_read_and_not_the_last() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let only = list(&browser).await.remove(0);
    assert_eq!(ask(&browser, &removal(&only)).await.code(), Code::LastPasskey);
    let (_, view) = add(&world, &browser, &first).await;
    let renamed = Removal { name: "Another".to_owned(), ..removal(&view) };
    assert_eq!(ask(&browser, &renamed).await.code(), Code::TargetChanged);
    let stranger = world.browser().await;
    let theirs = Removal { id: passkey_of(&stranger.account), name: "Key".to_owned() };
    assert_eq!(ask(&browser, &theirs).await.code(), Code::NotFound);
    // It may confirm its own end.
    assert_eq!(act(&browser, &first, &removal(&only)).await.status, 204);
    assert_eq!(ask(&browser, &removal(&view)).await.code(), Code::LastPasskey);
}

/// Who has got into an account cannot lock its owner out with a passkey made in the hold.
#[tokio::test]
async fn in_a_hold_only_an_older_passkey_removes_one() {
    for hold in ["cooldown", "risk_hold", "recovery"] {
        let world = World::new().await;
        let (browser, older) = world.set_up_by_ceremony().await;
        let (_, third) = add(&world, &browser, &older).await;
        world.advance_ms(1_000);
        let from_ms = world.app.clock.unix_ms();
        let (younger, view) = add(&world, &browser, &older).await;
        let held = match hold {
            "cooldown" => "UPDATE accounts SET cooldown_from_ms = $1, cooldown_until_ms = $2",
            "risk_hold" => "UPDATE accounts SET risk_hold_from_ms = $1, risk_hold_until_ms = $2",
            _ => "UPDATE accounts SET recovery_from_ms = $1, recovery_until_ms = $2",
        };
        run!(world.app.db, held, from_ms, from_ms + 60_000);
        let mails = world.count("outbox").await;
        assert_eq!(act(&browser, &younger, &removal(&third)).await.code(), Code::StepUpMismatch, "{hold}");
        assert_eq!(world.count("outbox").await, mails);
        assert_eq!(list(&browser).await[1].trust, Trust::New);
        assert_eq!(act(&browser, &older, &removal(&view)).await.status, 204, "{hold}");
    }
}

#[tokio::test]
async fn the_sessions_that_it_opened_are_counted_and_ended() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, view) = add(&world, &browser, &first).await;
    let opened = [world.sign_in_by_ceremony(&second).await, world.sign_in_by_ceremony(&second).await];
    let kept = world.sign_in_by_ceremony(&first).await;
    let counted = async || list(&browser).await.iter().map(|view| view.other_sessions).collect::<Vec<_>>();
    assert_eq!(counted().await, [1, 2]);
    assert_eq!(act(&browser, &first, &removal(&view)).await.status, 204);
    // They go on until they are ended, and say so.
    assert_eq!(counted().await, [1, 2]);
    assert_eq!(opened[0].get("/v1/me").await.status, 200);

    let request = EndByPasskeyRequest { passkey: view.id.clone() };
    let woken = world.app.live.watch(&browser.account);
    assert_eq!(browser.post("/v1/sessions/end-by-passkey", &request).await.status, 204);
    assert!(woken.has_changed().unwrap());
    assert_eq!(counted().await, [1, 0]);
    for ended in &opened {
        assert_eq!(ended.get("/v1/me").await.code(), Code::SignedOut);
    }
    for kept in [&browser, &kept] {
        assert_eq!(kept.get("/v1/me").await.status, 200);
    }
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    let mut told: Vec<_> = page.events.iter().filter(|event| event.what == Activity::SignedOut).collect();
    told.sort_by_key(|event| event.session.clone());
    let mut sessions: Vec<_> = opened.iter().map(|ended| Some(ended.session.clone())).collect();
    sessions.sort();
    assert_eq!(told.iter().map(|event| event.session.clone()).collect::<Vec<_>>(), sessions);
    // A second time there is nothing to end, and nothing to tell.
    let before = stored_facts(&world).await;
    assert_eq!(browser.post("/v1/sessions/end-by-passkey", &request).await.status, 204);
    assert_eq!(stored_facts(&world).await, before);
}

#[tokio::test]
async fn whoever_asks_keeps_their_own_session_and_ends_nobody_elses() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (other, stranger) = (world.sign_in_by_ceremony(&first).await, world.browser().await);
    let own = list(&browser).await.remove(0).id;
    let theirs = EndByPasskeyRequest { passkey: passkey_of(&stranger.account) };
    assert_eq!(browser.post("/v1/sessions/end-by-passkey", &theirs).await.code(), Code::NotFound);
    assert_eq!(stranger.get("/v1/me").await.status, 200);
    let request = EndByPasskeyRequest { passkey: own };
    assert_eq!(browser.post("/v1/sessions/end-by-passkey", &request).await.status, 204);
    assert_eq!(browser.get("/v1/me").await.status, 200);
    assert_eq!(other.get("/v1/me").await.code(), Code::SignedOut);
}

#[tokio::test]
async fn of_two_that_remove_themselves_at_once_one_stays() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, view) = add(&world, &browser, &first).await;
    let (own, other) = (removal(&list(&browser).await[0]), removal(&view));
    let answers = tokio::join!(act(&browser, &first, &own), act(&browser, &second, &other));
    let refused = if answers.0.status == 204 { answers.1 } else { answers.0 };
    assert_eq!(refused.code(), Code::LastPasskey);
    let enabled = list(&browser).await.into_iter().filter(|view| view.trust != Trust::Disabled);
    assert_eq!(enabled.count(), 1);
}
