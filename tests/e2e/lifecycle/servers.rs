//! What the server does: it is gone, replaced, busy, or wants a newer nonce.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::Kind;
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

use super::{
    TICKETS, all_was_in_order, call, connect, go_live, hears, is_challenged, open, tickets, told, visit,
};

in_every_browser!(
    a_server_that_is_away_is_tried_again_with_growing_patience,
    a_server_that_is_replaced_is_followed,
    a_server_that_is_busy_is_left_alone_for_as_long_as_it_asks,
    a_nonce_is_learned_once_and_for_every_address,
);

async fn a_server_that_is_away_is_tried_again_with_growing_patience(kind: Kind) -> Result<()> {
    let (mut world, browser) = visit(kind).await?;
    let mut heard = go_live(&browser, "socket").await?;
    let begun = heard;
    // First it breaks off what it is asked for, then it is not there at all.
    let before = tickets(&world);
    world.wire().break_off(TICKETS);
    world.restart().await?;
    let asked = wait::until(async || Ok((tickets(&world) >= before + 3).then_some(())));
    asked.await?.context("it does not ask again")?;
    world.stop().await?;
    heard = hears(&browser, told(&browser).await?.len(), "waiting").await?;
    world.start().await?;
    world.wire().mend();
    hears(&browser, heard, "open").await?;
    // Full jitter: anything from nothing to a ceiling that doubles.
    let told = told(&browser).await?;
    let waits: Vec<u64> =
        told.iter().skip(begun).filter_map(|word| word.strip_prefix("waiting ")?.parse().ok()).collect();
    for (wait, failures) in waits.iter().zip(0..) {
        ensure!(*wait < (500 << failures).min(30_000), "{waits:?}");
    }
    ensure!(waits.iter().any(|wait| *wait > 0), "{waits:?}");
    is_challenged(&world, &browser).await?;
    all_was_in_order(&world).await
}

async fn a_server_that_is_replaced_is_followed(kind: Kind) -> Result<()> {
    let (mut world, browser) = visit(kind).await?;
    let mut heard = go_live(&browser, "stream").await?;
    for _ in 0..2 {
        world.roll().await?;
        heard = hears(&browser, heard, "waiting").await?;
        heard = hears(&browser, heard, "open").await?;
        is_challenged(&world, &browser).await?;
    }
    all_was_in_order(&world).await
}

async fn a_server_that_is_busy_is_left_alone_for_as_long_as_it_asks(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    open(&browser).await?.context("the session's key is found")?;
    let before = tickets(&world);
    // So that it is as busy the next moment as it was in this one.
    world.stop_time();
    call(&browser, "askTooMuch()").await?;
    browser.execute("window.page.connect('socket')", &[]).await?;
    let waits = hears(&browser, 0, "waiting").await?;
    let told = told(&browser).await?;
    let wait = told.get(waits - 1).and_then(|word| word.strip_prefix("waiting ")?.parse().ok()).unwrap_or(0);
    // By itself it would wait for less than half a second after a first failure.
    ensure!(wait >= 1_000, "{told:?}");
    let asked = world.wire().exchanges_at(TICKETS);
    let statuses: Vec<_> = asked.iter().skip(before).map(|asked| asked.status.as_u16()).collect();
    ensure!(statuses.iter().all(|status| *status == 429), "it was not too busy: {statuses:?}");
    world.pass(Duration::from_secs(60));
    hears(&browser, waits, "open").await?;
    all_was_in_order(&world).await
}

async fn a_nonce_is_learned_once_and_for_every_address(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    open(&browser).await?.context("the session's key is found")?;
    let statuses = |from: usize| -> Vec<u16> {
        world.wire().exchanges().iter().skip(from).map(|exchange| exchange.status.as_u16()).collect()
    };
    for _ in 0..2 {
        // Longer than the server takes a nonce for.
        world.pass(Duration::from_secs(360));
        let from = world.wire().exchanges().len();
        for path in ["/v1/me", "/v1/passkey", "/v1/activity"] {
            ensure!(call(&browser, &format!("ask('{path}')")).await? == json!("200"), "{path}");
        }
        ensure!(statuses(from) == [401, 200, 200, 200], "{:?}", statuses(from));
    }
    let from = world.wire().exchanges().len();
    connect(&browser, "socket").await?;
    ensure!(statuses(from).starts_with(&[200, 101]), "a ticket and the connection: {:?}", statuses(from));
    all_was_in_order(&world).await
}
