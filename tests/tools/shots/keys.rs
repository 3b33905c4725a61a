//! Passkeys, recovery codes and the log of confirmations, in the console.

use super::Shots;
use anyhow::Result;
use holdfast_protocol::history::Activity;
use holdfast_protocol::step_up::{Kind, Outcome};
use holdfast_tests::{
    browser::{Authenticator, Name, Role},
    world::{World, code_field, confirm, prompt, recovery_codes},
};

/// From the security page there and back, with the passkey of this authenticator.
pub(super) async fn take(
    shots: &mut Shots<'_>,
    world: &World,
    authenticator: &Authenticator<'_>,
) -> Result<()> {
    let browser = shots.browser;
    let passkeys = browser.by_role(Role::Region, "In use");
    let press = async |name: &str| browser.by_role(Role::Button, name).click().await;
    world.run_sql("UPDATE passkeys SET name = 'Work laptop'").await?;
    browser.goto(&world.at("/console/passkeys")).await?;
    passkeys.says("You have one passkey.").await?;
    shots.take("console-passkeys").await?;
    press("Remove Work laptop").await?;
    passkeys.says("This is your last passkey. It stays.").await?;
    shots.take("console-last-passkey").await?;
    press("Keep it").await?;
    press("Add a passkey").await?;
    prompt(browser).by_role(Role::Button, "Confirm with a passkey").appears().await?;
    shots.take("console-add-passkey-prompt").await?;
    confirm(browser, "Add a passkey").await?;
    browser.by_role(Role::Button, "Make the passkey").appears().await?;
    shots.take("console-make-passkey").await?;
    press("Make the passkey").await?;
    passkeys.by_role(Role::Alert, Name::Any).appears().await?;
    shots.take("console-passkey-held-already").await?;
    let held = authenticator.credentials().await?;
    authenticator.remove_all_credentials().await?;
    press("Make the passkey").await?;
    let name = browser.by_role(Role::Textbox, "New name");
    name.clear().await?;
    name.type_text("Blue security key").await?;
    shots.take("console-passkey-added").await?;
    press("Save").await?;
    browser.by_role(Role::Button, "Test Blue security key").appears().await?;
    press("Test Blue security key").await?;
    confirm(browser, "Test the passkey").await?;
    passkeys.says("“Blue security key” works").await?;
    shots.take("console-passkey-tested").await?;
    press("Remove Work laptop").await?;
    passkeys.says("One passkey is left then.").await?;
    shots.take("console-remove-passkey").await?;
    press("Remove this passkey").await?;
    confirm(browser, "Remove the passkey").await?;
    passkeys.says("was removed.").await?;
    shots.take("console-passkey-removed").await?;
    // The rest of the walk is by the passkey that it began with.
    world.run_sql("UPDATE passkeys SET disabled_at_ms = NULL").await?;
    authenticator.remove_all_credentials().await?;
    for credential in &held {
        authenticator.add_credential(credential).await?;
    }

    browser.goto(&world.at("/console/codes")).await?;
    browser.by_role(Role::Button, "Make new codes").appears().await?;
    shots.take("console-codes").await?;
    press("Make new codes").await?;
    recovery_codes(browser).await?;
    shots.take("console-new-codes").await?;
    code_field(browser).type_text("7K3").await?;
    press("Keep the old ones").await?;
    browser.page_says("Your old codes are still in force.").await?;
    shots.take("console-codes-kept").await?;

    browser.goto(&world.at("/console/confirmations?filter=credential")).await?;
    browser.page_says("No credential was stored or deleted yet.").await?;
    shots.take("console-confirmations-none").await?;
    let tried = |action, outcome, sentence: &str, code: Option<&str>| Activity::StepUp {
        action,
        outcome,
        sentence: sentence.to_owned(),
        code: code.map(str::to_owned),
    };
    let send = "Send 250.00 USD to “Anna Reis” (wal_7q4m-2f9k-xw1d-0h3t).";
    let store = "Store the credential “OPENAI_API_KEY” of every channel that has no other. Its agents can read it; a value that it had is lost.";
    world
        .happens([
            tried(Kind::CredentialSet, Outcome::Unguarded, store, None),
            tried(Kind::WalletSend, Outcome::Denied, send, Some("cooldown")),
            tried(Kind::WalletSend, Outcome::Failed, send, Some("step_up_mismatch")),
            tried(Kind::WalletSend, Outcome::Replayed, send, Some("step_up_required")),
        ])
        .await?;
    let hold =
        "UPDATE accounts SET cooldown_from_ms = created_at_ms, cooldown_until_ms = created_at_ms + 86400000";
    world.run_sql(hold).await?;
    world
        .wire()
        .lie("/v1/security/stepup-log", |log| log["switched_off"] = serde_json::json!(["credential.set"]));
    browser.goto(&world.at("/console/confirmations")).await?;
    browser.page_says("This is where the log begins.").await?;
    shots.take("console-confirmations").await?;
    world.wire().mend();
    world.run_sql("UPDATE accounts SET cooldown_from_ms = NULL, cooldown_until_ms = NULL").await?;
    browser.goto(&world.at("/security")).await?;
    world.security_page_is_live(browser).await
}
