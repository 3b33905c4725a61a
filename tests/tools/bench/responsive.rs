//! What a thousand challenges a second leave of Chromium's main thread: its longest task meanwhile, beside that
//! of the same page at rest. Chromium tells of tasks that have more than 50 ms; 0 is none of these.

use crate::{Aim, Figure, folder, in_browser, median};
use anyhow::{Context as _, Result, ensure};
use axum::{Router, extract::Path, routing::get};
use holdfast_tests::{
    browser::{Browser, Kind},
    challenger::{CONNECTIONS, Stretch, challenger},
    wait,
};
use serde_json::{Value, json};
use std::time::Duration;

/// How long the page is at rest, and then, after the first of them, how many thousands of challenges are watched.
const REST_MS: u32 = 10_000;
const STRETCHES: usize = 10;

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let package = folder("HOLDFAST_POP_DIR")?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    let page = || async { in_browser::isolated("text/html", b"<!doctype html><title>Busy</title>".to_vec()) };
    let packed = |Path(file)| async move { in_browser::serve(&package, file) };
    let site = Router::new()
        .route("/theirs/", get(page))
        .route("/theirs/pop/{file}", get(packed))
        .merge(challenger(&origin));
    tokio::spawn(async move { axum::serve(listener, site).await });

    let browser = Browser::start(Kind::Chromium).await?;
    browser.goto(&format!("{origin}/theirs/")).await?;
    browser.execute_async("window.page = await import('/theirs/busy.mjs');", &[]).await?;
    let told = browser.execute_async("return await window.page.provoke()", &[]).await?;
    ensure!(told == json!(true), "the browser does not tell of long tasks");
    let rest =
        browser.execute_async("return await window.page.rest(arguments[0])", &[json!(REST_MS)]).await?;
    let at_rest = Value::as_f64(&rest).with_context(|| format!("no time of rest: {rest}"))?;
    browser.execute_async("await window.page.begin(arguments[0])", &[json!(CONNECTIONS)]).await?;
    let seen = wait::until_within(Duration::from_secs(120), async || {
        let seen = Stretch::seen(&browser).await?;
        Ok((seen.len() > STRETCHES).then_some(seen))
    });
    let seen = seen.await?.context("the page is not challenged often enough")?;
    let watched: Vec<&Stretch> = seen.iter().skip(1).collect();
    let a_second = median(watched.iter().map(|stretch| 1_000_000.0 / stretch.took).collect());
    let longest = watched.iter().map(|stretch| stretch.longest).fold(0.0, f64::max);
    Ok(vec![
        Figure { name: "pop.challenges_a_second", value: a_second, aim: Aim::AtLeast(1_000.0) },
        Figure { name: "pop.longest_task_ms", value: longest, aim: Aim::AtMost(50.0) },
        Figure { name: "pop.longest_task_at_rest_ms", value: at_rest, aim: Aim::None },
    ])
}
