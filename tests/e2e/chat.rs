//! The chat that integrators read, in a browser: an application's own stream, its own page, and the package.

use std::time::Duration;

use anyhow::{Context, Result};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::wait;
use holdfast_tests::world::World;

#[expect(dead_code, reason = "its `main` serves on a port of its own")]
#[path = "../../server/examples/chat.rs"]
mod example;

in_every_browser!(what_one_tab_says_the_other_hears);

async fn what_one_tab_says_the_other_hears(kind: Kind) -> Result<()> {
    let world = World::with_streams(example::chat).await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let first = browser.tab().await?;
    join(&world, &browser).await?;
    let second = browser.new_tab().await?;
    join(&world, &browser).await?;
    say(&browser, "hello").await?;
    hears(&browser, "hello").await?;
    browser.switch(&first).await?;
    hears(&browser, "hello").await?;

    // Both are challenged, and go on.
    world.pass(Duration::from_secs(36));
    say(&browser, "still there").await?;
    hears(&browser, "still there").await?;
    browser.switch(&second).await?;
    hears(&browser, "still there").await
}

async fn join(world: &World, browser: &Browser) -> Result<()> {
    browser.goto(&world.at("/chat")).await?;
    let send = browser.by_role(Role::Button, "Send");
    let proven = wait::until(async || Ok(send.is_enabled().await?.then_some(()))).await?;
    proven.context("the chat opens")
}

async fn say(browser: &Browser, text: &str) -> Result<()> {
    browser.by_role(Role::Textbox, "Say").type_text(text).await?;
    browser.by_role(Role::Button, "Send").click().await
}

async fn hears(browser: &Browser, text: &str) -> Result<()> {
    browser.by_role(Role::ListItem, Name::Any).saying(&format!(": {text}")).appears().await
}
