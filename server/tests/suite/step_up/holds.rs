//! What an account that is held back may still do (U1, U9).

use super::stage::{Stage, add_passkey, confirm, each_with};
use crate::support::run;
use holdfast_protocol::{
    account::Me,
    problem::{Code, Problem},
    step_up::{Kind, Outcome, Power, ReadinessState, StepUpOptions},
};
use holdfast_server::config::Config;

/// What the operator has switched off.
type Flags = fn(&mut Config);

const NONE: Flags = |_| {};
const ALL: Flags = |config| config.step_up_off = Kind::ALL.to_vec();

const HOLDS: [(Hold, Code, ReadinessState, Flags); 4] = [
    (Hold::Recovery, Code::RecoveryPending, ReadinessState::RecoveryPending, NONE),
    (Hold::Cooldown, Code::Cooldown, ReadinessState::Cooldown, NONE),
    (Hold::Risk, Code::RiskHold, ReadinessState::RiskHold, NONE),
    (Hold::Risk, Code::RiskHold, ReadinessState::RiskHold, ALL),
];

#[derive(Clone, Copy, PartialEq)]
enum Hold {
    Recovery,
    Cooldown,
    Risk,
}

/// Holds every account back from now on, for a minute. Gives until when.
async fn hold(stage: &Stage, hold: Hold) -> u64 {
    let db = &stage.world().app.db;
    let from_ms = stage.world().app.clock.unix_ms();
    let until_ms = from_ms + 60_000;
    match hold {
        Hold::Recovery => {
            run!(db, "UPDATE accounts SET recovery_from_ms = $1, recovery_until_ms = $2", from_ms, until_ms)
        }
        Hold::Cooldown => {
            run!(db, "UPDATE accounts SET cooldown_from_ms = $1, cooldown_until_ms = $2", from_ms, until_ms)
        }
        Hold::Risk => {
            run!(db, "UPDATE accounts SET risk_hold_from_ms = $1, risk_hold_until_ms = $2", from_ms, until_ms)
        }
    };
    u64::try_from(until_ms).unwrap()
}

async fn release(stage: &Stage) {
    run!(
        stage.world().app.db,
        "UPDATE accounts SET recovery_from_ms = NULL, cooldown_from_ms = NULL, risk_hold_from_ms = NULL"
    );
}

#[tokio::test]
async fn what_gives_power_waits_and_what_takes_it_away_works() {
    for (which, code, state, flags) in HOLDS {
        let change = |config: &mut Config, _| flags(config);
        each_with(change, async |stage| {
            let confirmation = stage.confirmation().await;
            // The passkey is older than the hold.
            stage.world().advance_ms(1);
            let until_ms = hold(stage, which).await;
            let me: Me = stage.browser().get("/v1/me").await.json();
            assert_eq!(me.passkey_readiness.state, state);
            assert_eq!(me.passkey_readiness.until_ms, Some(until_ms));
            let before = stage.facts().await;
            if stage.kind.power() == Power::Gives {
                for answer in [stage.act(Some(&confirmation)).await, stage.preflight().await] {
                    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
                    assert_eq!((problem.status, problem.until_ms), (403, Some(until_ms)));
                    stage.assert_refused(&answer, code, Outcome::Denied, &before).await;
                }
                if which == Hold::Recovery {
                    // It does not end by itself: its owner, or who recovers, ends it.
                    stage.world().advance_ms(60_000);
                    assert_eq!(stage.preflight().await.code(), code);
                    release(stage).await;
                }
                stage.world().advance_ms(60_000);
                let before = stage.facts().await;
                let confirmation = stage.confirmation().await;
                stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
            } else {
                let confirmation = stage.confirmation().await;
                stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn in_a_hold_a_passkey_is_removed_by_one_that_is_older() {
    for (which, code, _, flags) in HOLDS {
        let stage = Stage::with(Kind::PasskeyRemove, flags).await;
        stage.world().advance_ms(10);
        hold(&stage, which).await;
        let (_, young) = add_passkey(stage.world(), stage.account(), "Young").await;
        let options: StepUpOptions = stage.preflight().await.json();
        let offered = options.public_key.allow_credentials.iter();
        assert!(offered.clone().any(|allowed| allowed.id == stage.passkey.id));
        assert!(!offered.clone().any(|allowed| allowed.id == young.id), "it is not offered");
        let before = stage.facts().await;
        stage.assert_asked(&stage.act(None).await, "token");
        assert_eq!(stage.facts().await, before);
        let answer = stage.act(Some(&confirm(&options, &young, |_| {}))).await;
        stage.assert_refused(&answer, Code::StepUpMismatch, Outcome::Failed, &before).await;

        let confirmation = stage.confirmation().await;
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;

        // Where every passkey is as young as that, nobody is asked to confirm in vain.
        run!(stage.world().app.db, "UPDATE passkeys SET created_at_ms = $1", stage.world().clock.unix_ms());
        assert_eq!(stage.preflight().await.code(), code);
    }
}

#[tokio::test]
async fn of_two_holds_the_earlier_says_what_is_old() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    stage.world().advance_ms(10);
    hold(&stage, Hold::Cooldown).await;
    let (_, between) = add_passkey(stage.world(), stage.account(), "Between").await;
    stage.world().advance_ms(10);
    hold(&stage, Hold::Recovery).await;
    let before = stage.facts().await;
    let options: StepUpOptions = stage.preflight().await.json();
    let answer = stage.act(Some(&confirm(&options, &between, |_| {}))).await;
    stage.assert_refused(&answer, Code::StepUpMismatch, Outcome::Failed, &before).await;
}
