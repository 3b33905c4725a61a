//! Whose signature confirms, and what of it is believed.

use super::stage::{Stage, add_passkey, confirm, make_real};
use crate::support::{BE, BS, Lie, UP, UV, public, run};
use holdfast_protocol::{
    base64url,
    history::{Activity, ActivityPage},
    passkeys::AssertionOptions,
    problem::Code,
    step_up::{Kind, Outcome, StepUpOptions},
};
use serde_json::{Value, json};

async fn options(stage: &Stage) -> StepUpOptions {
    stage.preflight().await.json()
}

#[tokio::test]
async fn an_assertion_that_says_something_else_is_refused_and_spends_the_step_up() {
    let lies: [(&str, Code, Lie); 11] = [
        ("another relying party", Code::CeremonyMismatch, |said| said.rp_id = "other.example".to_owned()),
        ("another site", Code::CeremonyForeignOrigin, |said| {
            said.client_data["origin"] = json!("http://other.localhost:8080");
        }),
        ("a frame", Code::CeremonyCrossOrigin, |said| said.client_data["crossOrigin"] = json!(true)),
        ("a registration", Code::CeremonyMismatch, |said| {
            said.client_data["type"] = json!("webauthn.create")
        }),
        ("another challenge", Code::CeremonyMismatch, |said| {
            said.client_data["challenge"] = json!(base64url::encode(&[7; 32]));
        }),
        ("nobody verified", Code::UserVerificationMissing, |said| said.flags = UP | BE | BS),
        ("nobody there", Code::UserVerificationMissing, |said| said.flags = UV | BE | BS),
        ("another nature", Code::BackupEligibilityChanged, |said| said.flags = UP | UV),
        ("another key", Code::CeremonyInvalid, |said| {
            said.key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        }),
        ("another person", Code::CeremonyMismatch, |said| said.user_handle = b"somebody".to_vec()),
        ("an unknown passkey", Code::StepUpMismatch, |said| said.id = vec![7; 32]),
    ];
    let stage = Stage::new(Kind::PasskeyRemove).await;
    let before = stage.facts().await;
    for (why, code, lie) in lies {
        let options = options(&stage).await;
        let answer = stage.act(Some(&confirm(&options, &stage.passkey, lie))).await;
        assert_eq!(answer.code(), code, "{why}: {answer:?}");
        assert_ne!(answer.status, 401, "{why}: nobody is signed out by that");
        stage.assert_refused(&answer, code, Outcome::Failed, &before).await;
        stage.world().advance_ms(60_000);
        let truth = confirm(&options, &stage.passkey, |_| {});
        stage.assert_asked(&stage.act(Some(&truth)).await, "token");
    }
}

#[tokio::test]
async fn a_passkey_of_another_account_and_a_removed_one_confirm_nothing() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    let stranger = stage.world().account().await;
    let theirs = make_real(stage.world(), &stranger).await;
    let (removed, disabled) = add_passkey(stage.world(), stage.account(), "Removed").await;
    run!(stage.world().app.db, "UPDATE passkeys SET disabled_at_ms = 1 WHERE id = $1", removed.as_str());
    let before = stage.facts().await;
    for passkey in [theirs, disabled] {
        let answer = stage.act(Some(&confirm(&options(&stage).await, &passkey, |_| {}))).await;
        stage.assert_refused(&answer, Code::StepUpMismatch, Outcome::Failed, &before).await;
        stage.world().advance_ms(60_000);
    }
}

#[tokio::test]
async fn a_token_that_this_server_did_not_make_for_that_is_refused_and_spends_nothing() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    let before = stage.facts().await;
    let right = stage.confirmation().await;
    let token = right["token"].as_str().unwrap();
    let (payload, mac) = token.split_once('.').unwrap();

    // A sign-in, finished with the very same passkey.
    let mut guest = stage.world().guest();
    let login: AssertionOptions = guest.begin_login().await;
    let credential = stage.passkey.assert(&login, |_| {});
    let of_login = json!({ "ceremony": login.ceremony, "token": login.token, "credential": credential });
    // Its purpose rewritten: the MAC is another key's.
    let claims = String::from_utf8(base64url::decode(payload).unwrap()).unwrap();
    let sentence = claims.replace("Old phone", "New phone");
    assert_ne!(claims, sentence);
    let with = |token: String| {
        let mut other = right.clone();
        other["token"] = Value::String(token);
        other
    };
    let mut others = vec![
        of_login,
        with(format!("{}.{mac}", base64url::encode(sentence.as_bytes()))),
        with(format!("{token}=")),
        with(payload.to_owned()),
        with(String::new()),
    ];
    let places = (0..token.len()).step_by(token.len() / 20);
    others.extend(places.map(|at| {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        with(format!("{}{other}{}", &token[..at], &token[at + 1..]))
    }));
    for other in others {
        stage.world().advance_ms(3);
        let answer = stage.act(Some(&other)).await;
        assert!([Code::TokenInvalid, Code::StepUpMismatch].contains(&answer.code()), "{answer:?}");
        assert_eq!(stage.facts().await, before);
    }
    assert_eq!(stage.world().count("step_ups").await, 1);
    // The ceremony of another step-up beside it does not spend that one.
    let unused = stage.confirmation().await;
    let mut swapped = right.clone();
    swapped["ceremony"] = unused["ceremony"].clone();
    assert_eq!(stage.act(Some(&swapped)).await.code(), Code::StepUpMismatch);
    stage.assert_done(&stage.act(Some(&unused)).await, &before).await;
    stage.assert_asked(&stage.act(Some(&right)).await, "token");
    // Nor does a step-up sign anybody in.
    let stage = Stage::new(Kind::PasskeyRemove).await;
    let mut guest = stage.world().guest();
    guest.key = stage.browser().key.clone();
    let options = options(&stage).await;
    let body = confirm(&options, &stage.passkey, |_| {});
    let proof = guest.proof("/v1/login/verify").await.sign();
    let answer = guest.post_with("/v1/login/verify", &body, Some(&proof)).await;
    assert_eq!(answer.code(), Code::TokenInvalid);
    assert_eq!(public(&guest.key), public(&stage.browser().key));
}

/// Whether the passkey is marked, and the owner told so.
async fn is_marked(stage: &Stage) -> bool {
    let marked = "UPDATE passkeys SET suspect_at_ms = suspect_at_ms WHERE suspect_at_ms IS NOT NULL";
    let rows = run!(stage.world().app.db, marked);
    let page: ActivityPage = stage.browser().get("/v1/activity").await.json();
    let told = page.events.iter().any(|event| matches!(event.what, Activity::PasskeySuspect { .. }));
    assert_eq!(told, rows == 1);
    told
}

#[tokio::test]
async fn a_passkey_that_counts_backwards_is_marked_whatever_comes_of_it() {
    for refuse in [false, true] {
        let stage = Stage::with(Kind::PasskeyRemove, |config| config.refuse_counter_rollback = refuse).await;
        run!(stage.world().app.db, "UPDATE passkeys SET sign_count = 9 WHERE name = 'Key'");
        assert!(!is_marked(&stage).await);
        let before = stage.facts().await;
        let confirmation = confirm(&options(&stage).await, &stage.passkey, |said| said.counter = 8);
        let answer = stage.act(Some(&confirmation)).await;
        assert!(is_marked(&stage).await);
        if refuse {
            assert_eq!(answer.code(), Code::StepUpMismatch);
            assert_eq!(stage.outcomes().await[0].0, Outcome::Failed);
            run!(stage.world().app.db, "UPDATE passkeys SET suspect_at_ms = NULL");
            assert_eq!(stage.facts().await, before, "nothing but the mark");
            stage.assert_asked(&stage.act(Some(&confirmation)).await, "token");
        } else {
            stage.assert_done(&answer, &before).await;
        }
    }
}

#[tokio::test]
async fn what_an_action_refuses_leaves_no_use_of_the_passkey_but_its_mark() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    run!(stage.world().app.db, "UPDATE passkeys SET sign_count = 9 WHERE name = 'Key'");
    for (counter, marked) in [(10, false), (8, true)] {
        let confirmation = confirm(&options(&stage).await, &stage.passkey, |said| said.counter = counter);
        run!(stage.world().app.db, "UPDATE passkeys SET name = 'New' WHERE name = 'Old phone'");
        let before = stage.facts().await;
        assert_eq!(stage.act(Some(&confirmation)).await.code(), Code::TargetChanged);
        assert_eq!(is_marked(&stage).await, marked);
        run!(stage.world().app.db, "UPDATE passkeys SET suspect_at_ms = NULL");
        assert_eq!(stage.facts().await, before);
        run!(stage.world().app.db, "UPDATE passkeys SET name = 'Old phone' WHERE name = 'New'");
    }
}
