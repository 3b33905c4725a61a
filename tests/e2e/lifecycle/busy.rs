//! One page under a thousand challenges a second.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{Browser, Kind};
use holdfast_tests::challenger::{CONNECTIONS, Stretch, challenger};
use holdfast_tests::wait;
use serde_json::json;
use tokio::time::sleep;

use crate::package::their_console;

/// Long tasks are told by Chromium alone. On a machine with other work a task may be long for being interrupted,
/// now and then; what the page does by itself it does again and again.
#[tokio::test]
async fn a_thousand_challenges_a_second_leave_the_page_responsive() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    let site = their_console().merge(challenger(&origin));
    tokio::spawn(async move { axum::serve(listener, site).await });

    let browser = Browser::start(Kind::Chromium).await?;
    browser.goto(&format!("{origin}/theirs/")).await?;
    browser.execute_async("window.page = await import('/theirs/busy.mjs');", &[]).await?;
    let seen = browser.execute_async("return await window.page.provoke()", &[]).await?;
    ensure!(seen == json!(true), "the browser does not tell of long tasks");
    browser.execute_async("await window.page.begin(arguments[0])", &[json!(CONNECTIONS)]).await?;
    let mut seen = Vec::new();
    let at_ease = wait::until_within(Duration::from_secs(240), async || {
        sleep(Duration::from_millis(500)).await;
        seen = Stretch::seen(&browser).await?;
        Ok(is_at_ease(&seen).then_some(()))
    });
    let at_ease = at_ease.await?;
    println!("{seen:?}");
    at_ease.with_context(|| format!("the page is never at ease: {seen:?}"))
}

/// No task was long for three stretches in a row, and one of them had its thousand challenges within a second.
fn is_at_ease(seen: &[Stretch]) -> bool {
    seen.windows(3).any(|three| {
        three.iter().all(|stretch| stretch.longest == 0.0)
            && three.iter().any(|stretch| stretch.took <= 1_000.0)
    })
}
