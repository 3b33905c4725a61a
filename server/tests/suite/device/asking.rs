//! What browsers ask for their device, and what they are answered.

use super::{
    REFRESH, REGISTER, REGISTRATION, ask, binding, bound, challenge, challenge_of, fetches, is_over, refresh,
    register, signs_in,
};
use crate::support::{Proof, Raw, World, make_key, run, stored_facts};
use futures_util::future::join_all;
use holdfast_protocol::{
    account::SessionBinding,
    history::{Activity, ActivityPage},
    ids::SessionId,
    problem::Code,
};
use holdfast_server::{access::DeviceChallenge, limits::Rate};
use serde_json::json;
use std::{num::NonZeroU32, time::Duration};

#[tokio::test]
async fn only_who_signed_in_registers_a_device() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, offered) = signs_in(&mut world.guest(), &passkey).await;
    let (other, of_another) = signs_in(&mut world.guest(), &passkey).await;
    let key = make_key(&world.app);
    let app = &world.app;
    let right = Proof::of_device(app, &key, REGISTRATION, &offered);
    let (signed, _) = right.rsplit_once('.').unwrap();
    let foreign = Proof::of_device(app, &make_key(app), REGISTRATION, &offered);
    let tries = [
        Proof::of_device(app, &key, REGISTRATION, &of_another),
        Proof::of_device(app, &key, REGISTRATION, &DeviceChallenge::Refresh.make(app, &plain.session)),
        Proof::of_device(app, &key, REGISTRATION, ""),
        Proof::of_device(app, &key, DeviceChallenge::Refresh, &offered),
        format!("{signed}.{}", foreign.rsplit_once('.').unwrap().1),
        format!("{signed}.{}", "A".repeat(86)),
        "e30.e30.".to_owned(),
        "\"".to_owned(),
        Proof::new(app, &key, "POST", REGISTER, &offered).sign(),
    ];
    let mut events = world.count("activity").await;
    for response in &tries {
        let refused = ask(&plain, REGISTER, &[("secure-session-response", response)]).await;
        assert_eq!(refused.code(), Code::PopProofInvalid, "{response}: {refused:?}");
        assert!(!refused.headers.contains_key("set-cookie"));
        is_recorded(&world, &mut events).await;
    }
    assert_eq!(ask(&plain, REGISTER, &[]).await.code(), Code::PopProofMissing);
    is_recorded(&world, &mut events).await;
    let twice = [("secure-session-response", right.as_str()), ("secure-session-response", &right)];
    assert_eq!(ask(&plain, REGISTER, &twice).await.code(), Code::PopProofInvalid);
    is_recorded(&world, &mut events).await;
    assert_eq!(binding(&plain).await, SessionBinding::Browser);
    world.advance_ms(301_000);
    // A browser that was slow is no thief.
    let before = stored_facts(&world).await;
    assert_eq!(register(&plain, &key, &offered).await.code(), Code::PopProofInvalid);
    assert_eq!(stored_facts(&world).await, before);

    // And whose cookie was shown keeps its device.
    let challenge = DeviceChallenge::Registration.make(app, &other.session);
    assert_eq!(register(&other, &key, &challenge).await.status, 200);
    assert_eq!(binding(&fetches(&other, &key).await).await, SessionBinding::Device);
    assert_eq!(register(&other, &make_key(app), &challenge).await.code(), Code::PopProofInvalid);
}

/// Whether something was recorded since so many events; what comes next is not the same once more.
async fn is_recorded(world: &World, events: &mut usize) {
    *events += 1;
    assert_eq!(world.count("activity").await, *events);
    run!(world.app.db, "UPDATE activity SET at_ms = at_ms - 3600000");
}

#[tokio::test]
async fn an_answer_fetches_one_cookie_and_only_the_devices_own() {
    let world = World::new().await;
    let beside = world.beside(|_| {}).await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, key, browser) = bound(&world, &passkey).await;
    for id in ["", "\"", "ses_", "con_0000-0000-0000-0000"] {
        let asked = ask(&plain, REFRESH, &[("sec-secure-session-id", id)]).await;
        assert_eq!(asked.code(), Code::InvalidRequest, "{id}");
    }
    assert_eq!(ask(&plain, REFRESH, &[]).await.code(), Code::InvalidRequest);
    let living = world.sign_in_by_ceremony(&passkey).await.session;
    let before = stored_facts(&world).await;
    let asked = ask(&plain, REFRESH, &[("sec-secure-session-id", living.as_str())]).await;
    assert_eq!(asked.code(), Code::Unavailable);
    let made_up = refresh(&plain, &key, "AAAA").await;
    let offered = DeviceChallenge::Registration.make(&world.app, &plain.session);
    let other = DeviceChallenge::Refresh.make(&world.app, &SessionId::make(world.app.entropy.make()));
    for asked in [made_up, refresh(&plain, &key, &offered).await, refresh(&plain, &key, &other).await] {
        assert_eq!(asked.code(), Code::DeviceChallenge);
        assert!(!asked.headers.contains_key("set-cookie"));
    }
    let late = challenge(&plain).await;
    world.advance_ms(61_001);
    let asked = refresh(&plain, &key, &late).await;
    assert_eq!(asked.code(), Code::DeviceChallenge);
    assert_eq!(stored_facts(&world).await, before);

    // The challenge of the refusal is as good as any.
    let given = challenge_of(&asked, &plain.session);
    let theirs = refresh(&plain, &make_key(&world.app), &given).await;
    assert_eq!(theirs.code(), Code::PopProofInvalid);
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    assert_eq!(page.events[0].what, Activity::CookieWithoutKey);

    let places = [plain.clone(), plain.at(&beside)];
    let race = join_all((0..8).map(|at| refresh(&places[at % 2], &key, &given))).await;
    assert_eq!(race.iter().filter(|answer| answer.status == 200).count(), 1, "{race:?}");
    assert!(race.iter().all(|answer| answer.status == 200 || answer.code() == Code::DeviceChallenge));
}

#[tokio::test]
async fn a_session_without_a_device_refreshes_nothing_and_what_has_ended_is_over() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, _) = signs_in(&mut world.guest(), &passkey).await;
    let asked = ask(&plain, REFRESH, &[("sec-secure-session-id", plain.session.as_str())]).await;
    is_over(&asked, &plain.session);
    let (plain, key, browser) = bound(&world, &passkey).await;
    let given = challenge(&plain).await;
    assert_eq!(browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await.status, 204);
    is_over(&refresh(&plain, &key, &given).await, &plain.session);
    // Nor is anything kept up for a session that there never was, or by a browser that has lost its cookies.
    let never = SessionId::make(world.app.entropy.make());
    is_over(&ask(&plain, REFRESH, &[("sec-secure-session-id", never.as_str())]).await, &never);
    let (living, _, _) = bound(&world, &passkey).await;
    for (session, alive) in [(&plain.session, false), (&living.session, true)] {
        let mut bare = living.clone();
        bare.cookies = "other=1".to_owned();
        let asked = ask(&bare, REFRESH, &[("sec-secure-session-id", session.as_str())]).await;
        if alive {
            assert_eq!(asked.code(), Code::Unavailable);
        } else {
            is_over(&asked, session);
        }
    }
}

#[tokio::test]
async fn who_asks_too_often_is_asked_to_wait_and_keeps_its_device() {
    let world = World::with(|config| {
        config.rates.device = Rate { burst: NonZeroU32::new(4).unwrap(), every: Duration::from_secs(60) };
    })
    .await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, key, _) = bound(&world, &passkey).await;
    world.advance_ms(600_000);
    // Whoever has no session is counted apart.
    let never = SessionId::make(world.app.entropy.make());
    for at in 0..5 {
        let mut stranger = plain.clone();
        stranger.cookies = "other=1".to_owned();
        let asked = ask(&stranger, REFRESH, &[("sec-secure-session-id", never.as_str())]).await;
        assert_eq!(asked.status.as_u16(), if at < 4 { 200 } else { 503 });
    }
    let given = challenge(&plain).await;
    for _ in 0..3 {
        challenge(&plain).await;
    }
    let busy = refresh(&plain, &key, &given).await;
    assert_eq!((busy.status.as_u16(), busy.code()), (503, Code::Unavailable));
    assert_eq!(busy.headers["retry-after"], "2");
    world.advance_ms(60_000);
    assert_eq!(refresh(&plain, &key, &given).await.status, 200);
}

#[tokio::test]
async fn browsers_that_name_no_origin_are_heard_and_no_page_is_that_names_another() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, ..) = bound(&world, &passkey).await;
    let from = async |headers: &[(&str, &str)]| {
        let mut request = Raw::new("POST", REFRESH);
        request.add("cookie", &plain.cookies);
        request.add("sec-secure-session-id", plain.session.as_str());
        headers.iter().for_each(|(name, value)| request.add(name, value));
        request.send(plain.address).await.code()
    };
    assert_eq!(from(&[]).await, Code::DeviceChallenge);
    for header in [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        assert_eq!(from(&[header]).await, Code::ForeignOrigin);
    }
    let mut bare = plain.clone();
    bare.cookies = "other=1".to_owned();
    assert_eq!(ask(&bare, REGISTER, &[]).await.code(), Code::SignedOut);
}

#[tokio::test]
async fn a_clock_that_was_ahead_lets_nobody_do_without() {
    let world = World::new().await;
    let ahead = world.ahead_by_ms(86_400_000).await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, offered) = signs_in(&mut world.guest(), &passkey).await;
    let key = make_key(&world.app);
    assert_eq!(register(&plain, &key, &offered).await.status, 200);
    let from_ahead = fetches(&plain.at(&ahead), &key).await;
    assert_eq!(binding(&from_ahead).await, SessionBinding::Device);
    assert_eq!(plain.get("/v1/me").await.code(), Code::SignedOut);
    assert_eq!(from_ahead.at(&world).get("/v1/me").await.code(), Code::UseDpopNonce);
    assert_eq!(binding(&fetches(&plain, &key).await).await, SessionBinding::Device);
}
