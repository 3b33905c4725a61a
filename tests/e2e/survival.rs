//! What browsers, networks and servers do to a page: each ends in a working connection or in a clear way
//! to sign in, and nobody is asked for a passkey without need.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use holdfast_tests::browser::{Authenticator, AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::world::{World, answers_more_than, answers_on_time};
use holdfast_tests::{in_every_browser, wait};

in_every_browser!(
    two_tabs_share_one_key,
    eight_tabs_share_one_stream,
    a_reload_goes_on_without_a_prompt,
    back_and_forward_go_on_without_a_prompt,
    a_wiped_key_store_leads_to_signing_in,
    a_page_outlives_the_wipe_of_its_key_store,
    a_restarted_server_is_found_again,
    a_tab_that_heard_nothing_is_no_thief,
    without_a_network_the_page_says_so_and_comes_back,
    what_stands_in_between_signs_nobody_out,
);

/// How often the passkey was used so far.
async fn uses(world: &World, authenticator: &Authenticator<'_>) -> Result<(usize, Vec<u32>)> {
    let credentials = authenticator.credentials().await?;
    let counts = credentials.iter().map(|credential| credential.sign_count).collect();
    Ok((world.wire().exchanges_at("/v1/login/verify").len(), counts))
}

/// How often a stream was opened so far.
fn openings(world: &World) -> usize {
    world.wire().exchanges_at("/v1/streams/activity").len()
}

/// Waits until another stream was opened and is proven.
async fn comes_back(world: &World, browser: &Browser, before: usize) -> Result<()> {
    let opened = wait::until(async || Ok((openings(world) > before).then_some(())));
    opened.await?.context("no new connection was opened")?;
    world.security_page_is_live(browser).await?;
    // It is challenged like any other.
    let answers = answers_on_time(browser).await?;
    world.pass(Duration::from_secs(36));
    answers_more_than(browser, answers).await
}

async fn two_tabs_share_one_key(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    let first = browser.tab().await?;
    let second = world.another_tab(&browser, &authenticator).await?;
    world.security_page_is_live(&browser).await?;
    ensure!(world.session_keys().await?.len() == 1, "one session, one key");

    world.pass(Duration::from_secs(36));
    for tab in [&second, &first] {
        browser.switch(tab).await?;
        let pulses = browser.by_role(Role::Image, Name::Containing("answers: ".to_owned()));
        let beating = wait::until(async || Ok((pulses.count().await? == 1).then_some(())));
        beating.await?.context("the connection that both share was challenged twice, and each sees it")?;
        world.security_page_is_live(&browser).await?;
    }
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    ensure!(world.count("connection_held").await? + world.count("theft_suspected").await? == 0);
    world.assert_no_violations(&browser).await
}

/// HTTP/1.1 gives an origin six connections: with a stream for each tab, the seventh would hang.
async fn eight_tabs_share_one_stream(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let mut tabs = vec![browser.tab().await?];
    for _ in 1..8 {
        tabs.push(browser.new_tab().await?);
        browser.goto(&world.at("/security")).await?;
        world.security_page_is_live(&browser).await?;
    }
    ensure!(openings(&world) == 1, "one stream for all, not {}", openings(&world));
    rename_passkey(&browser, "Heard by eight").await?;
    for tab in &tabs {
        browser.switch(tab).await?;
        let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
        activity.saying("Heard by eight").appears().await?;
    }

    // The tab that dialled is closed: another dials, and all hear it.
    browser.switch(&tabs[0]).await?;
    browser.close_tab(&tabs[1]).await?;
    let again = wait::until(async || Ok((openings(&world) == 2).then_some(())));
    again.await?.context("no other tab opens the stream")?;
    world.security_page_is_live(&browser).await?;
    rename_passkey(&browser, "Heard by seven").await?;
    for tab in &tabs[1..] {
        browser.switch(tab).await?;
        world.security_page_is_live(&browser).await?;
        let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
        activity.saying("Heard by seven").appears().await?;
    }
    ensure!(world.count("connection_held").await? + world.count("theft_suspected").await? == 0);
    world.assert_no_violations(&browser).await
}

async fn rename_passkey(browser: &Browser, name: &str) -> Result<()> {
    let passkeys = browser.by_role(Role::Region, "Passkeys");
    passkeys.by_role(Role::Button, Name::Containing("Rename ".to_owned())).click().await?;
    passkeys.by_role(Role::Textbox, "New name").type_text(name).await?;
    passkeys.by_role(Role::Button, "Save").click().await?;
    passkeys.by_role(Role::Button, Name::Containing(name.to_owned())).appears().await
}

async fn a_reload_goes_on_without_a_prompt(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    for _ in 0..3 {
        let opened = openings(&world);
        browser.reload().await?;
        comes_back(&world, &browser, opened).await?;
    }
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    let rows = browser.by_role(Role::Region, "Live connections").by_role(Role::ListItem, Name::Any);
    let alone = wait::until(async || Ok((rows.count().await? == 1).then_some(())));
    alone.await?.context("what was left behind is closed")?;
    world.assert_no_violations(&browser).await
}

async fn back_and_forward_go_on_without_a_prompt(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    for _ in 0..2 {
        let opened = openings(&world);
        browser.goto(&world.at("/v1/health")).await?;
        browser.back().await?;
        comes_back(&world, &browser, opened).await?;
        browser.forward().await?;
        let opened = openings(&world);
        browser.back().await?;
        comes_back(&world, &browser, opened).await?;
    }
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    ensure!(world.count("theft_suspected").await? + world.count("cookie_without_key").await? == 0);
    world.assert_no_violations(&browser).await
}

/// Removes the database of the key store, as clearing the site's data does.
const WIPE: &str = "
    const request = indexedDB.deleteDatabase('holdfast-pop');
    await new Promise((done, fail) => {
        request.onsuccess = done;
        request.onerror = () => fail(request.error);
        request.onblocked = () => fail('somebody keeps it open');
    });";

async fn a_wiped_key_store_leads_to_signing_in(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.execute_async(WIPE, &[]).await?;
    browser.reload().await?;
    browser.by_role(Role::Heading, "Welcome back.").appears().await?;
    browser.page_says("This browser no longer has the key of its session.").await?;
    world.sign_in(&browser).await?;
    let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
    activity.saying("Your session's cookie came without its key.").appears().await?;
    ensure!(world.count("theft_suspected").await? == 0);
    ensure!(world.session_keys().await?.len() == 1, "the session before it is ended");
    world.assert_no_violations(&browser).await
}

async fn a_page_outlives_the_wipe_of_its_key_store(kind: Kind) -> Result<()> {
    let mut world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    browser.execute_async(WIPE, &[]).await?;
    // The key in memory still works, until the page is left.
    let opened = openings(&world);
    world.restart().await?;
    comes_back(&world, &browser, opened).await?;
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    Ok(())
}

async fn a_restarted_server_is_found_again(kind: Kind) -> Result<()> {
    let mut world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    let opened = openings(&world);
    let connections = browser.by_role(Role::Region, "Live connections");
    let own = connections.by_role(Role::ListItem, Name::Any);
    own.says("this browser").await?;
    world.stop().await?;
    browser.page_says("This connection is not proven yet").await?;
    connections.says("reconnecting").await?;
    own.says("as last heard").await?;
    world.start().await?;
    comes_back(&world, &browser, opened).await?;
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    ensure!(browser.violations().await?.is_empty());
    Ok(())
}

async fn a_tab_that_heard_nothing_is_no_thief(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let lagging = browser.tab().await?;
    let busy = world.another_tab(&browser, &authenticator).await?;
    world.security_page_is_live(&browser).await?;
    // What this tab does reaches no other one.
    browser.execute("BroadcastChannel.prototype.postMessage = () => {}", &[]).await?;
    world.sign_out(&browser).await?;
    world.sign_in(&browser).await?;

    browser.switch(&lagging).await?;
    let settled = wait::until(async || {
        let text = browser.visible_text().await?;
        let ends = ["This connection is proven", "Sign in with a passkey"];
        Ok(ends.iter().any(|end| text.contains(end)).then_some(()))
    });
    settled.await?.context("the lagging tab finds its way")?;
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    ensure!(world.count("theft_suspected").await? == 0, "a tab is no thief");
    ensure!(world.session_keys().await?.len() == 1);
    browser.switch(&busy).await?;
    world.security_page_is_live(&browser).await?;
    world.assert_no_violations(&browser).await
}

/// As a proxy answers that wants to know who asks, and knows nothing of sessions.
async fn what_stands_in_between_signs_nobody_out(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    // With `WWW-Authenticate` the browser itself would ask the person.
    let asks = || (StatusCode::UNAUTHORIZED, "Who is there?").into_response();
    let alert = browser.by_role(Role::Alert, Name::Any);

    world.wire().answer("/v1/passkey", asks);
    browser.reload().await?;
    alert.says("The server cannot be reached.").await?;
    world.wire().answer("/v1/me", asks);
    browser.reload().await?;
    alert.says("The server cannot be reached.").await?;
    // It tries again by itself.
    world.wire().mend();
    world.security_page_is_live(&browser).await?;
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    ensure!(browser.violations().await?.is_empty());
    Ok(())
}

/// Freezing is a command of Chromium's.
#[tokio::test]
async fn a_frozen_page_comes_back_by_itself() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    let opened = openings(&world);
    let frozen = browser.tab().await?;
    browser.new_tab().await?;
    browser.freeze(&frozen).await?;

    // Minutes pass: its connection is challenged, held back, and closed.
    let closed = wait::until(async || {
        world.pass(Duration::from_secs(11));
        Ok((world.count("connection_closed").await? == 1).then_some(()))
    });
    closed.await?.context("a silent connection is closed")?;
    world.pass(Duration::from_secs(300));
    ensure!(openings(&world) == opened, "a frozen page does nothing");

    browser.resume(&frozen).await?;
    browser.switch(&frozen).await?;
    comes_back(&world, &browser, opened).await?;
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    world.assert_no_violations(&browser).await
}

/// As with a laptop that sleeps while somebody signs in again in another window.
#[tokio::test]
async fn a_frozen_tab_takes_the_key_of_the_tab_that_signed_in() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let frozen = browser.tab().await?;
    world.another_tab(&browser, &authenticator).await?;
    world.security_page_is_live(&browser).await?;
    browser.freeze(&frozen).await?;
    world.sign_out(&browser).await?;
    world.sign_in(&browser).await?;
    let uses = world.wire().exchanges_at("/v1/login/verify").len();

    browser.resume(&frozen).await?;
    browser.switch(&frozen).await?;
    world.security_page_is_live(&browser).await.context("the tab that slept is not connected again")?;
    let rows = browser.by_role(Role::Region, "Live connections").by_role(Role::ListItem, Name::Any);
    let shared = wait::until(async || Ok((rows.count().await? == 1).then_some(())));
    shared.await?.context("both share a connection")?;
    ensure!(world.wire().exchanges_at("/v1/login/verify").len() == uses, "a passkey was asked for");
    ensure!(world.count("theft_suspected").await? == 0, "a tab is no thief");
    Ok(())
}

async fn without_a_network_the_page_says_so_and_comes_back(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = uses(&world, &authenticator).await?;
    browser.go_offline().await?;
    let passkeys = browser.by_role(Role::Region, "Passkeys");
    passkeys.by_role(Role::Button, Name::Containing("Rename ".to_owned())).click().await?;
    passkeys.by_role(Role::Textbox, "New name").type_text(" again").await?;
    passkeys.by_role(Role::Button, "Save").click().await?;
    browser.by_role(Role::Alert, Name::Any).says("This device is offline.").await?;
    browser.go_online().await?;
    passkeys.by_role(Role::Button, "Save").click().await?;
    passkeys.by_role(Role::Button, Name::Containing(" again".to_owned())).appears().await?;
    world.security_page_is_live(&browser).await?;
    let answers = answers_on_time(&browser).await?;
    world.pass(Duration::from_secs(36));
    answers_more_than(&browser, answers).await?;
    ensure!(uses(&world, &authenticator).await? == before, "a passkey was asked for");
    ensure!(browser.violations().await?.is_empty());
    Ok(())
}
