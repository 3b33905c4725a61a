//! Testing a passkey: this very one, whatever else the account has, and nothing else changes.

use super::{act, add, ask, list};
use crate::support::{World, run};
use holdfast_protocol::{
    passkeys::{PasskeyView, Test},
    problem::Code,
    step_up::StepUpOptions,
};

fn test(view: &PasskeyView) -> Test {
    Test { id: view.id.clone(), name: view.name.clone() }
}

#[tokio::test]
async fn a_passkey_is_tested_by_itself_alone() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, view) = add(&world, &browser, &first).await;
    let options: StepUpOptions = ask(&browser, &test(&view)).await.json();
    let allowed: Vec<_> = options.public_key.allow_credentials.iter().map(|it| it.id.clone()).collect();
    assert_eq!(allowed, [second.id.as_slice()]);
    assert_eq!(act(&browser, &first, &test(&view)).await.code(), Code::StepUpMismatch);
    assert_eq!(list(&browser).await[1].last_used_at_ms, None);

    let mut expected = list(&browser).await;
    assert_eq!(act(&browser, &second, &test(&view)).await.status, 204);
    expected[1].last_used_at_ms = Some(1_800_000_000_000);
    assert_eq!(list(&browser).await, expected);
}

#[tokio::test]
async fn a_test_works_in_a_hold_and_under_the_name_that_it_has() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let view = list(&browser).await.remove(0);
    let now_ms = world.app.clock.unix_ms();
    let hold = "UPDATE accounts SET cooldown_from_ms = $1, cooldown_until_ms = $2";
    run!(world.app.db, hold, now_ms, now_ms + 1_000);
    assert_eq!(act(&browser, &first, &test(&view)).await.status, 204);
    let renamed = Test { name: "Another".to_owned(), ..test(&view) };
    assert_eq!(ask(&browser, &renamed).await.code(), Code::TargetChanged);
}
