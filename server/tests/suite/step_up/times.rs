//! One time for what is judged and what is recorded, and clocks that are apart.

use super::stage::{Stage, confirm};
use crate::trail::{additions_switched_off, enrol, verified_by};
use holdfast_protocol::step_up::{Kind, Outcome, StepUpOptions};
use holdfast_server::verify_log::Heads;
use std::time::Duration;

/// When a confirmation expires.
const LIVES_MS: u64 = 300_000;

#[tokio::test]
async fn an_action_whose_confirmation_expires_on_the_way_is_refused_or_recorded_in_time() {
    let stage = Stage::new(Kind::PasskeyTest).await;
    let world = stage.world();
    enrol(world).await;
    let (mut done, mut refused) = (0, 0);
    for left_ms in 0..50 {
        let confirmation = stage.confirmation().await;
        world.advance_ms(LIVES_MS - left_ms);
        world.clock.step(Duration::from_millis(1));
        let answer = stage.act(Some(&confirmation)).await;
        world.clock.step(Duration::ZERO);
        if answer.status.is_success() {
            done += 1;
        } else {
            stage.assert_asked(&answer, "token");
            refused += 1;
        }
    }
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused: the expiry was nowhere on the way");
    let (summary, findings) = verified_by(world, additions_switched_off(), Heads::default()).await;
    assert_eq!((summary.step_ups, findings), (done, Vec::new()));
}

#[tokio::test]
async fn a_confirmation_from_an_instance_whose_clock_is_ahead_is_taken_up_to_five_seconds() {
    for (ahead_ms, is_taken) in [(5_000, true), (5_001, false)] {
        let stage = Stage::new(Kind::RecoveryCodesRegenerate).await;
        enrol(stage.world()).await;
        let browser = stage.browser().at(&stage.world().ahead_by_ms(ahead_ms).await);
        let options: StepUpOptions =
            browser.post(&stage.kind.preflight(), &stage.walk.parameters).await.json();
        let confirmation = confirm(&options, &stage.passkey, |_| {});
        let answer = stage.act(Some(&confirmation)).await;
        if is_taken {
            assert!(answer.status.is_success(), "{answer:?}");
        } else {
            stage.assert_asked(&answer, "token");
            let last = stage.outcomes().await.into_iter().find(|(outcome, _)| *outcome != Outcome::Asked);
            assert_eq!(last, Some((Outcome::Failed, Some("step_up_required".to_owned()))));
            // It is spent, whatever the clocks say later.
            stage.world().advance_ms(1);
            stage.assert_asked(&stage.act(Some(&confirmation)).await, "token");
            // Who asks again is not held up.
            let confirmation = stage.confirmation().await;
            assert!(stage.act(Some(&confirmation)).await.status.is_success());
        }
        let (summary, findings) =
            verified_by(stage.world(), additions_switched_off(), Heads::default()).await;
        assert_eq!((summary.step_ups, findings), (1, Vec::new()), "{ahead_ms} ms ahead");
    }
}
