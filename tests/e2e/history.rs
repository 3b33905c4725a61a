//! What happened in the account: live, in full, and the same everywhere.

use anyhow::{Result, ensure};
use holdfast_protocol::history::Activity;
use holdfast_protocol::ids::PasskeyId;
use holdfast_tests::browser::{AuthenticatorOptions, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;

in_every_browser!(what_happens_is_seen_at_once_and_in_full, what_happened_meanwhile_is_fetched);

/// The newest ones fill a page of the list, and one is left over.
const MANY: usize = 55;

async fn what_happens_is_seen_at_once_and_in_full(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let activity = browser.by_role(Role::Region, "Activity");
    activity.says("This is where the account began.").await?;

    world.happens([renamed("the live one")]).await?;
    activity.says("A passkey is called “the live one” now.").await?;

    world.happens((0..MANY).map(|number| renamed(&format!("name {number}")))).await?;
    activity.says("“name 54”").await?;
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    activity.says("“name 54”").await?;
    ensure!(!activity.text().await?.contains("The account was made."));
    activity.by_role(Role::Button, "Show older").click().await?;
    activity.says("This is where the account began.").await?;
    activity.says("The account was made.").await?;
    let rows = activity.by_role(Role::ListItem, Name::Any).saying("“name 5”").count().await?;
    ensure!(rows == 1, "each event once, not {rows} times");
    let pages = world.wire().exchanges_at("/v1/activity");
    ensure!(pages.iter().any(|page| page.query.starts_with("before=")), "the older ones are asked for");
    world.assert_no_violations(&browser).await?;

    // What of it was confirmed is one link away.
    activity.by_role(Role::Link, "Confirmations").click().await?;
    browser.by_role(Role::HeadingLevel(1), "Confirmations").appears().await?;
    browser.by_role(Role::Region, "What was confirmed").says("Nothing has been asked for yet.").await?;
    world.assert_no_violations(&browser).await
}

async fn what_happened_meanwhile_is_fetched(kind: Kind) -> Result<()> {
    let mut world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let activity = browser.by_role(Role::Region, "Activity");
    activity.says("This is where the account began.").await?;

    world.wire().hold("/v1/connections/tickets");
    world.restart().await?;
    world.wire().holds(1).await?;
    world.happens([renamed("meanwhile")]).await?;
    world.wire().mend();
    activity.says("A passkey is called “meanwhile” now.").await?;
    world.security_page_is_live(&browser).await?;
    world.happens([renamed("afterwards")]).await?;
    activity.says("A passkey is called “afterwards” now.").await?;
    Ok(())
}

fn renamed(name: &str) -> Activity {
    Activity::PasskeyRenamed { passkey: PasskeyId::make([7; 16]), name: name.to_owned() }
}
