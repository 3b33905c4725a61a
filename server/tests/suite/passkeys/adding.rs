//! A further passkey: confirmed with one that is there, and registered in the session that confirmed it.

use super::{act, add, addition, ask, begin, finish, list};
use crate::support::{SoftPasskey, World, everything_stored, run, stored_facts};
use holdfast_protocol::{
    account::Me,
    base64url::{self, Bytes},
    history::{Activity, ActivityPage},
    ids::{AccountId, PasskeyId},
    passkeys::{Addition, Trust},
    problem::Code,
};

#[tokio::test]
async fn a_further_passkey_signs_in_like_the_first() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    world.advance_ms(600_000);
    let (second, view) = add(&world, &browser, &first).await;
    assert_eq!((view.trust, view.opened_this_session, view.other_sessions), (Trust::New, false, 0));
    assert_eq!(list(&browser).await[1], view);
    let me: Me = browser.get("/v1/me").await.json();
    assert_eq!(me.signals.accepted_credential_ids, [Bytes(first.id.clone()), Bytes(second.id.clone())]);

    let page: ActivityPage = browser.get("/v1/activity").await.json();
    let added = Activity::PasskeyAdded { passkey: view.id.clone(), name: view.name.clone() };
    assert_eq!((&page.events[0].what, &page.events[0].session), (&added, &Some(browser.session.clone())));
    world.sign_in_by_ceremony(&second).await;
    // Either confirms what comes next.
    world.advance_ms(1);
    let (third, _) = add(&world, &browser, &second).await;
    let theirs = world.sign_in_by_ceremony(&third).await;
    let opened: Vec<u32> = list(&theirs).await.iter().map(|view| view.other_sessions).collect();
    assert_eq!(opened, [1, 1, 0]);
}

/// Whoever has the log alone verifies the signatures of each passkey with what was recorded at its birth.
#[tokio::test]
async fn the_trail_keeps_the_key_of_every_passkey_from_the_first_on() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, _) = add(&world, &browser, &first).await;
    let stored = everything_stored(&world).await;
    for passkey in [first, second] {
        let id = base64url::encode(&passkey.id);
        let evidence =
            format!(r#"{{"of":"registration","credential_id":"{id}","public_key":""#).to_lowercase();
        assert_eq!(stored.matches(&evidence).count(), 1, "{evidence}");
    }
}

#[tokio::test]
async fn a_device_is_told_of_the_passkeys_that_are_there_and_makes_no_second_one() {
    let world = World::new().await;
    let (browser, mut passkey) = world.set_up_by_ceremony().await;
    let options = begin(&browser, &passkey).await;
    let excluded = options.public_key.exclude_credentials.clone().unwrap();
    assert_eq!(excluded.iter().map(|known| known.id.clone()).collect::<Vec<_>>(), [passkey.id.clone()]);
    assert_eq!(options.public_key.user.id, passkey.user_handle);
    assert_eq!(options.public_key.user.name, "mara@example.org");

    let again = passkey.register(&options, |_| {});
    let mails = world.count("outbox").await;
    assert_eq!(finish(&browser, &options, &again).await.code(), Code::AlreadyRegistered);
    assert_eq!((list(&browser).await.len(), world.count("outbox").await), (1, mails));
}

#[tokio::test]
async fn a_registration_is_finished_once_in_time_and_where_it_was_begun() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (other, stranger) = (world.sign_in_by_ceremony(&first).await, world.browser().await);
    let options = begin(&browser, &first).await;
    let mut passkey = SoftPasskey::new(&world);
    let credential = passkey.register(&options, |_| {});
    let before = stored_facts(&world).await;
    for elsewhere in [&other, &stranger] {
        assert_eq!(finish(elsewhere, &options, &credential).await.code(), Code::TokenInvalid);
    }
    assert_eq!(stored_facts(&world).await, before);
    finish(&browser, &options, &credential).await.json::<serde_json::Value>();
    assert_eq!(finish(&browser, &options, &credential).await.code(), Code::CeremonyGone);

    let options = begin(&browser, &first).await;
    let credential = SoftPasskey::new(&world).register(&options, |_| {});
    world.advance_ms(300_000);
    assert_eq!(finish(&browser, &options, &credential).await.code(), Code::CeremonyGone);
    assert_eq!(list(&browser).await.len(), 2);
}

#[tokio::test]
async fn what_is_refused_spends_the_ceremony() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let options = begin(&browser, &first).await;
    let mut passkey = SoftPasskey::new(&world);
    let unverified = passkey.register(&options, |said| said.flags &= !crate::support::UV);
    assert_eq!(finish(&browser, &options, &unverified).await.code(), Code::UserVerificationMissing);
    let good = passkey.register(&options, |_| {});
    assert_eq!(finish(&browser, &options, &good).await.code(), Code::CeremonyGone);
    assert_eq!(list(&browser).await.len(), 1);
}

#[tokio::test]
async fn a_hold_that_begins_before_the_end_is_heeded() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let options = begin(&browser, &first).await;
    let credential = SoftPasskey::new(&world).register(&options, |_| {});
    let now_ms = world.app.clock.unix_ms();
    let hold = "UPDATE accounts SET cooldown_from_ms = $1, cooldown_until_ms = $2";
    run!(world.app.db, hold, now_ms, now_ms + 1_000);
    assert_eq!(finish(&browser, &options, &credential).await.code(), Code::Cooldown);
    assert_eq!(ask(&browser, &addition(&browser)).await.code(), Code::Cooldown);
    assert_eq!(list(&browser).await.len(), 1);
    world.advance_ms(1_000);
    add(&world, &browser, &first).await;
}

#[tokio::test]
async fn an_account_has_room_for_sixty_four() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let copy = "
        INSERT INTO passkeys (id, account_id, credential_id, public_key, aaguid, sign_count, backup_eligible,
            backup_state, transports, name, browser, system, created_at_ms)
        SELECT $1, account_id, $2, public_key, aaguid, 0, backup_eligible, backup_state, transports, name,
            browser, system, created_at_ms FROM passkeys WHERE credential_id = $3";
    let more = async |number: u8| {
        let mut random = [0; 16];
        random[..2].copy_from_slice(&[number / 32, number % 32]);
        let id = PasskeyId::make(random);
        let (credential, first) = (vec![number; 16], first.id.clone());
        assert_eq!(run!(world.app.db, copy, id.as_str(), credential, first), 1);
    };
    for number in 1..=62 {
        more(number).await;
    }
    let options = begin(&browser, &first).await;
    more(63).await;
    assert_eq!(list(&browser).await.len(), 64);
    let credential = SoftPasskey::new(&world).register(&options, |_| {});
    assert_eq!(finish(&browser, &options, &credential).await.code(), Code::TooManyPasskeys);
    assert_eq!(ask(&browser, &addition(&browser)).await.code(), Code::TooManyPasskeys);
    assert_eq!(list(&browser).await.len(), 64);
    // Those that were removed take no room.
    run!(world.app.db, "UPDATE passkeys SET disabled_at_ms = 1 WHERE credential_id <> $1", first.id.clone());
    add(&world, &browser, &first).await;
}

#[tokio::test]
async fn it_is_for_the_account_and_address_that_were_read() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let account = AccountId::make(world.app.entropy.make());
    let others = Addition { account, ..addition(&browser) };
    assert_eq!(act(&browser, &first, &others).await.code(), Code::NotFound);
    let earlier = Addition { email: "maria@example.org".to_owned(), ..addition(&browser) };
    assert_eq!(act(&browser, &first, &earlier).await.code(), Code::TargetChanged);
    assert_eq!(world.count("ceremonies").await, 0);
}
