//! Signing out, here and everywhere.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Kind, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde_json::json;

use crate::asking::{get, post};

in_every_browser!(
    signing_out_reaches_every_tab,
    signing_out_everywhere_reaches_other_browsers,
    signing_out_leaves_nothing_behind,
);

async fn signing_out_reaches_every_tab(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let first = browser.tab().await?;
    let second = world.another_tab(&browser, &authenticator).await?;
    world.security_page_is_live(&browser).await?;

    world.sign_out(&browser).await?;
    browser.switch(&first).await?;
    browser.by_role(Role::Heading, "Welcome back.").appears().await?;
    browser.page_says("You were signed out").await?;

    // And signing in again reaches them, too.
    world.sign_in(&browser).await?;
    browser.switch(&second).await?;
    world.security_page_is_live(&browser).await?;
    ensure!(world.session_keys().await?.len() == 1);
    ensure!(world.count("theft_suspected").await? == 0, "a tab is no thief");
    world.assert_no_violations(&browser).await
}

async fn signing_out_everywhere_reaches_other_browsers(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let credentials = authenticator.credentials().await?;
    let other = world.browser(kind).await?;
    let key = other.add_authenticator(AuthenticatorOptions::default()).await?;
    key.add_credential(credentials.first().context("a passkey was made")?).await?;
    other.goto(world.origin()).await?;
    world.sign_in(&other).await?;

    browser.by_role(Role::Button, "Sign out").click().await?;
    browser.by_role(Role::Button, "Sign out everywhere").click().await?;
    let dialog = browser.by_role(Role::Dialog, "Sign out everywhere?");
    dialog.by_role(Role::Button, "Sign out everywhere").click().await?;

    browser.by_role(Role::Heading, "Welcome back.").appears().await?;
    browser.page_says("You are signed out").await?;
    other.by_role(Role::Heading, "Welcome back.").appears().await?;
    other.page_says("You were signed out").await?;
    ensure!(world.session_keys().await?.is_empty());
    let refused = get(&other, "/v1/me").await?;
    ensure!((refused.status, refused.code()) == (401, "signed_out"), "{refused:?}");
    other.reload().await?;
    other.by_role(Role::Heading, "Welcome back.").appears().await?;
    world.sign_in(&other).await?;
    world.assert_no_violations(&browser).await?;
    world.assert_no_violations(&other).await
}

async fn signing_out_leaves_nothing_behind(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let unproven = post(&browser, "/v1/logout", json!({ "scope": "this_browser" })).await?;
    ensure!((unproven.status, unproven.code()) == (401, "pop_proof_missing"), "{unproven:?}");

    world.sign_out(&browser).await?;
    ensure!(browser.execute("return document.cookie", &[]).await? == json!(""));
    let sealed = browser.cookies().await?;
    let left: Vec<&str> = sealed.iter().map(|cookie| cookie.name.as_str()).collect();
    // The sign-in page has begun its next ceremony.
    ensure!(left.iter().all(|name| *name == "__Host-holdfast-ceremony"), "{left:?}");
    let keys = "
        const opened = indexedDB.open('holdfast-pop');
        const database = await new Promise((done, fail) => {
            opened.onsuccess = () => done(opened.result);
            opened.onerror = () => fail(opened.error);
        });
        const stores = Array.from(database.objectStoreNames);
        const read = (store) => new Promise((done) => {
            database.transaction(store).objectStore(store).count().onsuccess = (event) => done(event.target.result);
        });
        const counts = await Promise.all(stores.map(read));
        database.close();
        return counts.reduce((sum, count) => sum + count, 0);";
    ensure!(browser.execute_async(keys, &[]).await? == json!(0), "the key is still stored");
    world.assert_no_violations(&browser).await
}
