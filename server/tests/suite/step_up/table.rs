//! What every action refuses, and what it does.

use super::{
    changes::changes,
    stage::{Stage, confirm, each, each_with, make_real, mounted},
    walks::{Way, prepare},
};
use crate::support::run;
use holdfast_protocol::{
    problem::Code,
    step_up::{Kind, Outcome},
};
use serde_json::json;

#[test]
fn every_declared_action_is_mounted_and_stands_in_the_table_of_addresses() {
    assert_eq!(mounted(), Kind::ALL);
}

#[tokio::test]
async fn a_confirmed_action_is_done_once() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        assert_eq!(stage.facts().await, before, "{}: a preflight changes nothing", stage.kind);
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
        assert_eq!(stage.outcomes().await, [(Outcome::Confirmed, None), (Outcome::Asked, None)]);
        assert_eq!(stage.world().count("step_ups").await, 0);

        let done = stage.facts().await;
        let answer = stage.act(Some(&confirmation)).await;
        stage.assert_asked(&answer, "token");
        stage.assert_refused(&answer, Code::StepUpRequired, Outcome::Replayed, &done).await;
    })
    .await;
}

#[tokio::test]
async fn without_a_confirmation_it_is_asked_for() {
    each(async |stage| {
        let before = stage.facts().await;
        let answer = stage.act(None).await;
        stage.assert_asked(&answer, "token");
        stage.assert_refused(&answer, Code::StepUpRequired, Outcome::Denied, &before).await;
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_lives_five_minutes() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        stage.world().advance_ms(300_000);
        let answer = stage.act(Some(&confirmation)).await;
        stage.assert_asked(&answer, "token");
        stage.assert_refused(&answer, Code::StepUpRequired, Outcome::Failed, &before).await;

        let confirmation = stage.confirmation().await;
        stage.world().advance_ms(299_999);
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
    })
    .await;
}

#[tokio::test]
async fn another_account_and_another_session_can_neither_use_nor_spend_it() {
    each(async |stage| {
        let world = stage.world();
        let stranger = world.account().await;
        make_real(world, &stranger).await;
        let others = [world.sign_in(&stranger).await, world.sign_in(stage.account()).await];
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        let body = stage.body(&stage.walk.parameters, Some(&confirmation));
        for other in others {
            let answer = other.post_under(Some(&stage.make_key()), stage.kind.path(), &body).await;
            assert_eq!(answer.code(), Code::StepUpMismatch, "{}", stage.kind);
            assert_eq!(stage.facts().await, before, "{}", stage.kind);
        }
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_of_another_action_is_none() {
    each(async |stage| {
        for other in mounted().into_iter().filter(|other| *other != stage.kind) {
            let walk = prepare(stage.world(), stage.account(), other, Way::Whole).await;
            let before = stage.facts().await;
            let confirmation = stage.confirmation().await;
            let mut body = json!({ "parameters": walk.parameters, "confirmation": confirmation });
            if let Some(secret) = walk.secret {
                body["secret"] = secret;
            }
            let answer = stage.browser().post_under(Some(&stage.make_key()), other.path(), &body).await;
            assert_eq!(answer.code(), Code::StepUpMismatch, "{} for {other}", stage.kind);
            assert_eq!(stage.facts().await, before, "{} for {other}", stage.kind);
            // It is spent all the same.
            let answer = stage.act(Some(&confirmation)).await;
            assert_eq!(answer.code(), Code::StepUpRequired, "{} for {other}", stage.kind);
            run!(stage.world().app.db, "DELETE FROM recovery_code_lists");
        }
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_of_another_target_is_none() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        let answer = stage.act_on(&stage.walk.other, &confirmation).await;
        stage.assert_refused(&answer, Code::StepUpMismatch, Outcome::Failed, &before).await;
        stage.assert_asked(&stage.act(Some(&confirmation)).await, "token");
    })
    .await;
}

#[tokio::test]
async fn whatever_else_the_parameters_could_say_is_refused() {
    each(async |stage| {
        let before = stage.facts().await;
        for changed in changes(stage.kind, &stage.walk) {
            // The clock gives back what of the audit trail repeats.
            stage.world().advance_ms(60_000);
            let confirmation = stage.confirmation().await;
            let answer = stage.act_on(&changed, &confirmation).await;
            stage.assert_refused(&answer, Code::StepUpMismatch, Outcome::Failed, &before).await;
        }
        let confirmation = stage.confirmation().await;
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_starts_between_ends_it() {
    each(async |stage| {
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        let _started = stage.world().beside(|_| {}).await;
        let answer = stage.act(Some(&confirmation)).await;
        stage.assert_asked(&answer, "token");
        stage.assert_refused(&answer, Code::StepUpRequired, Outcome::Replayed, &before).await;
        let confirmation = stage.confirmation().await;
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
    })
    .await;
}

#[tokio::test]
async fn an_action_whose_step_up_is_off_is_done_recorded_and_shown() {
    let off = |config: &mut holdfast_server::config::Config, kind| config.step_up_off = vec![kind];
    each_with(off, async |stage| {
        let before = stage.facts().await;
        stage.assert_done(&stage.act(None).await, &before).await;
        assert_eq!(stage.outcomes().await, [(Outcome::Unguarded, None)]);
        assert_eq!(stage.log().await.switched_off, [stage.kind]);
    })
    .await;
    // It is that action alone.
    let others = |config: &mut holdfast_server::config::Config, kind| {
        config.step_up_off = Kind::ALL.iter().copied().filter(|other| *other != kind).collect();
    };
    each_with(others, async |stage| stage.assert_asked(&stage.act(None).await, "token")).await;
}

#[tokio::test]
async fn without_any_passkey_there_is_nothing_to_confirm_with() {
    each(async |stage| {
        let confirmation = stage.confirmation().await;
        run!(stage.world().app.db, "UPDATE passkeys SET disabled_at_ms = 1");
        let before = stage.facts().await;
        for answer in [stage.act(Some(&confirmation)).await, stage.preflight().await] {
            stage.assert_asked(&answer, "setup");
            stage.assert_refused(&answer, Code::StepUpRequired, Outcome::Denied, &before).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ended_between_does_nothing() {
    each(async |stage| {
        let confirmation = stage.confirmation().await;
        let before = stage.facts().await;
        run!(stage.world().app.db, "UPDATE sessions SET ended_at_ms = 1");
        assert_eq!(stage.act(Some(&confirmation)).await.code(), Code::SignedOut);
        run!(stage.world().app.db, "UPDATE sessions SET ended_at_ms = NULL");
        assert_eq!(stage.facts().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_fault_of_the_servers_own_spends_nothing() {
    each(async |stage| {
        let db = &stage.world().app.db;
        let before = stage.facts().await;
        let confirmation = stage.confirmation().await;
        run!(db, "ALTER TABLE activity RENAME TO away");
        for answer in [stage.act(Some(&confirmation)).await, stage.preflight().await] {
            assert_eq!(answer.code(), Code::Internal, "{}", stage.kind);
        }
        run!(db, "ALTER TABLE away RENAME TO activity");
        // Another name than before: a connection of SQLite's pool may still know the first.
        run!(db, "ALTER TABLE passkeys RENAME TO gone");
        for answer in [stage.act(Some(&confirmation)).await, stage.preflight().await] {
            assert_eq!(answer.code(), Code::Internal, "{}", stage.kind);
        }
        run!(db, "ALTER TABLE gone RENAME TO passkeys");
        assert_eq!(stage.facts().await, before, "{}", stage.kind);
        assert_eq!(stage.outcomes().await, [(Outcome::Asked, None)], "nobody has refused anything");
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
    })
    .await;
}

#[tokio::test]
async fn what_its_owner_has_changed_since_is_not_done() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    let confirmation = stage.confirmation().await;
    run!(stage.world().app.db, "UPDATE passkeys SET name = 'New phone' WHERE name = 'Old phone'");
    let before = stage.facts().await;
    let answer = stage.act(Some(&confirmation)).await;
    stage.assert_refused(&answer, Code::TargetChanged, Outcome::Failed, &before).await;
    assert_eq!(stage.world().count("step_ups").await, 0);
    let answer = stage.preflight().await;
    stage.assert_refused(&answer, Code::TargetChanged, Outcome::Denied, &before).await;
    // It was spent, also for what it was once made for.
    run!(stage.world().app.db, "UPDATE passkeys SET name = 'Old phone' WHERE name = 'New phone'");
    stage.assert_asked(&stage.act(Some(&confirmation)).await, "token");
}

#[tokio::test]
async fn a_prompt_offers_the_accounts_own_passkeys_alone() {
    let stage = Stage::new(Kind::RecoveryCodesRegenerate).await;
    let options: holdfast_protocol::step_up::StepUpOptions = stage.preflight().await.json();
    let offered: Vec<Vec<u8>> =
        options.public_key.allow_credentials.iter().map(|allowed| allowed.id.clone()).collect();
    assert_eq!(offered, std::slice::from_ref(&stage.passkey.id));
    assert_eq!(options.public_key.rp_id, "localhost");
    // Authenticators that were told which passkeys they may use need not name the account.
    let before = stage.facts().await;
    let silent = confirm(&options, &stage.passkey, |said| said.user_handle.clear());
    stage.assert_done(&stage.act(Some(&silent)).await, &before).await;
}
