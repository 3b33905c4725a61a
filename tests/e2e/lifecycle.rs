//! What browsers, networks, disks and servers do to the module, in a page of somebody else's that uses the npm
//! package: each ends in a proven connection or in a clear way to sign in, and nobody is asked for a passkey
//! without need. `survival.rs` holds the same for Holdfast's own page.

mod absences;
mod busy;
mod servers;
mod storage;
mod tabs;

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::routing::get;
use holdfast_protocol::base64url;
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind};
use holdfast_tests::wait;
use holdfast_tests::world::{Exchange, World};
use serde_json::{Value, json};

use crate::package::{script, their_console};

/// Longer than from one challenge to the next.
const NEXT_CHALLENGE: Duration = Duration::from_secs(36);

const TICKETS: &str = "/v1/connections/tickets";

/// The console of somebody else, with `page.mjs` in it.
fn console() -> Router {
    let page = || async { script(include_str!("lifecycle/page.mjs").into()) };
    their_console().route("/theirs/lifecycle.mjs", get(page))
}

/// A browser whose person has signed in, at a page of somebody else's that has not begun yet.
async fn visit(kind: Kind) -> Result<(World, Browser)> {
    let world = World::beside(console()).await?;
    let browser = world.browser(kind).await?;
    // The authenticator stays with the browser for as long as that runs.
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/theirs/")).await?;
    Ok((world, browser))
}

/// Runs a script of the page's own. What a driver runs has globals of its own in Firefox.
async fn in_page(browser: &Browser, script: &str) -> Result<()> {
    const INSERT: &str = "
        const script = document.createElement('script');
        script.textContent = arguments[0];
        document.head.append(script);";
    browser.execute(INSERT, &[json!(script)]).await?;
    Ok(())
}

/// Opens the client of the tab that is driven: the thumbprint of the key that it found.
async fn open(browser: &Browser) -> Result<Option<String>> {
    in_page(browser, "window.loading = import('/theirs/lifecycle.mjs')").await?;
    let opened =
        browser.execute_async("window.page = await window.loading; return await window.page.open();", &[]);
    Ok(opened.await?.as_str().map(str::to_owned))
}

/// Opens its client and a connection, `socket` or `stream`, and waits until that is proven: what was told by
/// then.
async fn go_live(browser: &Browser, how: &str) -> Result<usize> {
    open(browser).await?.context("the session's key is found")?;
    connect(browser, how).await
}

async fn connect(browser: &Browser, how: &str) -> Result<usize> {
    let before = told(browser).await?.len();
    browser.execute("window.page.connect(arguments[0])", &[json!(how)]).await?;
    hears(browser, before, "open").await
}

/// Runs one of the functions of `page.mjs`.
async fn call(browser: &Browser, function: &str) -> Result<Value> {
    browser.execute_async(&format!("return await window.page.{function}"), &[]).await
}

/// What the page was told so far.
async fn told(browser: &Browser) -> Result<Vec<String>> {
    let told = browser.execute("return window.page.told", &[]).await?;
    serde_json::from_value(told).context("read what the page was told")
}

/// Waits until the page is told something that begins so, and gives the place behind it.
async fn hears(browser: &Browser, from: usize, beginning: &str) -> Result<usize> {
    let heard = wait::until(async || {
        let told = told(browser).await?;
        Ok(told.iter().skip(from).position(|word| word.starts_with(beginning)).map(|at| from + at + 1))
    });
    match heard.await? {
        Some(after) => Ok(after),
        None => bail!("{beginning:?} was not told after {from}: {:?}", told(browser).await?),
    }
}

/// The next challenge comes, and is answered.
async fn is_challenged(world: &World, browser: &Browser) -> Result<()> {
    let before = told(browser).await?.len();
    world.pass(NEXT_CHALLENGE);
    hears(browser, before, "open").await?;
    Ok(())
}

/// How many tickets were asked for so far.
fn tickets(world: &World) -> usize {
    world.wire().exchanges_at(TICKETS).len()
}

/// No proof and no ticket was sent a second time, and nobody was taken for a thief or asked for a passkey.
async fn all_was_in_order(world: &World) -> Result<()> {
    let exchanges = world.wire().exchanges();
    let (mut jtis, mut tickets) = (HashSet::new(), HashSet::new());
    for exchange in &exchanges {
        if let Some(claims) = claims(exchange)? {
            let jti = claims["jti"].as_str().context("a proof has a jti")?.to_owned();
            ensure!(jtis.insert(jti), "a proof was used again: {exchange:?}");
        }
        if exchange.query.contains("ticket=") {
            ensure!(tickets.insert(exchange.query.clone()), "a ticket was used again: {exchange:?}");
        }
    }
    ensure!(!jtis.is_empty() && !tickets.is_empty(), "nothing was looked at");
    ensure!(world.count("theft_suspected").await? == 0, "somebody was taken for a thief");
    ensure!(world.count("cookie_without_key").await? == 0, "a request went without its proof");
    ensure!(!exchanges.iter().any(|exchange| exchange.path == "/v1/login/verify"), "a passkey was asked for");
    Ok(())
}

/// What a request's proof claims (RFC 9449).
fn claims(exchange: &Exchange) -> Result<Option<Value>> {
    let Some(proof) = exchange.header("DPoP") else { return Ok(None) };
    let payload = proof.split('.').nth(1).context("a proof has three parts")?;
    let json = base64url::decode(payload).context("a proof is base64url")?;
    serde_json::from_slice(&json).context("a proof is JSON")
}
