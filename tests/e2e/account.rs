//! Setting up, signing in and out: everything that a person does between an empty machine and a
//! challenged connection, and everything that can go wrong on the way.

mod ceremonies;
mod leaving;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Key, Kind, Name, Role, Transport};
use holdfast_tests::world::{World, answers_more_than, answers_on_time};
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

use crate::asking::{get, post};

in_every_browser!(
    from_an_empty_machine_to_a_challenged_connection,
    setup_is_open_once,
    setup_wants_the_token_of_the_server,
    a_setup_link_opened_where_the_page_is_open_answers_for_the_token,
    the_keyboard_alone_signs_in,
    one_passkey_opens_the_account_in_two_browsers,
);

async fn from_an_empty_machine_to_a_challenged_connection(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;

    let person = world.sign_up(&browser).await?;
    ensure!(person.recovery_codes.len() == 10, "{} codes", person.recovery_codes.len());
    browser.arrives_at("/security").await?;
    browser.page_says(person.name).await?;
    let activity = browser.by_role(Role::Region, "Activity");
    for sentence in ["The account was made.", "Signed in with the passkey", "Recovery codes came into force."]
    {
        activity.by_role(Role::ListItem, Name::Any).saying(sentence).appears().await?;
    }

    let connections = browser.by_role(Role::Region, "Live connections");
    let row = connections.by_role(Role::ListItem, Name::Any);
    row.says("proven").await?;
    row.says("this browser").await?;
    for _ in 0..2 {
        let before = answers_on_time(&browser).await?;
        world.pass(Duration::from_secs(36));
        answers_more_than(&browser, before).await?;
    }
    ensure!(world.count("connection_held").await? == 0);

    world.sign_out(&browser).await?;
    browser.arrives_at("/sign-in").await?;
    browser.page_says("You are signed out, and this browser's key is destroyed.").await?;
    ensure!(browser.cookie("__Host-holdfast").await?.is_none());
    ensure!(world.session_keys().await?.is_empty());

    world.sign_in(&browser).await?;
    activity.by_role(Role::ListItem, Name::Any).saying("Signed out.").appears().await?;
    ensure!(world.count("signed_in").await? == 2);
    world.assert_no_violations(&browser).await
}

async fn setup_is_open_once(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let late = world.browser(kind).await?;
    late.goto(&world.setup_link()).await?;
    late.by_role(Role::Textbox, "Your name").type_text("Late").await?;
    late.by_role(Role::Textbox, "Email address").type_text("late@example.org").await?;
    ensure!(get(&late, "/v1/setup").await?.body == json!({ "open": true }));

    world.sign_up(&browser).await?;

    late.by_role(Role::Button, "Continue").click().await?;
    late.by_role(Role::Heading, "Welcome back.").appears().await?;
    late.page_says("This console has its first account already.").await?;
    ensure!(get(&late, "/v1/setup").await?.body == json!({ "open": false }));
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let again = json!({ "name": "Late", "email": "late@example.org", "jkt": jkt });
    let refused = post(&late, "/v1/setup/options", again).await?;
    ensure!((refused.status, refused.code()) == (409, "setup_done"), "{refused:?}");
    let verified = post(&late, "/v1/setup/verify", json!({})).await?;
    ensure!((400..500).contains(&verified.status), "{verified:?}");
    late.goto(&world.setup_link()).await?;
    late.arrives_at("/sign-in").await?;
    let people = world.column("SELECT name FROM accounts").await?;
    ensure!(people == ["Mara Lindqvist"], "{people:?}");
    world.assert_no_violations(&late).await
}

async fn setup_wants_the_token_of_the_server(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    browser.goto(&world.at("/setup")).await?;
    let token = browser.by_role(Role::Textbox, "Setup token");
    token.appears().await?;
    browser.by_role(Role::Textbox, "Your name").type_text("Mara").await?;
    browser.by_role(Role::Textbox, "Email address").type_text("not an address").await?;
    let go_on = browser.by_role(Role::Button, "Continue");
    go_on.click().await?;
    browser.page_says("Write a whole address, as in name@example.com.").await?;
    browser.page_says("Paste the setup token, or open the setup link.").await?;

    let email = browser.by_role(Role::Textbox, "Email address");
    email.clear().await?;
    email.type_text("mara@example.org").await?;
    token.type_text("another token than that").await?;
    go_on.click().await?;
    browser.page_says("This token was used already, or is not the one that the server printed last.").await?;

    token.clear().await?;
    token.type_text(&world.setup_link()).await?;
    go_on.click().await?;
    browser.by_role(Role::Heading, "Make your passkey.").appears().await?;

    // The link's token leaves the address bar, and is asked for no more.
    browser.goto("about:blank").await?;
    browser.goto(&world.setup_link()).await?;
    browser.by_role(Role::Textbox, "Your name").appears().await?;
    ensure!(!browser.url().await?.contains('#'), "the token stays in the address bar");
    ensure!(token.count().await? == 0);
    world.assert_no_violations(&browser).await
}

async fn a_setup_link_opened_where_the_page_is_open_answers_for_the_token(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    browser.goto(&world.at("/setup")).await?;
    let token = browser.by_role(Role::Textbox, "Setup token");
    token.appears().await?;
    browser.by_role(Role::Textbox, "Your name").type_text("Mara").await?;
    browser.by_role(Role::Textbox, "Email address").type_text("mara@example.org").await?;
    browser.goto(&world.setup_link()).await?;
    token.disappears().await?;
    ensure!(!browser.url().await?.contains('#'), "the token stays in the address bar");
    browser.by_role(Role::Button, "Continue").click().await?;
    browser.by_role(Role::Heading, "Make your passkey.").appears().await?;
    world.assert_no_violations(&browser).await
}

async fn the_keyboard_alone_signs_in(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    world.sign_out(&browser).await?;

    browser.by_role(Role::Button, "Sign in with a passkey").appears().await?;
    browser.tab_to(&[], "button", "Sign in with a passkey").await?;
    browser.press(Key::Enter).await?;
    world.security_page_is_live(&browser).await?;

    // The heading has the focus when the page appears; the bar stands before it.
    browser.tab_to(&[Key::Shift], "button", "Sign out").await?;
    browser.press(Key::Enter).await?;
    browser.by_role(Role::Dialog, "Sign out").appears().await?;
    browser.press(Key::Escape).await?;
    browser.by_role(Role::Dialog, "Sign out").disappears().await?;
    browser.focuses("button", "Sign out").await?;
    world.assert_no_violations(&browser).await
}

async fn one_passkey_opens_the_account_in_two_browsers(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;

    let credentials = authenticator.credentials().await?;
    let other = world.browser(kind).await?;
    let usb = AuthenticatorOptions { transport: Transport::Usb, ..AuthenticatorOptions::default() };
    let key = other.add_authenticator(usb).await?;
    key.add_credential(credentials.first().context("a passkey was made")?).await?;
    other.goto(world.origin()).await?;
    world.sign_in(&other).await?;

    let keys = world.session_keys().await?;
    ensure!(keys.len() == 2 && keys.first() != keys.last(), "two sessions with a key each: {keys:?}");
    let rows = browser.by_role(Role::Region, "Live connections").by_role(Role::ListItem, Name::Any);
    let both = wait::until(async || Ok((rows.count().await? == 2).then_some(())));
    both.await?.context("each sees the connections of both")?;
    world.assert_no_violations(&browser).await?;
    world.assert_no_violations(&other).await
}

/// Chromium's virtual authenticators answer what the page offers in autofill, without any click.
#[tokio::test]
async fn autofill_signs_in() -> Result<()> {
    let world = World::new().await?;
    let browser = Browser::start(Kind::Chromium).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let credentials = authenticator.credentials().await?;

    let other = Browser::start(Kind::Chromium).await?;
    let key = other.add_authenticator(AuthenticatorOptions::default()).await?;
    key.add_credential(credentials.first().context("a passkey was made")?).await?;
    other.goto(world.origin()).await?;
    world.security_page_is_live(&other).await?;
    ensure!(world.count("signed_in").await? == 2);
    world.assert_no_violations(&other).await
}
