//! What `holdfast verify-log` says of the trail that the actions leave.

use super::stage::{Stage, mounted};
use crate::trail::{additions_switched_off, enrol, verified_by};
use holdfast_server::verify_log::Heads;

#[tokio::test]
async fn a_trail_of_every_action_is_all_well() {
    let kinds = mounted();
    let mut stage = Stage::new(kinds[0]).await;
    for (kind, confirmed) in kinds.into_iter().zip(1..) {
        if kind != stage.kind {
            stage.turn_to(kind).await;
        }
        // As the actions' own preparations have put their passkeys into the table.
        enrol(stage.world()).await;
        let before = stage.facts().await;
        stage.assert_asked(&stage.act(None).await, "token");
        let confirmation = stage.confirmation().await;
        stage.assert_done(&stage.act(Some(&confirmation)).await, &before).await;
        stage.assert_asked(&stage.act(Some(&confirmation)).await, "token");
        let (summary, findings) =
            verified_by(stage.world(), additions_switched_off(), Heads::default()).await;
        assert_eq!((summary.step_ups, findings), (confirmed, Vec::new()), "after {kind}");
    }
}
