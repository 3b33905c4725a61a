//! The list of passkeys, their names, and keeping the authenticator in step.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Kind, Name, Role};
use holdfast_tests::world::World;
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

mod manage;

in_every_browser!(
    a_passkey_has_a_derived_name_and_takes_another,
    a_new_name_reaches_the_other_tab,
    a_passkey_that_the_server_does_not_know_is_refused,
    a_disabled_passkey_is_refused,
);

async fn a_passkey_has_a_derived_name_and_takes_another(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let passkeys = browser.by_role(Role::Region, "Passkeys");
    let row = passkeys.by_role(Role::ListItem, Name::Any);
    row.says("@ Linux").await?;
    row.says("opened this session").await?;
    passkeys.says("You have one passkey.").await?;

    passkeys.by_role(Role::Button, Name::Containing("Rename ".to_owned())).click().await?;
    let name = passkeys.by_role(Role::Textbox, "New name");
    name.clear().await?;
    let save = passkeys.by_role(Role::Button, "Save");
    save.click().await?;
    passkeys.says("Write a name.").await?;
    name.type_text("Work laptop").await?;
    save.click().await?;
    passkeys.by_role(Role::Button, "Rename Work laptop").appears().await?;
    ensure!(world.wire().exchanges_at("/v1/passkey/rename").len() == 1, "an empty name is not sent");

    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    passkeys.by_role(Role::Button, "Rename Work laptop").appears().await?;
    row.says("Work laptop").await?;
    row.says("@ Linux").await?;
    let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
    activity.saying("A passkey is called “Work laptop” now.").appears().await?;
    ensure!(!world.wire().exchanges_at("/v1/passkey").is_empty());
    world.assert_no_violations(&browser).await
}

/// Firefox has no windows as narrow as a phone.
#[tokio::test]
async fn the_longest_name_stays_within_a_narrow_page() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let passkeys = browser.by_role(Role::Region, "Passkeys");
    passkeys.by_role(Role::Button, Name::Containing("Rename ".to_owned())).click().await?;
    let name = passkeys.by_role(Role::Textbox, "New name");
    name.clear().await?;
    name.type_text(&"W".repeat(64)).await?;
    passkeys.by_role(Role::Button, "Save").click().await?;
    passkeys.by_role(Role::Button, Name::Containing("Rename WWWW".to_owned())).appears().await?;
    let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
    activity.saying("WWWW").appears().await?;
    for width in [360, 1280] {
        browser.set_window_size(width, 800).await?;
        let outside = "
            const outside = (element) => element.getBoundingClientRect().right > innerWidth + 1;
            return [...document.querySelectorAll('body *:not(svg *)')].filter(outside).map((it) => it.outerHTML);";
        let outside = browser.execute(outside, &[]).await?;
        ensure!(outside == json!([]), "at {width} px these stand outside: {outside}");
    }
    world.assert_no_violations(&browser).await
}

async fn a_new_name_reaches_the_other_tab(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let first = browser.tab().await?;
    world.another_tab(&browser, &authenticator).await?;
    world.security_page_is_live(&browser).await?;
    let passkeys = browser.by_role(Role::Region, "Passkeys");
    passkeys.by_role(Role::Button, Name::Containing("Rename ".to_owned())).click().await?;
    let name = passkeys.by_role(Role::Textbox, "New name");
    name.clear().await?;
    name.type_text("Desk").await?;
    passkeys.by_role(Role::Button, "Save").click().await?;
    browser.switch(&first).await?;
    passkeys.by_role(Role::Button, "Rename Desk").appears().await?;
    world.assert_no_violations(&browser).await
}

async fn a_passkey_that_the_server_does_not_know_is_refused(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    world.sign_out(&browser).await?;
    // The server has another passkey in its place.
    world.run_sql("UPDATE passkeys SET credential_id = public_key").await?;
    browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).says("This passkey is not known here.").await?;
    let verified = world.wire().exchanges_at("/v1/login/verify");
    ensure!(verified.iter().all(|exchange| exchange.status == 401), "{verified:?}");
    if kind == Kind::Chromium {
        // The Signal API: what opens nothing is offered no more.
        let forgotten = wait::until(async || Ok(authenticator.credentials().await?.is_empty().then_some(())));
        forgotten.await?.context("the authenticator still offers a passkey that opens nothing")?;
    }
    world.assert_no_violations(&browser).await
}

async fn a_disabled_passkey_is_refused(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    world.sign_out(&browser).await?;
    world.run_sql("UPDATE passkeys SET disabled_at_ms = 1").await?;
    browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).says("This passkey is disabled.").await?;
    world.records("sign_in_refused", 1).await?;
    ensure!(authenticator.credentials().await?.len() == 1, "only an unknown passkey is signalled as such");

    world.run_sql("UPDATE passkeys SET disabled_at_ms = NULL").await?;
    world.sign_in(&browser).await?;
    let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
    activity.saying("A sign-in was refused: this passkey is disabled.").appears().await?;
    world.assert_no_violations(&browser).await
}

/// Signal API: Chromium shows what reached the authenticator.
#[tokio::test]
async fn a_changed_name_reaches_the_authenticator() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let asked = json!({ "authenticatorId": authenticator.id() });
    let held = browser.devtools("WebAuthn.getCredentials", asked.clone()).await?;
    ensure!(held["credentials"][0]["userName"] == json!("mara@example.org"), "{held}");

    world.run_sql("UPDATE accounts SET name = 'Mara Berg', email = 'berg@example.org'").await?;
    world.sign_out(&browser).await?;
    world.sign_in(&browser).await?;
    let renamed = wait::until(async || {
        let held = browser.devtools("WebAuthn.getCredentials", asked.clone()).await?;
        let credential = &held["credentials"][0];
        let named = (&credential["userName"], &credential["userDisplayName"]);
        Ok((named == (&json!("berg@example.org"), &json!("Mara Berg"))).then_some(()))
    });
    renamed.await?.context("the authenticator keeps the old name")?;
    world.assert_no_violations(&browser).await
}
