//! Credentials as a person keeps them, on a phone: stored, replaced, deleted, and never shown again.

use anyhow::{Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;

in_every_browser!(a_credential_is_stored_replaced_and_deleted, what_stands_in_the_way_is_said,);

/// Signed in, with the list open.
async fn visit(kind: Kind) -> Result<(World, Browser)> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    // The authenticator stays with the browser for as long as that runs.
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    if kind == Kind::Chromium {
        // Firefox has no windows as narrow as a phone.
        browser.set_window_size(360, 780).await?;
    }
    browser.goto(&world.at("/console/credentials")).await?;
    Ok((world, browser))
}

/// Once it can be read what is confirmed.
async fn confirm(browser: &Browser, sentence: &str) -> Result<()> {
    let prompt = browser.by_role(Role::Dialog, Name::Any);
    prompt.says(sentence).await?;
    prompt.by_role(Role::Button, "Confirm with a passkey").click().await
}

async fn a_credential_is_stored_replaced_and_deleted(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let [stored, form] = ["Stored", "Store a credential"].map(|name| browser.by_role(Role::Region, name));
    stored.says("Nothing is stored yet.").await?;
    form.says("never shown again").await?;
    let (name, value) = (form.by_role(Role::Textbox, "Name"), form.by_role(Role::Textbox, "Value"));
    let send = form.by_role(Role::Button, "Store");

    send.click().await?;
    form.says("Write the name that your agents will ask for.").await?;
    name.type_text("API KEY").await?;
    send.click().await?;
    form.says("Use 1 to 64 of the letters").await?;
    name.clear().await?;
    name.type_text("API_KEY").await?;
    send.click().await?;
    form.says("Write or paste the value.").await?;
    ensure!(world.wire().exchanges_at("/v1/credentials/set").is_empty(), "what is faulty is not sent");

    // As many bytes as it says, line breaks and all.
    value.type_text("Ключ, hunter2\nand more ").await?;
    send.click().await?;
    confirm(&browser, "Store the credential “API_KEY” of every channel that has no other.").await?;
    stored.says("API_KEY is stored. Its value is not shown again.").await?;
    stored.says("not read by any agent yet").await?;
    let sealed = world.column("SELECT name || channel || length(sealed) FROM credentials").await?;
    // A byte for each byte of it, and a tag of 16.
    ensure!(sealed == [format!("API_KEYdefault{}", "Ключ, hunter2\nand more ".len() + 16)], "{sealed:?}");
    ensure!(value.value().await?.is_empty() && name.value().await?.is_empty(), "the form is not emptied");
    ensure!(!browser.visible_text().await?.contains("hunter2"));
    let asked = world.wire().exchanges_at("/v1/credentials/set/stepup");
    ensure!(asked.len() == 1 && asked[0].json()?.get("secret").is_none(), "the preflight got the value");

    let row = stored.by_role(Role::ListItem, Name::Any);
    row.by_role(Role::Button, Name::Containing("Replace API_KEY".to_owned())).click().await?;
    ensure!(name.value().await? == "API_KEY");
    value.type_text("short").await?;
    send.click().await?;
    confirm(&browser, "Store the credential “API_KEY”").await?;
    stored.says("API_KEY is stored.").await?;
    let sealed = world.column("SELECT CAST(length(sealed) AS TEXT) FROM credentials").await?;
    ensure!(sealed == ["21"], "{sealed:?}");

    // Whoever leaves the prompt is where they were.
    let delete = row.by_role(Role::Button, "Delete API_KEY, Every agent");
    delete.click().await?;
    let prompt = browser.by_role(Role::Dialog, Name::Any);
    prompt.says("Delete the credential “API_KEY”").await?;
    prompt.by_role(Role::Button, "Cancel").click().await?;
    prompt.disappears().await?;
    ensure!(world.column("SELECT name FROM credentials").await? == ["API_KEY"]);
    let there = ("button".to_owned(), "Delete API_KEY, Every agent".to_owned());
    let focused = holdfast_tests::wait::until(async || Ok((browser.focused().await? == there).then_some(())));
    ensure!(focused.await?.is_some(), "{:?} has the focus", browser.focused().await?);

    delete.click().await?;
    confirm(&browser, "Delete the credential “API_KEY”").await?;
    stored.says("API_KEY is deleted.").await?;
    row.disappears().await?;
    ensure!(world.column("SELECT name FROM credentials").await?.is_empty());
    ensure!(!world.wire().exchanges_at("/v1/credentials").is_empty());
    ensure!(!world.wire().exchanges_at("/v1/credentials/remove").is_empty());
    world.assert_no_violations(&browser).await
}

async fn what_stands_in_the_way_is_said(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let form = browser.by_role(Role::Region, "Store a credential");
    form.by_role(Role::Textbox, "Name").type_text("KEY").await?;
    let value = form.by_role(Role::Textbox, "Value");
    value.type_text("kept").await?;

    // A name and a value that were typed outlive a server that is away.
    world.wire().break_off("/v1/credentials/set");
    form.by_role(Role::Button, "Store").click().await?;
    form.by_role(Role::Alert, Name::Any).says("The server is away for a moment.").await?;
    world.wire().mend();
    ensure!(value.value().await? == "kept");
    form.by_role(Role::Button, "Store").click().await?;
    confirm(&browser, "Store the credential “KEY”").await?;
    let stored = browser.by_role(Role::Region, "Stored");
    stored.says("KEY is stored.").await?;

    world.run_sql("UPDATE credentials SET key_id = 'another'").await?;
    browser.reload().await?;
    stored.says("unreadable").await?;
    stored.says("Replace its value to cure that.").await?;

    // Deleted elsewhere meanwhile.
    world.run_sql("DELETE FROM credentials").await?;
    stored.by_role(Role::Button, "Delete KEY, Every agent").click().await?;
    stored.by_role(Role::Alert, Name::Any).says("It is gone already.").await?;
    stored.says("Nothing is stored yet.").await?;
    world.assert_no_violations(&browser).await
}
