//! Signing in with a passkey, and every way in which it is refused (K8).

use crate::support::{BE, BS, Browser, Lie, ORIGIN, SoftPasskey, UP, UV, World, public, run, stored_facts};
use futures_util::future::join_all;
use holdfast_protocol::{
    account::Me,
    history::{Activity, ActivityPage},
    passkeys::{AssertionOptions, PasskeyList, Trust},
    problem::Code,
    tokens::Begun,
};
use serde_json::{Value, json};

async fn trail(browser: &Browser) -> Vec<Activity> {
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    page.events.into_iter().map(|event| event.what).collect()
}

async fn refusals(browser: &Browser) -> Vec<String> {
    let codes = trail(browser).await.into_iter().filter_map(|what| match what {
        Activity::SignInRefused { code } => Some(code),
        _ => None,
    });
    codes.collect()
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_name_and_vouches_for_the_browsers_key() {
    let world = World::new().await;
    let (first, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let answer = guest.post("/v1/login/options", &json!({ "jkt": public(&guest.key).thumbprint() })).await;
    let (raw, options): (Value, AssertionOptions) = (answer.json(), answer.json());
    assert_eq!(raw["public_key"]["userVerification"], "required");
    assert!(raw["public_key"]["allowCredentials"].as_array().is_none_or(Vec::is_empty), "{raw}");
    let begun = Begun {
        jkt: &public(&guest.key).thumbprint(),
        label: "token/login",
        ceremony: &options.ceremony,
        origin: ORIGIN,
        rp_id: "localhost",
        challenge: &options.public_key.challenge,
    };
    begun.check(&options.token).unwrap();

    let credential = passkey.assert(&options, |_| {});
    let answer = guest.finish_login(&options, &credential).await;
    let browser = guest.signed_in(&answer);
    let me: Me = browser.get("/v1/me").await.json();
    assert_eq!(me.account.id, first.account);
    assert_ne!(browser.session, first.session);
    assert!(matches!(&trail(&browser).await[0], Activity::SignedIn { .. }));
    let PasskeyList { passkeys } = browser.get("/v1/passkey").await.json();
    assert_eq!(passkeys[0].last_used_at_ms, Some(1_800_000_000_000));
}

#[tokio::test]
async fn the_cookies_are_the_hosts_own_and_only_the_csrf_token_can_be_read() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let answer = world.guest().sign_in(&passkey, |_| {}).await;
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for (cookie, name, hidden) in [(cookies[0], "__Host-holdfast=", true), (cookies[1], "csrf=", false)] {
        assert!(cookie.starts_with(name), "{cookie}");
        for attribute in ["; Path=/", "; Secure", "; SameSite=Strict"] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert_eq!(cookie.contains("; HttpOnly"), hidden, "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert_eq!(answer.headers["cache-control"], "no-store");
}

/// Each lie of a known passkey, with its code.
const LIES: [(Code, Lie); 13] = [
    (Code::CeremonyForeignOrigin, |said| said.client_data["origin"] = json!("http://localhost:8081")),
    (Code::CeremonyForeignOrigin, |said| said.client_data["origin"] = json!("https://localhost:8080")),
    (Code::CeremonyCrossOrigin, |said| said.client_data["crossOrigin"] = json!(true)),
    (Code::CeremonyCrossOrigin, |said| said.client_data["topOrigin"] = json!("https://evil.example")),
    (Code::UserVerificationMissing, |said| said.flags = UP | BE | BS),
    (Code::UserVerificationMissing, |said| said.flags = UV | BE | BS),
    (Code::BackupEligibilityChanged, |said| said.flags = UP | UV),
    (Code::CeremonyInvalid, |said| said.flags = UP | UV | BS),
    (Code::CeremonyMismatch, |said| said.rp_id = "evil.example".to_owned()),
    (Code::CeremonyMismatch, |said| said.client_data["type"] = json!("webauthn.create")),
    (Code::CeremonyMismatch, |said| said.client_data["challenge"] = json!("AAAAAAAAAAAAAAAAAAAAAA")),
    (Code::CeremonyMismatch, |said| said.user_handle = vec![1; 32]),
    (Code::CeremonyMismatch, |said| said.user_handle = Vec::new()),
];

#[tokio::test]
async fn every_lie_is_refused_with_its_code_and_recorded() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    for (at, (code, lie)) in LIES.into_iter().enumerate() {
        // The same refusal within a minute is one event.
        world.advance_ms(60_000);
        let answer = world.guest().sign_in(&passkey, lie).await;
        assert_eq!(answer.code(), code, "lie {at}");
        assert!(!answer.headers.contains_key("set-cookie"), "lie {at}");
        let recorded = refusals(&browser).await;
        assert_eq!((recorded.len(), recorded[0].as_str()), (at + 1, code.as_str()), "lie {at}");
    }
    assert_eq!(world.count("sessions").await, 1);
}

#[tokio::test]
async fn another_key_signs_nothing_of_this_passkeys() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let other = browser.foreign_key();
    let answer = world.guest().sign_in(&passkey, |said| said.key = other).await;
    assert_eq!(answer.code(), Code::CeremonyInvalid);
    assert_eq!(refusals(&browser).await, ["ceremony_invalid"]);
}

#[tokio::test]
async fn who_knows_a_credentials_id_cannot_fill_the_trail() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    for _ in 0..5 {
        let answer = world.guest().sign_in(&passkey, |said| said.user_handle = vec![9; 32]).await;
        assert_eq!(answer.code(), Code::CeremonyMismatch);
    }
    assert_eq!(refusals(&browser).await.len(), 1);
    world.advance_ms(60_000);
    world.guest().sign_in(&passkey, |said| said.user_handle = vec![9; 32]).await;
    assert_eq!(refusals(&browser).await.len(), 2);
}

#[tokio::test]
async fn an_unknown_credential_is_a_proven_miss_and_touches_nobody() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let before = trail(&browser).await;
    let mut stranger = SoftPasskey::new(&world);
    stranger.user_handle = passkey.user_handle.clone();
    assert_eq!(world.guest().sign_in(&stranger, |_| {}).await.code(), Code::UnknownCredential);
    assert_eq!(trail(&browser).await, before);
}

#[tokio::test]
async fn a_disabled_passkey_never_signs_in_again() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    assert_eq!(run!(world.app.db, "UPDATE passkeys SET disabled_at_ms = $1", 1_i64), 1);
    assert_eq!(world.guest().sign_in(&passkey, |_| {}).await.code(), Code::PasskeyDisabled);
    assert_eq!(refusals(&browser).await, ["passkey_disabled"]);
    let PasskeyList { passkeys } = browser.get("/v1/passkey").await.json();
    assert_eq!(passkeys[0].trust, Trust::Disabled);
    let me: Me = browser.get("/v1/me").await.json();
    assert!(me.signals.accepted_credential_ids.is_empty());
}

#[tokio::test]
async fn a_counter_that_goes_backwards_signs_in_and_marks_the_passkey() {
    let world = World::new().await;
    let (_, mut passkey) = world.set_up_by_ceremony().await;
    passkey.counter = 7;
    world.sign_in_by_ceremony(&passkey).await;
    for counter in [6, 7] {
        passkey.counter = counter;
        let browser = world.sign_in_by_ceremony(&passkey).await;
        assert!(matches!(
            trail(&browser).await[..2],
            [Activity::SignedIn { .. }, Activity::PasskeySuspect { .. }]
        ));
        let PasskeyList { passkeys } = browser.get("/v1/passkey").await.json();
        assert_eq!(passkeys[0].trust, Trust::Suspect);
    }
    // The clone's lower counter has not become the measure.
    passkey.counter = 8;
    let browser = world.sign_in_by_ceremony(&passkey).await;
    assert!(!matches!(trail(&browser).await[1], Activity::PasskeySuspect { .. }));
}

#[tokio::test]
async fn an_operator_can_refuse_a_counter_that_goes_backwards() {
    let world = World::with(|config| config.refuse_counter_rollback = true).await;
    let (browser, mut passkey) = world.set_up_by_ceremony().await;
    passkey.counter = 7;
    world.sign_in_by_ceremony(&passkey).await;
    let sessions = world.count("sessions").await;

    passkey.counter = 7;
    assert_eq!(world.guest().sign_in(&passkey, |_| {}).await.code(), Code::CounterRollback);
    assert_eq!(world.count("sessions").await, sessions);
    assert!(matches!(
        trail(&browser).await[..2],
        [Activity::SignInRefused { .. }, Activity::PasskeySuspect { .. }]
    ));
    assert_eq!(refusals(&browser).await, ["counter_rollback"]);
    let PasskeyList { passkeys } = browser.get("/v1/passkey").await.json();
    assert_eq!(passkeys[0].trust, Trust::Suspect);

    passkey.counter = 8;
    world.sign_in_by_ceremony(&passkey).await;
}

#[tokio::test]
async fn of_two_uses_of_one_count_at_the_same_time_one_is_noticed() {
    let world = World::new().await;
    let (browser, mut passkey) = world.set_up_by_ceremony().await;
    passkey.counter = 5;
    let mut guests = Vec::new();
    for _ in 0..6 {
        let mut guest = world.guest();
        let options = guest.begin_login().await;
        let credential = passkey.assert(&options, |_| {});
        guests.push((guest, options, credential));
    }
    let tries = guests.iter_mut().map(|(guest, options, credential)| guest.finish_login(options, credential));
    assert!(join_all(tries).await.iter().all(|answer| answer.status == 200));
    let suspect = |what: &&Activity| matches!(what, Activity::PasskeySuspect { .. });
    assert_eq!(trail(&browser).await.iter().filter(suspect).count(), 5);
}

#[tokio::test]
async fn a_refused_sign_in_changes_only_the_trail() {
    let world = World::new().await;
    let (_, mut passkey) = world.set_up_by_ceremony().await;
    passkey.counter = 9;
    let before = stored_facts(&world).await;
    let answer = world.guest().sign_in(&passkey, |said| said.flags = UP).await;
    assert_eq!(answer.code(), Code::UserVerificationMissing);
    assert_eq!(stored_facts(&world).await, before);
}
