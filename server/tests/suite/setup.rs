//! The first account: made once, by who holds the setup token.

use crate::support::{
    BE, Guest, Lie, ORIGIN, PlainBody, SETUP_TOKEN, SoftPasskey, UP, UV, World, public, stored_facts,
};
use axum::http::Method;
use futures_util::future::join_all;
use holdfast_protocol::{
    account::{Me, Role, SetupStatus, Tier},
    history::{Activity, ActivityPage},
    passkeys::{Backup, Discoverable, PasskeyList, RegistrationOptions, Trust},
    problem::Code,
    tokens::{Begun, challenge_of},
};
use serde_json::{Value, json};

fn asked(guest: &Guest) -> Value {
    json!({ "name": "Mara", "email": "mara@example.org", "jkt": public(&guest.key).thumbprint() })
}

async fn is_open(world: &World) -> bool {
    let SetupStatus { open } = world.guest().get("/v1/setup").await.json();
    open
}

#[tokio::test]
async fn the_first_account_is_made_once_and_its_browser_is_signed_in() {
    let world = World::new().await;
    assert!(is_open(&world).await);
    let (browser, passkey) = world.set_up_by_ceremony().await;
    assert!(!is_open(&world).await);

    let me: Me = browser.get("/v1/me").await.json();
    assert_eq!((me.account.name.as_str(), me.account.email.as_str()), ("Mara", "mara@example.org"));
    assert_eq!((me.account.tier, me.account.role), (Tier::WebLocked, Role::Admin));
    assert_eq!(me.recovery_codes, None);
    assert_eq!((me.session.device.browser.as_str(), me.session.device.system.as_str()), ("Firefox", "Linux"));
    assert_eq!(me.signals.rp_id, "localhost");
    assert_eq!(me.signals.user_id.0, passkey.user_handle);
    assert_eq!(me.signals.accepted_credential_ids.len(), 1);
    assert_eq!(me.signals.accepted_credential_ids[0].0, passkey.id);

    let PasskeyList { passkeys } = browser.get("/v1/passkey").await.json();
    assert_eq!((passkeys[0].backup, passkeys[0].trust), (Backup::Synced, Trust::New));
    assert_eq!(passkeys[0].name, "Passkey from Linux");
    assert!(passkeys[0].opened_this_session);

    let page: ActivityPage = browser.get("/v1/activity").await.json();
    let kinds: Vec<&Activity> = page.events.iter().rev().map(|event| &event.what).collect();
    assert!(
        matches!(
            kinds[..],
            [Activity::AccountCreated, Activity::PasskeyAdded { .. }, Activity::SignedIn { .. }]
        ),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn the_options_are_bound_to_the_browsers_key_and_ask_for_a_verified_discoverable_passkey() {
    let world = World::new().await;
    let mut guest = world.guest();
    let answer = guest.post("/v1/setup/options", &asked(&guest)).await;
    let raw: Value = answer.json();
    let options: RegistrationOptions = answer.json();
    let begun = Begun {
        jkt: &public(&guest.key).thumbprint(),
        label: "token/registration",
        ceremony: &options.ceremony,
        origin: ORIGIN,
        rp_id: "localhost",
        challenge: &options.public_key.challenge,
    };
    begun.check(&options.token).unwrap();
    assert_eq!(options.public_key.challenge, challenge_of(&options.token));
    let selection = &raw["public_key"]["authenticatorSelection"];
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(raw["public_key"]["attestation"], "none");
    assert_eq!(raw["public_key"]["timeout"], 300_000);
    assert_eq!(raw["public_key"]["extensions"]["credProps"], true);
    assert_eq!(raw["public_key"]["hints"], serde_json::json!(["client-device", "hybrid", "security-key"]));
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-holdfast-ceremony="), "{cookie}");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn without_the_setup_token_nothing_begins_and_nothing_ends() {
    let world = World::new().await;
    let mut guest = world.guest();
    let options = guest.begin_setup().await;
    let credential = SoftPasskey::new(&world).register(&options, |_| {});
    let verify = json!({ "ceremony": options.ceremony, "token": options.token, "credential": credential });
    let before = stored_facts(&world).await;
    for (path, body) in [("/v1/setup/options", asked(&guest)), ("/v1/setup/verify", verify)] {
        let longer = format!("{SETUP_TOKEN}x");
        let lists: [&[&str]; 6] = [
            &[],
            &[""],
            &["another-setup-token-of-the-tests"],
            &[&SETUP_TOKEN[1..]],
            &[&longer],
            &[SETUP_TOKEN, SETUP_TOKEN],
        ];
        for tokens in lists {
            let proof = guest.proof(path).await.sign();
            let mut request = guest
                .request(Method::POST, path)
                .header("content-type", "application/json")
                .header("dpop", proof);
            for token in tokens {
                request = request.header("x-setup-token", *token);
            }
            let answer = guest.send(request.body(PlainBody::from(body.to_string())).unwrap()).await;
            let code = if tokens.len() == 2 { Code::InvalidRequest } else { Code::SetupTokenInvalid };
            assert_eq!(answer.code(), code, "{path} {tokens:?}");
        }
    }
    assert_eq!(stored_facts(&world).await, before);
    assert_eq!(guest.finish_setup(&options, &credential).await.status, 200);
}

#[tokio::test]
async fn where_no_setup_token_is_configured_none_is_right() {
    let world = World::with(|config| config.setup_token = None).await;
    let mut guest = world.guest();
    assert_eq!(guest.post("/v1/setup/options", &asked(&guest)).await.code(), Code::SetupTokenInvalid);
}

#[tokio::test]
async fn of_eight_who_race_one_makes_the_account() {
    let world = World::new().await;
    let mut guests = Vec::new();
    for _ in 0..8 {
        let (mut guest, mut passkey) = (world.guest(), SoftPasskey::new(&world));
        let options = guest.begin_setup().await;
        let credential = passkey.register(&options, |_| {});
        guests.push((guest, options, credential));
    }
    let tries = guests.iter_mut().map(|(guest, options, credential)| guest.finish_setup(options, credential));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let refused: Vec<Code> =
        answers.iter().filter(|answer| answer.status != 200).map(|answer| answer.code()).collect();
    assert_eq!(refused, [Code::SetupDone; 7]);
    for (table, rows) in [("accounts", 1), ("passkeys", 1), ("sessions", 1), ("setup", 1)] {
        assert_eq!(world.count(table).await, rows, "{table}");
    }
}

#[tokio::test]
async fn once_set_up_nobody_sets_up_again() {
    let world = World::new().await;
    let (mut early, mut late) = (world.guest(), world.guest());
    let options = early.begin_setup().await;
    let credential = SoftPasskey::new(&world).register(&options, |_| {});
    world.set_up_by_ceremony().await;
    assert_eq!(late.post("/v1/setup/options", &asked(&late)).await.code(), Code::SetupDone);
    assert_eq!(early.finish_setup(&options, &credential).await.code(), Code::SetupDone);
    assert_eq!(world.count("accounts").await, 1);
}

#[tokio::test]
async fn a_second_instance_sees_that_the_setup_is_done() {
    let world = World::new().await;
    let other = world.beside(|_| {}).await;
    let mut guest = other.guest();
    let options = guest.begin_setup().await;
    let credential = SoftPasskey::new(&other).register(&options, |_| {});
    let (browser, passkey) = world.set_up_by_ceremony().await;
    assert_eq!(guest.finish_setup(&options, &credential).await.code(), Code::SetupDone);
    // And what one instance has opened, the other knows.
    let elsewhere = other.sign_in_by_ceremony(&passkey).await;
    assert_eq!(elsewhere.account, browser.account);
}

#[tokio::test]
async fn names_and_addresses_that_deceive_are_refused() {
    let world = World::new().await;
    let mut guest = world.guest();
    let before = stored_facts(&world).await;
    for name in ["", " ", "\u{ad}", "\u{3164}", "Ma\u{202e}ra", "Mara\n", "Ma\u{0}ra", &"x".repeat(65)] {
        let mut body = asked(&guest);
        body["name"] = json!(format!("{name}{}", if name == "Mara\n" { "x" } else { "" }));
        assert_eq!(guest.post("/v1/setup/options", &body).await.code(), Code::InvalidRequest, "{name:?}");
    }
    let long = format!("mara@{}.example", "x".repeat(250));
    for email in ["mara", "mara@", "@b.c", "a b@c.d", "mara\u{202e}@b.c", "mara\u{0}@b.c", &long] {
        let mut body = asked(&guest);
        body["email"] = json!(email);
        assert_eq!(guest.post("/v1/setup/options", &body).await.code(), Code::InvalidRequest, "{email:?}");
    }
    assert_eq!(stored_facts(&world).await, before);
}

#[tokio::test]
async fn a_registration_that_lies_makes_no_account() {
    let world = World::new().await;
    let lies: [(Code, Lie); 10] = [
        (Code::CeremonyForeignOrigin, |said| said.client_data["origin"] = json!("http://localhost:8081")),
        (Code::CeremonyCrossOrigin, |said| said.client_data["crossOrigin"] = json!(true)),
        (Code::CeremonyCrossOrigin, |said| said.client_data["topOrigin"] = json!("https://evil.example")),
        (Code::CeremonyMismatch, |said| said.client_data["type"] = json!("webauthn.get")),
        (Code::CeremonyMismatch, |said| said.client_data["challenge"] = json!("AAAAAAAAAAAAAAAAAAAAAA")),
        (Code::CeremonyMismatch, |said| said.rp_id = "evil.example".to_owned()),
        (Code::UserVerificationMissing, |said| said.flags = UP | BE),
        (Code::UserVerificationMissing, |said| said.flags = UV | BE),
        (Code::CeremonyInvalid, |said| said.flags = UP | UV | crate::support::BS),
        (Code::CeremonyInvalid, |said| said.client_data = json!(["webauthn.create"])),
    ];
    for (at, (code, lie)) in lies.into_iter().enumerate() {
        let mut guest = world.guest();
        let options = guest.begin_setup().await;
        let credential = SoftPasskey::new(&world).register(&options, lie);
        assert_eq!(guest.finish_setup(&options, &credential).await.code(), code, "lie {at}");
    }
    assert_eq!(world.count("accounts").await, 0);
    assert!(is_open(&world).await);
}

#[tokio::test]
async fn what_is_beside_the_registration_is_checked_too() {
    let world = World::new().await;
    for (code, beside) in [
        (Code::CeremonyMismatch, json!({ "id": "AAAA" })),
        (Code::UnsupportedKey, json!({ "discoverable": "no" })),
        (Code::InvalidRequest, json!({ "transports": ["usb,nfc"] })),
        (Code::InvalidRequest, json!({ "transports": ["usb\u{0}"] })),
        (Code::InvalidRequest, json!({ "transports": vec!["usb"; 9] })),
        (Code::InvalidRequest, json!({ "transports": ["x".repeat(33)] })),
    ] {
        let mut guest = world.guest();
        let options = guest.begin_setup().await;
        let credential = SoftPasskey::new(&world).register(&options, |_| {});
        let mut credential = serde_json::to_value(credential).unwrap();
        for (name, value) in beside.as_object().unwrap() {
            credential[name] = value.clone();
        }
        let body = json!({ "ceremony": options.ceremony, "token": options.token, "credential": credential });
        let proof = guest.proof("/v1/setup/verify").await.sign();
        let answer = guest.post_with("/v1/setup/verify", &body, Some(&proof)).await;
        assert_eq!(answer.code(), code, "{beside}");
    }
    assert_eq!(world.count("accounts").await, 0);

    let (mut guest, mut passkey) = (world.guest(), SoftPasskey::new(&world));
    let options = guest.begin_setup().await;
    let mut credential = passkey.register(&options, |_| {});
    credential.discoverable = Some(Discoverable::Yes);
    assert_eq!(guest.finish_setup(&options, &credential).await.status, 200);
}
