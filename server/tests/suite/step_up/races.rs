//! What happens at once, at two instances.

use super::stage::{Stage, add_passkey, confirm, each};
use crate::support::{Browser, SoftPasskey, run};
use futures_util::future::join_all;
use holdfast_protocol::{
    ids::PasskeyId,
    problem::Code,
    step_up::{Kind, Outcome, StepUpOptions},
};
use serde_json::{Value, json};

#[tokio::test]
async fn of_fifty_replays_that_race_one_is_done() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        let answers = join_all((0..50).map(|_| stage.act(Some(&confirmation)))).await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
        assert_eq!((done.len(), refused.len()), (1, 49), "{}", stage.kind);
        stage.assert_done(done[0], &before).await;
        for answer in refused {
            stage.assert_asked(answer, "token");
        }
        let outcomes = stage.outcomes().await;
        let replayed = (Outcome::Replayed, Some("step_up_required".to_owned()));
        assert_eq!(outcomes, [replayed, (Outcome::Confirmed, None), (Outcome::Asked, None)]);
    })
    .await;
}

/// A session of the stage's account that was opened by this passkey, at either instance.
async fn browser_of(stage: &Stage, at: usize, passkey: &PasskeyId) -> Browser {
    let world = &stage.worlds[at % 2];
    Browser::sign_in(world, stage.account(), passkey).await
}

#[tokio::test]
async fn those_who_remove_one_anothers_passkeys_and_sign_in_do_not_wait_for_each_other_forever() {
    for _ in 0..5 {
        let stage = Stage::new(Kind::PasskeyRemove).await;
        let mut keys: Vec<(PasskeyId, SoftPasskey)> = Vec::new();
        for name in ["One", "Two", "Three", "Four"] {
            keys.push(add_passkey(stage.world(), stage.account(), name).await);
        }
        let names = ["One", "Two", "Three", "Four"];
        let mut tries: Vec<(Browser, Value)> = Vec::new();
        for (at, (id, passkey)) in keys.iter().enumerate() {
            let browser = browser_of(&stage, at, id).await;
            let next = (at + 1) % keys.len();
            let parameters = json!({ "id": keys[next].0, "name": names[next] });
            let options: StepUpOptions = browser.post(&stage.kind.preflight(), &parameters).await.json();
            let confirmation = confirm(&options, passkey, |_| {});
            tries.push((browser, json!({ "parameters": parameters, "confirmation": confirmation })));
        }
        let removals = join_all(tries.iter().map(|(browser, body)| browser.post(stage.kind.path(), body)));
        let logins = join_all(keys.iter().map(async |(_, passkey)| {
            let mut guest = stage.world().guest();
            guest.sign_in(passkey, |_| {}).await
        }));
        let (removals, logins) = tokio::join!(removals, logins);
        // Whoever comes after its own passkey's removal is refused; somebody came first.
        assert!(removals.iter().any(|answer| answer.status.is_success()));
        for answer in removals.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(answer.code(), Code::StepUpMismatch, "{answer:?}");
        }
        for answer in logins.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(answer.code(), Code::PasskeyDisabled, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn of_two_who_remove_each_others_passkey_one_is_left() {
    for _ in 0..5 {
        let stage = Stage::new(Kind::PasskeyRemove).await;
        let (id, passkey) = add_passkey(stage.world(), stage.account(), "Second").await;
        run!(
            stage.world().app.db,
            "UPDATE passkeys SET disabled_at_ms = 1 WHERE name IN ('Old phone', 'Old tablet')"
        );
        let own = crate::support::passkey_of(stage.account());
        let (one, other) = (browser_of(&stage, 0, &own).await, browser_of(&stage, 1, &id).await);
        let of_other = json!({ "id": id, "name": "Second" });
        let of_own = json!({ "id": own, "name": "Key" });
        let mut bodies = Vec::new();
        for (browser, parameters, passkey) in [(&one, &of_other, &stage.passkey), (&other, &of_own, &passkey)]
        {
            let options: StepUpOptions = browser.post(&stage.kind.preflight(), parameters).await.json();
            let confirmation = confirm(&options, passkey, |_| {});
            bodies.push(json!({ "parameters": parameters, "confirmation": confirmation }));
        }
        let path = stage.kind.path();
        let (first, second) = tokio::join!(one.post(path, &bodies[0]), other.post(path, &bodies[1]));
        let refused = [first, second].into_iter().filter(|answer| !answer.status.is_success());
        let codes: Vec<Code> = refused.map(|answer| answer.code()).collect();
        assert_eq!(codes, [Code::StepUpMismatch]);
        let left = run!(stage.world().app.db, "UPDATE passkeys SET name = name WHERE disabled_at_ms IS NULL");
        assert_eq!(left, 1);
    }
}
