//! Answers that got lost, and what an `Idempotency-Key` is good for (U4).

use super::stage::{Stage, confirm, each};
use crate::support::PlainBody;
use axum::http::Method;
use futures_util::future::join_all;
use holdfast_protocol::{
    problem::Code,
    step_up::{Kind, Outcome, StepUpOptions},
};

const KEY: &str = "a-key-of-the-tests";
const OTHER: &str = "another-key-of-the-tests";

#[tokio::test]
async fn a_lost_answer_is_given_again_and_nothing_is_done_twice() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        let first = stage.act_under(Some(KEY), Some(&confirmation)).await;
        stage.assert_done(&first, &before).await;
        let (done, told) = (stage.facts().await, stage.outcomes().await);
        for confirmation in [Some(&confirmation), None] {
            for _ in 0..2 {
                let again = stage.act_under(Some(KEY), confirmation).await;
                assert_eq!((again.status, &again.body), (first.status, &first.body), "{}", stage.kind);
                assert_eq!(again.headers.get("content-type"), first.headers.get("content-type"));
            }
        }
        assert_eq!(stage.facts().await, done);
        assert_eq!(stage.outcomes().await, told, "nothing more is told");
        // Another key is another request.
        stage.assert_asked(&stage.act_under(Some(OTHER), Some(&confirmation)).await, "token");
        assert_eq!(stage.facts().await, done);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_that_of_one_request_of_one_session() {
    each(async |stage| {
        let confirmation = stage.confirmation().await;
        assert!(stage.act_under(Some(KEY), Some(&confirmation)).await.status.is_success());
        let done = stage.facts().await;
        let other = stage.body(&stage.walk.other, Some(&confirmation));
        let answer = stage.browser().post_under(Some(KEY), stage.kind.path(), &other).await;
        stage.assert_refused(&answer, Code::IdempotencyKeyReused, Outcome::Denied, &done).await;
        let same = stage.body(&stage.walk.parameters, Some(&confirmation));
        let elsewhere = stage.world().sign_in(stage.account()).await;
        let before = stage.facts().await;
        let answer = elsewhere.post_under(Some(KEY), stage.kind.path(), &same).await;
        assert_eq!(answer.code(), Code::IdempotencyKeyReused, "{}", stage.kind);
        assert_eq!(stage.facts().await, before);
        // To another account it says nothing at all.
        let stranger = stage.world().browser().await;
        let answer = stranger.post_under(Some(KEY), stage.kind.path(), &same).await;
        assert_eq!(answer.code(), Code::StepUpMismatch, "{}", stage.kind);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_keeps_no_key() {
    each(async |stage| {
        let before = stage.facts().await;
        stage.assert_asked(&stage.act_under(Some(KEY), None).await, "token");
        let confirmation = stage.confirmation().await;
        let mut wrong = confirmation.clone();
        wrong["credential"]["signature"] = serde_json::json!("AAAA");
        let answer = stage.act_under(Some(KEY), Some(&wrong)).await;
        stage.assert_refused(&answer, Code::CeremonyInvalid, Outcome::Failed, &before).await;
        let confirmation = stage.confirmation().await;
        stage.assert_done(&stage.act_under(Some(KEY), Some(&confirmation)).await, &before).await;
    })
    .await;
}

#[tokio::test]
async fn a_key_is_kept_for_a_day() {
    each(async |stage| {
        let confirmation = stage.confirmation().await;
        let first = stage.act_under(Some(KEY), Some(&confirmation)).await;
        stage.world().advance_ms(24 * 3600 * 1000);
        stage.world().app.sweep().await.unwrap();
        assert_eq!(stage.act_under(Some(KEY), None).await.body, first.body);
        stage.world().advance_ms(1);
        stage.world().app.sweep().await.unwrap();
        stage.assert_asked(&stage.act_under(Some(KEY), Some(&confirmation)).await, "token");
        assert_eq!(stage.world().count("replies").await, 0);
    })
    .await;
}

#[tokio::test]
async fn two_confirmations_that_race_under_one_key_do_it_once() {
    each(async |stage| {
        let options: Vec<StepUpOptions> =
            vec![stage.preflight().await.json(), stage.preflight().await.json()];
        let both: Vec<_> = options.iter().map(|options| confirm(options, &stage.passkey, |_| {})).collect();
        let tries = (0..8).map(|at| stage.act_under(Some(KEY), both.get(at % 2)));
        let answers = join_all(tries).await;
        for answer in &answers {
            assert!(answer.status.is_success(), "{}: {answer:?}", stage.kind);
            assert_eq!(answer.body, answers[0].body);
        }
        let confirmed = stage.outcomes().await.into_iter().filter(|(what, _)| *what == Outcome::Confirmed);
        assert_eq!(confirmed.count(), 1, "{}", stage.kind);
    })
    .await;
}

#[tokio::test]
async fn two_keys_that_race_with_one_confirmation_do_it_once() {
    each(async |stage| {
        let confirmation = stage.confirmation().await;
        let tries = (0..8).map(|at| stage.act_under([Some(KEY), Some(OTHER)][at % 2], Some(&confirmation)));
        let answers = join_all(tries).await;
        // Whose key came first has its answer four times, the other has none.
        assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 4, "{}", stage.kind);
        for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
            stage.assert_asked(answer, "token");
        }
        let confirmed = stage.outcomes().await.into_iter().filter(|(what, _)| *what == Outcome::Confirmed);
        assert_eq!(confirmed.count(), 1, "{}", stage.kind);
    })
    .await;
}

#[tokio::test]
async fn without_a_key_it_is_done_or_said_to_want_one() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        let answer = stage.act_under(None, Some(&confirmation)).await;
        if answer.status.is_success() {
            stage.assert_done(&answer, &before).await;
        } else {
            assert_eq!(answer.code(), Code::InvalidRequest, "{}", stage.kind);
            assert_eq!(stage.facts().await, before, "{}", stage.kind);
            stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let stage = Stage::new(Kind::RecoveryCodesRegenerate).await;
    let before = stage.facts().await;
    let confirmation = stage.confirmation().await;
    let (short, long) = ("x".repeat(15), "x".repeat(65));
    for key in ["", &short, &long, "a key of the tests with spaces", "a-key-of-the-t\u{e9}sts"] {
        let browser = stage.browser();
        let path = stage.kind.path();
        let request = browser
            .request(Method::POST, path)
            .header("dpop", browser.fresh_proof("POST", path).await.sign())
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        let body = stage.body(&stage.walk.parameters, Some(&confirmation)).to_string();
        let answer = browser.send(request.body(PlainBody::from(body)).unwrap()).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{key:?}");
    }
    assert_eq!(stage.facts().await, before);
    for key in ["x".repeat(16), "x".repeat(64)] {
        let confirmation = stage.confirmation().await;
        assert!(stage.act_under(Some(&key), Some(&confirmation)).await.status.is_success());
    }
}
