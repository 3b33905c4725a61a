//! A ceremony is one browser's, for one purpose, for five minutes, once (K1, K2).

use crate::support::{Guest, PlainBody, SoftPasskey, World, login_body, public};
use axum::http::Method;
use futures_util::future::join_all;
use holdfast_protocol::{base64url, ids::CeremonyId, passkeys::AssertionOptions, problem::Code};
use holdfast_server::secrets::Secret;
use serde_json::{Value, json};

const VERIFY: &str = "/v1/login/verify";

/// A world that is set up, with a browser in the middle of signing in.
async fn begun() -> (World, Guest, AssertionOptions, Value) {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let options = guest.begin_login().await;
    let body = login_body(&options, &passkey.assert(&options, |_| {}));
    (world, guest, options, body)
}

async fn finish(guest: &mut Guest, body: &Value) -> Option<Code> {
    let proof = guest.proof(VERIFY).await.sign();
    let answer = guest.post_with(VERIFY, body, Some(&proof)).await;
    (answer.status != 200).then(|| answer.code())
}

#[tokio::test]
async fn a_ceremony_lives_five_minutes() {
    let (world, mut guest, _, body) = begun().await;
    world.advance_ms(299_999);
    assert_eq!(finish(&mut guest, &body).await, None);

    let (world, mut guest, _, body) = begun().await;
    world.advance_ms(300_000);
    assert_eq!(finish(&mut guest, &body).await, Some(Code::CeremonyGone));

    let (world, mut guest, _, body) = begun().await;
    world.advance_ms(300_001);
    world.app.sweep().await.unwrap();
    assert_eq!(world.count("ceremonies").await, 0);
    assert_eq!(finish(&mut guest, &body).await, Some(Code::CeremonyGone));
}

#[tokio::test]
async fn a_ceremony_is_spent_by_its_first_use_whatever_comes_of_it() {
    let (_world, mut guest, _, body) = begun().await;
    assert_eq!(finish(&mut guest, &body).await, None);
    assert_eq!(finish(&mut guest, &body).await, Some(Code::CeremonyGone));

    let (_world, mut guest, _, body) = begun().await;
    let mut wrong = body.clone();
    wrong["credential"]["signature"] = json!("AAAA");
    assert_eq!(finish(&mut guest, &wrong).await, Some(Code::CeremonyInvalid));
    assert_eq!(finish(&mut guest, &body).await, Some(Code::CeremonyGone));
}

#[tokio::test]
async fn of_many_who_race_with_one_ceremony_one_is_signed_in() {
    let (world, mut guest, _, body) = begun().await;
    let mut guests = Vec::new();
    for _ in 0..8 {
        let proof = guest.proof(VERIFY).await.sign();
        let mut other = world.guest();
        other.cookies = guest.cookies.clone();
        guests.push((other, proof));
    }
    let tries = guests.iter_mut().map(|(guest, proof)| guest.post_with(VERIFY, &body, Some(proof)));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let gone = answers.iter().filter(|answer| answer.status != 200 && answer.code() == Code::CeremonyGone);
    assert_eq!(gone.count(), 7);
    assert_eq!(world.count("sessions").await, 2);
}

#[tokio::test]
async fn a_ceremony_of_another_browser_stays_that_browsers() {
    let (world, mut guest, _, body) = begun().await;
    let mut thief = world.guest();
    thief.key = guest.key.clone();
    // Without any cookie, with one of a ceremony of its own, and with one that it made up.
    assert_eq!(finish(&mut thief, &body).await, Some(Code::CeremonyGone));
    thief.begin_login().await;
    assert_eq!(finish(&mut thief, &body).await, Some(Code::CeremonyGone));
    thief.cookies.set("__Host-holdfast-ceremony", "made-up");
    assert_eq!(finish(&mut thief, &body).await, Some(Code::CeremonyGone));
    assert_eq!(finish(&mut guest, &body).await, None);
}

#[tokio::test]
async fn ceremonies_in_two_tabs_both_work() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut one = world.guest();
    let first = one.begin_login().await;
    let mut other = world.guest();
    other.cookies = one.cookies.clone();
    let second = other.begin_login().await;
    assert_eq!(one.cookies.header(), other.cookies.header());

    let credential = passkey.assert(&second, |_| {});
    let answer = other.finish_login(&second, &credential).await;
    let of_other = other.signed_in(&answer);
    // The browser has one jar of cookies.
    one.cookies = other.cookies.clone();
    let credential = passkey.assert(&first, |_| {});
    let answer = one.finish_login(&first, &credential).await;
    assert_eq!(one.signed_in(&answer).get("/v1/me").await.status, 200);
    assert_eq!(of_other.get("/v1/me").await.code(), Code::SignedOut);
}

#[tokio::test]
async fn a_made_up_ceremony_cookie_is_not_kept() {
    let world = World::new().await;
    for made_up in ["x", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAA"] {
        let mut guest = world.guest();
        guest.cookies.set("__Host-holdfast-ceremony", made_up);
        guest.begin_login().await;
        let kept = guest.cookies.value("__Host-holdfast-ceremony");
        assert!(base64url::decode_array::<32>(kept).is_ok(), "{kept}");
    }
}

#[tokio::test]
async fn a_token_of_one_purpose_is_none_of_another() {
    let world = World::new().await;
    let mut guest = world.guest();
    let registration = guest.begin_setup().await;
    let login = guest.begin_login().await;
    let mut passkey = SoftPasskey::new(&world);
    let made = passkey.register(&registration, |_| {});
    let used = passkey.assert(&login, |_| {});

    for (ceremony, token) in
        [(&registration.ceremony, &registration.token), (&login.ceremony, &registration.token)]
    {
        let body = json!({ "ceremony": ceremony, "token": token, "credential": used });
        assert_eq!(finish(&mut guest, &body).await, Some(Code::TokenInvalid));
    }
    let body = json!({ "ceremony": login.ceremony, "token": login.token, "credential": made });
    let proof = guest.proof("/v1/setup/verify").await.sign();
    let answer = guest.post_with("/v1/setup/verify", &body, Some(&proof)).await;
    assert_eq!(answer.code(), Code::TokenInvalid);
    // The token whose purpose was rewritten has the MAC of another key.
    let (payload, mac) = login.token.split_once('.').unwrap();
    let text = String::from_utf8(base64url::decode(payload).unwrap()).unwrap();
    let account = "acc_0000-0000-0000-0000";
    let rewritten = text.replace(r#"{"login":{"#, &format!(r#"{{"registration":{{"account":"{account}","#));
    assert_ne!(rewritten, text);
    let token = format!("{}.{mac}", base64url::encode(rewritten.as_bytes()));
    let body = json!({ "ceremony": login.ceremony, "token": token, "credential": made });
    let proof = guest.proof("/v1/setup/verify").await.sign();
    let answer = guest.post_with("/v1/setup/verify", &body, Some(&proof)).await;
    assert_eq!(answer.code(), Code::TokenInvalid);
    // None of it has spent anything.
    assert_eq!(guest.finish_setup(&registration, &made).await.status, 200);
}

#[tokio::test]
async fn a_token_with_one_byte_changed_or_spelled_again_is_refused_and_spends_nothing() {
    let (_world, mut guest, options, body) = begun().await;
    let token = options.token.as_str();
    let (payload, mac) = token.split_once('.').unwrap();
    let mut tokens: Vec<String> = (0..token.len())
        .step_by(37)
        .map(|at| {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &token[..at], &token[at + 1..])
        })
        .collect();
    let claims: Value = serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap();
    let pretty = serde_json::to_string_pretty(&claims).unwrap();
    tokens.extend([
        format!("{}.{mac}", base64url::encode(pretty.as_bytes())),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}.{mac}"),
        payload.to_owned(),
        format!("{payload}."),
        format!("{payload}.{}", &mac[..20]),
        format!(".{mac}"),
        String::new(),
    ]);
    for token in tokens {
        let mut changed = body.clone();
        changed["token"] = json!(token);
        assert_eq!(finish_unlimited(&mut guest, &changed).await, Some(Code::TokenInvalid), "{token}");
    }
    assert_eq!(finish_unlimited(&mut guest, &body).await, None);
}

/// The same without running into the limit of tries.
async fn finish_unlimited(guest: &mut Guest, body: &Value) -> Option<Code> {
    guest.app.clock.advance(std::time::Duration::from_secs(3));
    finish(guest, body).await
}

#[tokio::test]
async fn a_token_names_its_own_ceremony() {
    let (world, mut guest, _, mut body) = begun().await;
    let other = guest.begin_login().await;
    for ceremony in [other.ceremony, CeremonyId::make(world.app.entropy.make())] {
        body["ceremony"] = json!(ceremony);
        assert_eq!(finish(&mut guest, &body).await, Some(Code::TokenInvalid));
    }
}

#[tokio::test]
async fn a_token_of_another_servers_secret_is_refused_and_one_of_the_previous_secret_is_taken() {
    let secret = |text: &str| Secret::new(text.repeat(4));
    let (world, mut guest, _, body) = begun().await;
    let ring = holdfast_server::secrets::Keyring::new;
    let foreign = world.beside(|config| config.keys = ring(secret("another secret "), None)).await;
    let rotated = world
        .beside(|config| {
            let before = Secret::new(crate::support::SECRET.to_owned());
            config.keys = ring(secret("another secret "), Some(before));
        })
        .await;
    guest.address = foreign.address;
    assert_eq!(finish(&mut guest, &body).await, Some(Code::TokenInvalid));
    guest.address = rotated.address;
    assert_eq!(finish(&mut guest, &body).await, None);
}

#[tokio::test]
async fn a_token_of_another_origin_of_the_same_secret_is_refused() {
    let (world, mut guest, _, body) = begun().await;
    let other = world.beside(|config| config.origin = "http://other.localhost:8080".to_owned()).await;
    let mut proof = guest.proof(VERIFY).await;
    proof.claims["htu"] = json!(format!("http://other.localhost:8080{VERIFY}"));
    guest.address = other.address;
    let mut request = guest
        .request(Method::POST, VERIFY)
        .header("content-type", "application/json")
        .header("dpop", proof.sign());
    let headers = request.headers_mut().unwrap();
    headers.insert("origin", "http://other.localhost:8080".parse().unwrap());
    let answer = guest.send(request.body(PlainBody::from(body.to_string())).unwrap()).await;
    assert_eq!(answer.code(), Code::TokenInvalid);
}

#[tokio::test]
async fn only_the_key_that_the_token_names_ends_the_ceremony() {
    let (world, mut guest, _, body) = begun().await;
    let right = guest.key.clone();
    guest.key = world.guest().key;
    assert_ne!(public(&guest.key), public(&right));
    assert_eq!(finish(&mut guest, &body).await, Some(Code::PopProofInvalid));
    assert_eq!(guest.post(VERIFY, &body).await.code(), Code::PopProofMissing);
    guest.key = right;

    let mut proof = guest.proof(VERIFY).await;
    proof.claims["nonce"] = Value::Null;
    let answer = guest.post_with(VERIFY, &body, Some(&proof.sign())).await;
    assert_eq!(answer.code(), Code::UseDpopNonce);
    assert!(answer.headers.contains_key("dpop-nonce"));
    let mut proof = guest.proof(VERIFY).await;
    proof.claims["htu"] = json!("http://localhost:8080/v1/setup/verify");
    let answer = guest.post_with(VERIFY, &body, Some(&proof.sign())).await;
    assert_eq!(answer.code(), Code::PopProofInvalid);

    // None of it has spent the ceremony.
    assert_eq!(finish(&mut guest, &body).await, None);
}

#[tokio::test]
async fn a_proof_ends_one_ceremony() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let proof = guest.proof(VERIFY).await.sign();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let options = guest.begin_login().await;
        let body = login_body(&options, &passkey.assert(&options, |_| {}));
        statuses.push(guest.post_with(VERIFY, &body, Some(&proof)).await);
    }
    assert_eq!(statuses[0].status, 200);
    assert_eq!(statuses[1].code(), Code::PopProofReplayed);
    assert_eq!(world.count("sessions").await, 2);
}
