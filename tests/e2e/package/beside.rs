//! The package beside something else that has the key.

use anyhow::{Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Kind};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde_json::{Value, json};

use super::{Suite, their_console};

in_every_browser!(a_session_of_the_page_is_the_packages_too);

async fn a_session_of_the_page_is_the_packages_too(kind: Kind) -> Result<()> {
    let world = World::beside(their_console()).await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/theirs/")).await?;
    let found: Value = Suite::at("window", &browser).await?.ask("found", &[]).await?;
    let [key] = &world.session_keys().await?[..] else { anyhow::bail!("there is one session") };
    ensure!(found == json!([key, 200]), "{found}");
    Ok(())
}

/// It reads null where the key of a window is stored, and must not take that for a broken record.
#[tokio::test]
async fn a_shared_worker_of_webkit_leaves_the_key_of_the_windows_alone() -> Result<()> {
    let world = World::over_tls(their_console()).await?;
    let browser = world.browser(Kind::WebKit).await?;
    browser.goto(&world.at("/theirs/")).await?;
    Suite::at("window", &browser).await?.sign_up(&world).await?;
    let found: Value = Suite::at("shared_worker", &browser).await?.ask("found", &[]).await?;
    ensure!(found == json!([]), "{found}");
    let found: Value = Suite::at("window", &browser).await?.ask("found", &[]).await?;
    let [key] = &world.session_keys().await?[..] else { anyhow::bail!("there is one session") };
    ensure!(found == json!([key, 200]), "{found}");
    Ok(())
}
