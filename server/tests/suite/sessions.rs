//! Sessions: how long they live, and how they end (A9, A10, A11).

use crate::step_up::stage::add_passkey;
use crate::support::{Answer, Browser, PlainBody, World, login_body, run};
use axum::http::Method;
use futures_util::future::join_all;
use holdfast_protocol::{
    account::Me,
    history::{Activity, ActivityPage},
    problem::Code,
    step_up::ReadinessState,
};
use holdfast_server::secrets::{Keyring, Secret};
use serde_json::json;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

async fn is_in(browser: &Browser) -> bool {
    let answer = browser.get("/v1/me").await;
    answer.status == 200 || {
        assert_eq!(answer.code(), Code::SignedOut);
        false
    }
}

async fn log_out(browser: &Browser, scope: &str) -> Answer {
    browser.post("/v1/logout", &json!({ "scope": scope })).await
}

#[tokio::test]
async fn signing_in_again_in_the_same_browser_makes_a_new_session_and_ends_the_one_before() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let answer = guest.sign_in(&passkey, |_| {}).await;
    let before = guest.signed_in(&answer);
    let other_browser = world.sign_in_by_ceremony(&passkey).await;
    guest.key = world.guest().key;
    let answer = guest.sign_in(&passkey, |_| {}).await;
    let after = guest.signed_in(&answer);
    assert_ne!(before.session, after.session);
    assert_ne!(before.cookies, after.cookies);
    assert!(is_in(&after).await && is_in(&other_browser).await);
    assert!(!is_in(&before).await);
}

#[tokio::test]
async fn a_refused_sign_in_leaves_the_session_that_is_there() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let answer = guest.sign_in(&passkey, |_| {}).await;
    let before = guest.signed_in(&answer);
    assert_eq!(guest.sign_in(&passkey, |said| said.flags = 0).await.code(), Code::UserVerificationMissing);
    assert!(is_in(&before).await);
}

#[tokio::test]
async fn who_cannot_say_which_session_was_there_signs_in_to_none() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let answer = guest.sign_in(&passkey, |_| {}).await;
    let before = guest.signed_in(&answer);
    let options = guest.begin_login().await;
    let body = login_body(&options, &passkey.assert(&options, |_| {}));
    let sessions = world.count("sessions").await;
    let proof = guest.proof("/v1/login/verify").await.sign();
    let request = guest
        .request(Method::POST, "/v1/login/verify")
        .header("cookie", "__Host-holdfast=another")
        .header("content-type", "application/json")
        .header("dpop", proof);
    let answer = guest.send(request.body(PlainBody::from(body.to_string())).unwrap()).await;
    assert_eq!(answer.code(), Code::InvalidRequest);
    assert_eq!(world.count("sessions").await, sessions);
    assert!(is_in(&before).await);
    // The ceremony is still there to be finished.
    let proof = guest.proof("/v1/login/verify").await.sign();
    assert_eq!(guest.post_with("/v1/login/verify", &body, Some(&proof)).await.status, 200);
    assert!(!is_in(&before).await);
}

#[tokio::test]
async fn many_who_sign_in_again_at_once_all_leave_their_session() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut before = Vec::new();
    let mut guests = Vec::new();
    for _ in 0..18 {
        world.advance_ms(10_000);
        let mut guest = world.guest();
        let answer = guest.sign_in(&passkey, |_| {}).await;
        before.push(guest.signed_in(&answer));
        guests.push(guest);
    }
    world.advance_ms(60_000);
    join_all(guests.iter_mut().map(|guest| guest.sign_in(&passkey, |_| {}))).await;
    for (browser, guest) in before.iter().zip(&guests) {
        assert_ne!(browser.cookies, guest.cookies.header());
        assert!(!is_in(browser).await);
    }
}

#[tokio::test]
async fn signing_out_ends_this_session_and_clears_the_browser() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let other = world.sign_in_by_ceremony(&passkey).await;
    let answer = log_out(&browser, "this_browser").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["clear-site-data"], "\"cache\", \"storage\"");
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    for name in ["__Host-holdfast=;", "__Host-holdfast-device=;", "csrf=;"] {
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(name)).unwrap();
        // What is set with other attributes is another cookie, and stays.
        for attribute in ["Path=/", "Secure", "SameSite=Strict", "Max-Age=0"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
    }
    assert!(!is_in(&browser).await);
    assert!(is_in(&other).await);
    assert_eq!(log_out(&browser, "this_browser").await.code(), Code::SignedOut);
    let page: ActivityPage = other.get("/v1/activity").await.json();
    assert_eq!(page.events[0].what, Activity::SignedOut);
    assert_eq!(page.events[0].session, Some(browser.session.clone()));
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_on_every_instance_at_once() {
    let world = World::new().await;
    let beside = world.beside(|_| {}).await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let stranger = world.browser().await;
    let others = [world.sign_in_by_ceremony(&passkey).await, beside.sign_in_by_ceremony(&passkey).await];
    assert_eq!(log_out(&browser, "everywhere").await.status, 204);
    for ended in others.iter().chain([&browser]) {
        assert!(!is_in(ended).await);
    }
    assert!(is_in(&stranger).await);
    let again = beside.sign_in_by_ceremony(&passkey).await;
    assert!(is_in(&again).await);
    let page: ActivityPage = again.get("/v1/activity").await.json();
    assert_eq!(page.events[1].what, Activity::SignedOutEverywhere);
}

#[tokio::test]
async fn a_session_of_an_older_epoch_is_none() {
    let world = World::new().await;
    let browser = world.browser().await;
    assert!(is_in(&browser).await);
    run!(world.app.db, "UPDATE accounts SET epoch = epoch + 1 WHERE id = $1", browser.account.as_str());
    assert!(!is_in(&browser).await);
}

#[tokio::test]
async fn signing_out_needs_the_key_and_the_pages_token() {
    let world = World::new().await;
    let browser = world.browser().await;
    let proof = browser.fresh_proof("POST", "/v1/logout").await.sign();
    for (proof, csrf, code) in [(None, true, Code::PopProofMissing), (Some(proof), false, Code::CsrfMismatch)]
    {
        let mut request =
            browser.request(Method::POST, "/v1/logout").header("content-type", "application/json");
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        if !csrf {
            request.headers_mut().unwrap().remove("x-csrf-token");
        }
        let body = PlainBody::from(r#"{"scope":"everywhere"}"#);
        assert_eq!(browser.send(request.body(body).unwrap()).await.code(), code);
    }
    assert!(is_in(&browser).await);
}

#[tokio::test]
async fn a_new_secret_leaves_the_pages_token_good_until_the_previous_one_is_gone() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let secret = |text: &str| Secret::new(text.to_owned());
    let (new, before) = ("another secret another secret another", crate::support::SECRET);
    let rotated = world.beside(|config| config.keys = Keyring::new(secret(new), Some(secret(before)))).await;
    let gone = world.beside(|config| config.keys = Keyring::new(secret(new), None)).await;
    browser.address = gone.address;
    assert_eq!(log_out(&browser, "this_browser").await.code(), Code::CsrfMismatch);
    browser.address = rotated.address;
    assert_eq!(log_out(&browser, "this_browser").await.status, 204);
}

#[tokio::test]
async fn a_browser_that_lost_the_pages_token_gets_it_with_its_next_proof() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    assert!(!browser.get("/v1/me").await.headers.contains_key("set-cookie"));
    let whole = browser.cookies.clone();
    browser.cookies = whole.split_once("; ").unwrap().0.to_owned();
    assert_eq!(log_out(&browser, "this_browser").await.code(), Code::CsrfMismatch);
    let me = browser.get("/v1/me").await;
    let cookie = me.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!("csrf={};", browser.csrf)), "{cookie}");
    browser.cookies = whole;
    assert_eq!(log_out(&browser, "this_browser").await.status, 204);
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_lives_until_its_absolute_end() {
    let world = World::new().await;
    let (idle, used) = (world.browser().await, world.browser().await);
    let me: Me = used.get("/v1/me").await.json();
    assert_eq!(me.session.expires_at_ms, me.session.created_at_ms + 90 * DAY_MS);
    // A little before two weeks it still lives, and is used.
    world.advance_ms(14 * DAY_MS - 1);
    assert!(is_in(&used).await);
    world.advance_ms(1);
    assert!(!is_in(&idle).await);
    for _ in 0..5 {
        world.advance_ms(13 * DAY_MS);
        assert!(is_in(&used).await);
    }
    world.advance_ms(11 * DAY_MS - 1);
    assert!(is_in(&used).await);
    world.advance_ms(1);
    assert!(!is_in(&used).await);
}

#[tokio::test]
async fn what_does_not_prove_the_key_does_not_keep_the_session_alive() {
    let world = World::new().await;
    let browser = world.browser().await;
    let used = browser.fresh_proof("GET", "/v1/me").await.sign();
    assert_eq!(browser.get_with("/v1/me", &used).await.status, 200);
    // The nonce is still fresh, and the last use long enough ago to be noted anew.
    world.advance_ms(2 * 60_000);
    assert_eq!(browser.get_with("/v1/me", &used).await.code(), Code::PopProofReplayed);
    let mut foreign = browser.fresh_proof("GET", "/v1/me").await;
    foreign.key = browser.foreign_key();
    assert_eq!(browser.get_with("/v1/me", &foreign.sign()).await.code(), Code::PopProofInvalid);
    world.advance_ms(14 * DAY_MS - 2 * 60_000);
    assert!(!is_in(&browser).await);
}

/// Each holds its own session and wants the others'.
#[tokio::test]
async fn sessions_that_end_one_another_do_not_wait_for_each_other_forever() {
    for everywhere in [false, true] {
        for _ in 0..8 {
            let world = World::new().await;
            let account = world.account().await;
            let mut browsers = Vec::new();
            for number in 0..4 {
                let (passkey, _) = add_passkey(&world, &account, &number.to_string()).await;
                browsers.push((Browser::sign_in(&world, &account, &passkey).await, passkey));
            }
            let ends = browsers.iter().enumerate().map(async |(at, (browser, _))| {
                if everywhere {
                    return log_out(browser, "everywhere").await;
                }
                let (_, next) = &browsers[(at + 1) % browsers.len()];
                browser.post("/v1/sessions/end-by-passkey", &json!({ "passkey": next })).await
            });
            let answers = join_all(ends).await;
            assert!(answers.iter().any(|answer| answer.status == 204));
            for answer in answers.iter().filter(|answer| answer.status != 204) {
                assert_eq!(answer.code(), Code::SignedOut, "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn sessions_are_ended_whatever_holds_the_account_back() {
    for state in [
        "recovery_from_ms = 0, recovery_until_ms = 9000000000000",
        "cooldown_from_ms = 0, cooldown_until_ms = 9000000000000",
        "risk_hold_from_ms = 0, risk_hold_until_ms = 9000000000000",
        // And without any passkey that it could confirm something with.
        "name = name",
    ] {
        let world = World::new().await;
        let account = world.account().await;
        let (passkey, _) = add_passkey(&world, &account, "Another").await;
        let [own, beside, far] =
            [world.sign_in(&account).await, world.sign_in(&account).await, world.sign_in(&account).await];
        let by_another = Browser::sign_in(&world, &account, &passkey).await;
        run!(world.app.db, sqlx::AssertSqlSafe(format!("UPDATE accounts SET {state}")));
        run!(world.app.db, "UPDATE passkeys SET disabled_at_ms = 1");
        let me: Me = own.get("/v1/me").await.json();
        assert_ne!(me.passkey_readiness.state, ReadinessState::Ready);
        let request = json!({ "passkey": passkey });
        assert_eq!(own.post("/v1/sessions/end-by-passkey", &request).await.status, 204, "{state}");
        assert!(!is_in(&by_another).await);
        assert_eq!(log_out(&beside, "this_browser").await.status, 204, "{state}");
        assert!(!is_in(&beside).await && is_in(&far).await);
        assert_eq!(log_out(&own, "everywhere").await.status, 204, "{state}");
        assert!(!is_in(&far).await);
    }
}
