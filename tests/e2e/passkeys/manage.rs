//! Adding, testing and removing a passkey in the console.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Locator, Name, Role};
use holdfast_tests::world::{World, confirm};
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

in_every_browser!(a_passkey_is_added_tested_and_takes_the_place_of_another);

const ENABLED: &str = "SELECT name FROM passkeys WHERE disabled_at_ms IS NULL ORDER BY created_at_ms";

/// Signed up with a passkey called “Laptop”, and at its list in the console; on a phone, where the browser
/// has windows as narrow.
async fn at_the_list<'a>(world: &World, browser: &'a Browser) -> Result<Locator<'a>> {
    world.sign_up(browser).await?;
    world.run_sql("UPDATE passkeys SET name = 'Laptop'").await?;
    if browser.kind() == Kind::Chromium {
        browser.set_window_size(360, 780).await?;
    }
    browser.by_role(Role::Link, "Add, test or remove").click().await?;
    browser.by_role(Role::HeadingLevel(1), "Passkeys").appears().await?;
    Ok(browser.by_role(Role::Region, "In use"))
}

async fn a_passkey_is_added_tested_and_takes_the_place_of_another(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let laptop = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let passkeys = at_the_list(&world, &browser).await?;
    let press = async |name: &str| passkeys.by_role(Role::Button, name).click().await;
    passkeys.says("You have one passkey.").await?;
    let id = world.column("SELECT id FROM passkeys").await?;
    passkeys.says(id.first().context("there is a passkey")?).await?;

    // The last one is not even asked about.
    press("Remove Laptop").await?;
    passkeys.says("This is your last passkey. It stays.").await?;
    press("Keep it").await?;
    passkeys.by_role(Role::Group, "This is your last passkey. It stays.").disappears().await?;
    ensure!(browser.focused().await?.1 == "Remove Laptop");

    press("Add a passkey").await?;
    confirm(&browser, "Add a passkey to the account “mara@example.org”").await?;
    // The same device makes no second one.
    press("Make the passkey").await?;
    passkeys.by_role(Role::Alert, Name::Any).says("That device has a passkey of this account").await?;
    ensure!(laptop.credentials().await?.len() == 1);
    laptop.remove().await?;
    let phone = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    phone.refuse_person().await?;
    press("Make the passkey").await?;
    passkeys.by_role(Role::Alert, Name::Any).says("No passkey was made.").await?;
    phone.verify_person().await?;
    press("Make the passkey").await?;
    passkeys.says("The passkey was added.").await?;
    let name = passkeys.by_role(Role::Textbox, "New name");
    name.clear().await?;
    name.type_text("Phone").await?;
    press("Save").await?;
    passkeys.by_role(Role::Button, "Rename Phone").appears().await?;
    ensure!(world.column(ENABLED).await? == ["Laptop", "Phone"]);
    ensure!(world.wire().exchanges_at("/v1/passkey/register/verify").len() == 1);

    press("Test Phone").await?;
    confirm(&browser, "Test the passkey “Phone”").await?;
    passkeys.says("“Phone” works: you have just confirmed with it.").await?;
    ensure!(browser.focused().await?.1 == "Test Phone");

    // Two that are lost together are hardly more than one.
    const KEPT_BY_ONE: &str = "Every passkey of yours is kept by Keepsake.";
    ensure!(!passkeys.text().await?.contains("is kept by"));
    world.wire().lie("/v1/passkey", |list| {
        for passkey in list["passkeys"].as_array_mut().into_iter().flatten() {
            (passkey["provider"], passkey["backup"]) = (json!("Keepsake"), json!("synced"));
        }
    });
    browser.reload().await?;
    passkeys.says(KEPT_BY_ONE).await?;
    world.wire().mend();
    browser.reload().await?;

    if kind == Kind::Chromium {
        browser.by_role(Role::Button, "Remove Laptop").appears().await?;
        browser.execute(LISTEN, &[]).await?;
    }
    press("Remove Laptop").await?;
    passkeys.says("One passkey is left then.").await?;
    passkeys.says("You stay signed in here").await?;
    press("Remove this passkey").await?;
    confirm(&browser, "Remove the passkey “Laptop”").await?;
    passkeys.says("“Laptop” was removed. It can never sign in again.").await?;
    browser.by_role(Role::Region, "Removed").says("Laptop").await?;
    passkeys.by_role(Role::Button, "Remove Laptop").disappears().await?;
    ensure!(world.column(ENABLED).await? == ["Phone"]);
    if kind == Kind::Chromium {
        // The Signal API: exactly the one that is left.
        let held = json!([phone.credentials().await?.first().context("it holds one")?.credential_id]);
        let told = async || {
            let told = browser.execute("return window.accepted;", &[]).await?;
            Ok((told == held).then_some(()))
        };
        wait::until(told).await?.context("the authenticator was not told")?;
    }
    world.assert_no_violations(&browser).await
}

const LISTEN: &str = "
    const tell = PublicKeyCredential.signalAllAcceptedCredentials.bind(PublicKeyCredential);
    PublicKeyCredential.signalAllAcceptedCredentials = (options) => {
        window.accepted = options.allAcceptedCredentialIds;
        return tell(options);
    };";

/// The answer to the new passkey's registration is lost: sent once more, it is found to be there.
#[tokio::test]
async fn a_passkey_whose_answer_was_lost_is_in_the_list() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let laptop = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let passkeys = at_the_list(&world, &browser).await?;
    passkeys.by_role(Role::Button, "Add a passkey").click().await?;
    confirm(&browser, "Add a passkey to the account").await?;
    laptop.remove().await?;
    let _phone = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.wire().lie("/v1/passkey/register/verify", |answer| *answer = json!("lost"));
    passkeys.by_role(Role::Button, "Make the passkey").click().await?;
    let lost = passkeys.by_role(Role::Alert, Name::Any);
    lost.says("The server's answer could not be read.").await?;
    ensure!(world.column(ENABLED).await?.len() == 2);
    world.wire().mend();
    lost.by_role(Role::Button, "Try again").click().await?;
    passkeys.says("The passkey was added.").await?;
    passkeys.says("2 passkeys").await?;
    ensure!(world.column(ENABLED).await?.len() == 2);
    world.assert_no_violations(&browser).await
}

#[tokio::test]
async fn sessions_that_a_passkey_has_opened_are_ended_from_the_list() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let laptop = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let other = world.browser(Kind::Chromium).await?;
    let synced = other.add_authenticator(AuthenticatorOptions::default()).await?;
    synced.add_credential(laptop.credentials().await?.first().context("it holds one")?).await?;
    other.goto(&world.at("/sign-in")).await?;
    world.sign_in(&other).await?;

    browser.goto(&world.at("/console/passkeys")).await?;
    let passkeys = browser.by_role(Role::Region, "In use");
    passkeys.says("It has opened 1 other session.").await?;
    passkeys.by_role(Role::Button, Name::Containing("End them ".to_owned())).click().await?;
    passkeys.says("had opened were ended.").await?;
    other.by_role(Role::Heading, "Welcome back.").appears().await?;
    ensure!(!passkeys.text().await?.contains("1 other session"));
    ensure!(world.session_keys().await?.len() == 1, "whoever asks stays");

    // What it had opened before it was removed is ended in the same way.
    world.sign_in(&other).await?;
    world.run_sql("UPDATE passkeys SET disabled_at_ms = created_at_ms").await?;
    browser.reload().await?;
    let removed = browser.by_role(Role::Region, "Removed");
    removed.says("It has opened 1 other session.").await?;
    removed.by_role(Role::Button, Name::Containing("End them ".to_owned())).click().await?;
    removed.says("had opened were ended.").await?;
    other.by_role(Role::Heading, "Welcome back.").appears().await?;
    ensure!(!removed.text().await?.contains("1 other session"));
    world.assert_no_violations(&browser).await
}
