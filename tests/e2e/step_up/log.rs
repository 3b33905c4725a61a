//! The log of confirmations in the console, and what an account that is held back is told there.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use holdfast_protocol::history::Activity;
use holdfast_protocol::step_up::{Kind as Action, Outcome};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::world::{World, confirm};
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

in_every_browser!(the_log_is_live_filtered_and_paged, an_account_that_is_held_back_is_told_until_when);

fn tried(action: Action, outcome: Outcome, sentence: &str, code: Option<&str>) -> Activity {
    Activity::StepUp { action, outcome, sentence: sentence.to_owned(), code: code.map(str::to_owned) }
}

async fn at_the_log(world: &World, browser: &Browser) -> Result<()> {
    world.sign_up(browser).await?;
    if browser.kind() == Kind::Chromium {
        browser.set_window_size(360, 780).await?;
    }
    browser.goto(&world.at("/console/confirmations")).await?;
    browser.by_role(Role::HeadingLevel(1), "Confirmations").appears().await
}

async fn the_log_is_live_filtered_and_paged(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    at_the_log(&world, &browser).await?;
    browser.page_says("Nothing has been asked for yet.").await?;
    let filter = |name: &str| browser.by_role(Role::Button, name);
    let rows = browser.by_role(Role::Region, "What was confirmed").by_role(Role::ListItem, Name::Any);

    // As another tab of this account would do it.
    world
        .happens([
            tried(Action::PasskeyTest, Outcome::Asked, "Test the passkey.", None),
            tried(Action::WalletSend, Outcome::Denied, "Send 5.00 USD.", Some("cooldown")),
        ])
        .await?;
    rows.says("Test the passkey. asked for").await?;
    let refused = rows.clone().saying("Send 5.00 USD. refused The account is in a cooldown.");
    refused.appears().await?;

    filter("Wallet").click().await?;
    browser.arrives_at("/console/confirmations?filter=wallet").await?;
    rows.clone().saying("Test the passkey.").disappears().await?;
    refused.appears().await?;
    ensure!(filter("Wallet").attribute("aria-pressed").await?.as_deref() == Some("true"));
    browser.reload().await?;
    refused.appears().await?;
    ensure!(rows.count().await? == 1, "the address keeps the filter");
    filter("Agents approved").click().await?;
    browser.page_says("No agent was paired or given other limits yet.").await?;
    browser.back().await?;
    refused.appears().await?;

    let many = (0..55).map(|number| {
        tried(Action::WalletSend, Outcome::Failed, &format!("Send {number}.00 USD."), Some("rate_limited"))
    });
    world.happens(many).await?;
    rows.clone().saying("Send 54.00 USD.").appears().await?;
    browser.reload().await?;
    rows.clone().saying("Send 54.00 USD.").appears().await?;
    ensure!(rows.count().await? == 50);
    browser.by_role(Role::Button, "Show older").click().await?;
    browser.page_says("This is where the log begins.").await?;
    ensure!(rows.count().await? == 56, "each entry once");

    world.wire().lie("/v1/security/stepup-log", |log| log["switched_off"] = json!(["wallet.send"]));
    browser.reload().await?;
    browser.page_says("has switched the confirmation off for wallet.send.").await?;
    world.wire().break_off("/v1/security/stepup-log");
    filter("Passkeys").click().await?;
    let failure = browser.by_role(Role::Alert, Name::Any);
    let again = failure.by_role(Role::Button, "Try again");
    again.appears().await?;
    world.wire().mend();
    // The stream may wake the list before the person does, and then there is nothing to press.
    drop(again.click().await);
    rows.clone().saying("Test the passkey.").appears().await?;
    world.assert_no_violations(&browser).await
}

/// Whose passkey says that it has verified a person, and is known to say so in any case: the log names the provider.
#[tokio::test]
async fn a_confirmation_that_is_only_claimed_is_marked_in_the_log() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let bitwarden = "UPDATE passkeys SET name = 'Vault', aaguid = x'd548826e79b4db40a3d811116f7e8349'";
    world.run_sql(bitwarden).await?;
    browser.goto(&world.at("/console/passkeys")).await?;
    browser.by_role(Role::Button, "Test Vault").click().await?;
    confirm(&browser, "Test the passkey “Vault”").await?;
    browser.page_says("“Vault” works: you have just confirmed with it.").await?;

    browser.goto(&world.at("/console/confirmations")).await?;
    let rows = browser.by_role(Role::Region, "What was confirmed").by_role(Role::ListItem, Name::Any);
    let claimed =
        "Bitwarden says that it has asked for your fingerprint, face or PIN, and is known to say so";
    rows.clone().saying("confirmed").says(claimed).await?;
    // Who was only asked has claimed nothing.
    let said = rows.texts().await?;
    ensure!(said.iter().filter(|row| row.contains("Bitwarden")).count() == 1, "{said:?}");
    world.assert_no_violations(&browser).await
}

async fn an_account_that_is_held_back_is_told_until_when(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    at_the_log(&world, &browser).await?;
    let hold =
        "UPDATE accounts SET cooldown_from_ms = created_at_ms, cooldown_until_ms = created_at_ms + 1800000";
    world.run_sql(hold).await?;
    // The page that everybody opens first says it, and leads here.
    browser.goto(&world.at("/security")).await?;
    browser.page_says("This account is in a cooldown. Still ").await?;
    let seen = world.wire().exchanges().len();
    browser.by_role(Role::Link, "Confirmations").click().await?;
    browser.by_role(Role::HeadingLevel(1), "Confirmations").appears().await?;
    browser.page_says("This account is in a cooldown. Still ").await?;
    browser.page_says("Revoking agents, deleting credentials and ending sessions still work.").await?;
    // Fetched once more when the connection is proven: from then on nothing tells the page the server's time.
    let fetched = async || {
        let exchanges = world.wire().exchanges().into_iter().skip(seen);
        Ok((exchanges.filter(|it| it.path == "/v1/security/stepup-log").count() > 1).then_some(()))
    };
    wait::until(fetched).await?.context("the log is fetched twice")?;
    let timer = browser.by_role(Role::Timer, Name::Any);
    let shown = timer.text().await?;
    let ticks = async || Ok((timer.text().await? != shown).then_some(()));
    ensure!(wait::until(ticks).await?.is_some(), "the countdown stands still at {shown}");

    // When its time is over, the page asks whether that has ended it.
    world.pass(Duration::from_secs(1_800));
    if kind == Kind::Chromium {
        browser.execute("const now = Date.now; Date.now = () => now() + 1_800_000;", &[]).await?;
    } else {
        // A driver's script has a clock of its own there.
        browser.reload().await?;
        browser.page_says("Nothing has been asked for yet.").await?;
    }
    let over = async || Ok((!browser.visible_text().await?.contains("cooldown")).then_some(()));
    wait::until(over).await?.context("the page still speaks of a cooldown")?;
    world.assert_no_violations(&browser).await
}
