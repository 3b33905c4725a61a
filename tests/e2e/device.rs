//! Sessions that are bound to the device's hardware, where a browser has some: Chromium, over a connection that it
//! trusts (P10).

use anyhow::{Context, Result, ensure};
use axum::Router;
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind};
use holdfast_tests::wait;
use holdfast_tests::world::{Exchange, World};
use std::time::Duration;

const REGISTER: &str = "/v1/sessions/device";
const REFRESH: &str = "/v1/sessions/device/refresh";
const COOKIE: &str = "__Host-holdfast-device";
const BOUND: &str = "The cookie is bound to this device's hardware as well.";

/// Waits until the browser has registered its key, and fetched a cookie with it, since so many exchanges.
async fn is_bound(world: &World, browser: &Browser, before: usize) -> Result<String> {
    for path in [REGISTER, REFRESH] {
        world.wire().sees(before, |it| it.path == path && it.status == 200).await?;
    }
    // The answer may be under way.
    let fetched = async || Ok(browser.cookie(COOKIE).await?.filter(|cookie| cookie.value != "registered"));
    let cookie = wait::until(fetched).await?.context("the browser has the cookie")?;
    ensure!(cookie.secure && cookie.http_only && cookie.same_site.as_deref() == Some("Strict"), "{cookie:?}");
    browser.reload().await?;
    browser.page_says(BOUND).await?;
    Ok(cookie.value)
}

/// Someone at a machine with hardware for keys, who has signed up.
async fn owner(world: &World) -> Result<Browser> {
    let browser = world.browser_with_hardware().await?;
    // The authenticator stays with the browser for as long as that runs.
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    Ok(browser)
}

#[tokio::test]
async fn chromium_binds_a_session_to_its_hardware_and_keeps_up_the_cookie() -> Result<()> {
    let world = World::over_tls(Router::new()).await?;
    let browser = owner(&world).await?;
    let cookie = is_bound(&world, &browser, 0).await?;
    world.security_page_is_live(&browser).await?;

    // Its time is over, and the browser fetches another by itself before it asks for anything.
    let before = world.wire().exchanges().len();
    world.pass(Duration::from_secs(900));
    browser.delete_cookie(COOKIE).await?;
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    let fetched = browser.cookie(COOKIE).await?.context("the browser has it again")?;
    ensure!(fetched.value != cookie);
    let asked = world.wire().exchanges().into_iter().skip(before).filter(|it| it.path == "/v1/me");
    let has_cookie = |it: &Exchange| it.header("cookie").is_some_and(|cookies| cookies.contains(COOKIE));
    ensure!(asked.collect::<Vec<_>>().iter().all(has_cookie), "it asked without the cookie");

    // One that only the server knows to be too old is given back, and nobody notices.
    world.pass(Duration::from_secs(900));
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    ensure!(browser.cookie(COOKIE).await?.is_some_and(|cookie| cookie.value != fetched.value));
    world.assert_no_violations(&browser).await
}

#[tokio::test]
async fn what_is_copied_from_a_bound_session_opens_nothing_even_with_its_key() -> Result<()> {
    let world = World::over_tls(Router::new()).await?;
    let browser = owner(&world).await?;
    is_bound(&world, &browser, 0).await?;
    world.pass(Duration::from_secs(120));
    // The session's cookie and its key without the device: the same browser, once nothing keeps the cookie up.
    world.wire().break_off(REFRESH);
    browser.delete_cookie(COOKIE).await?;
    let before = world.wire().exchanges().len();
    browser.reload().await?;
    let refused = world.wire().sees(before, |it| it.path == "/v1/me" && it.header("dpop").is_some()).await?;
    ensure!([401, 503].contains(&refused.status.as_u16()), "{refused:?}");
    world.records("cookie_without_key", 1).await?;
    ensure!(browser.cookie(COOKIE).await?.is_none());
    ensure!(!browser.visible_text().await?.contains(BOUND));
    Ok(())
}

#[tokio::test]
async fn who_signs_out_and_in_again_is_bound_again() -> Result<()> {
    let world = World::over_tls(Router::new()).await?;
    let browser = owner(&world).await?;
    is_bound(&world, &browser, 0).await?;
    world.security_page_is_live(&browser).await?;
    world.sign_out(&browser).await?;
    let before = world.wire().exchanges().len();
    world.sign_in(&browser).await?;
    is_bound(&world, &browser, before).await?;
    world.pass(Duration::from_secs(900));
    browser.delete_cookie(COOKIE).await?;
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    world.assert_no_violations(&browser).await
}

#[tokio::test]
async fn without_hardware_nothing_is_bound() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.reload().await?;
    browser.page_says("A copied cookie is worth nothing here").await?;
    ensure!(!browser.visible_text().await?.contains(BOUND));
    ensure!(world.wire().exchanges_at(REGISTER).is_empty() && browser.cookie(COOKIE).await?.is_none());
    Ok(())
}
