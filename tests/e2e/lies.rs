//! A server that lies in what it calls things, in why it refuses, and in what it wants of the browser: none of that
//! reaches the person beside what they confirm.

use anyhow::{Context, Result, ensure};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use holdfast_protocol::problem::{Code, Problem};
use holdfast_tests::browser::{Browser, Kind, Name, Role};
use holdfast_tests::world::{World, confirm, prompt};
use holdfast_tests::{in_every_browser, wait};
use serde_json::{Value, json};

use crate::{step_up, wallet};

in_every_browser!(
    a_name_that_turns_the_sentence_around_is_not_put_to_anybody,
    what_the_server_says_does_not_stand_beside_the_sentence,
    the_browser_is_asked_for_nothing_else,
);

const PASSKEYS: &str = "/console/passkeys";

async fn a_name_that_turns_the_sentence_around_is_not_put_to_anybody(kind: Kind) -> Result<()> {
    let (world, browser) = step_up::visit(kind).await?;
    world.wire().lie("/v1/passkey", |answer| {
        if let Some(passkey) = answer.pointer_mut("/passkeys/0") {
            passkey["name"] = json!("Phone\u{2069}\u{202e}.degnahc si gnihtoN .)");
        }
    });
    browser.goto(&world.at(PASSKEYS)).await?;
    browser.by_role(Role::Button, Name::Containing("Test Phone".to_owned())).click().await?;
    browser.by_role(Role::Alert, Name::Any).says("This cannot be shown as it is").await?;
    ensure!(prompt(&browser).count().await? == 0, "it was shown");
    ensure!(world.wire().exchanges_at("/v1/passkey/test").is_empty(), "it was sent");
    world.assert_no_violations(&browser).await
}

const SEND: &str = "/v1/wallet/send";
const LIE: &str = "The line above is an old test. Confirm once more";

/// A refusal in the words of whoever wants to be confirmed once more.
fn refusal(code: Code) -> Response {
    let problem = Problem { title: LIE.to_owned(), detail: LIE.to_owned(), ..Problem::of(code) };
    (StatusCode::FORBIDDEN, json!(problem).to_string()).into_response()
}

async fn what_the_server_says_does_not_stand_beside_the_sentence(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = wallet::visit(&world, &browser).await?;
    world.wire().lie("/v1/me", |me| me["session"]["device"]["browser"] = json!(LIE));
    browser.reload().await?;
    wallet::holds(&browser, "$20.00").await?;
    world.wire().mend();
    let (dialog, alert) = (prompt(&browser), browser.by_role(Role::Alert, Name::Any));
    let sign = async || {
        dialog.says("You confirm it in this browser").await?;
        ensure!(!dialog.text().await?.contains(LIE), "{}", dialog.text().await?);
        dialog.by_role(Role::Button, "Confirm with a passkey").click().await
    };

    // Whatever it says, it says once: then the wish is over, and another click is another wish.
    wallet::send(&browser, "12.50").await?;
    dialog.says(wallet::SENTENCE).await?;
    world.wire().answer(SEND, || refusal(Code::CeremonyInvalid));
    sign().await?;
    dialog.by_role(Role::Alert, Name::Any).says("The passkey's answer is not valid.").await?;
    sign().await?;
    dialog.disappears().await?;
    alert.appears().await?;

    // What this page has checked cannot be for something else.
    world.wire().mend();
    browser.by_role(Role::Button, "Send").click().await?;
    dialog.says(wallet::SENTENCE).await?;
    world.wire().answer(SEND, || refusal(Code::StepUpMismatch));
    sign().await?;
    dialog.disappears().await?;

    world.wire().mend();
    browser.by_role(Role::Button, "Send").click().await?;
    sign().await?;
    wallet::holds(&browser, "$7.50").await?;
    world.assert_no_violations(&browser).await
}

/// The members of what `navigator.credentials` is given by `act`, which it never answers, and the extensions.
async fn is_asked_for(
    browser: &Browser,
    method: &str,
    act: impl AsyncFnOnce() -> Result<()>,
) -> Result<Value> {
    const LISTEN: &str = "
        navigator.credentials[arguments[0]] = ({ publicKey }) => {
            window.given = JSON.stringify([Object.keys(publicKey).sort(), publicKey.extensions]);
            return new window.Promise(() => {});
        };";
    browser.execute(LISTEN, &[json!(method)]).await?;
    act().await?;
    let given = wait::until(async || {
        let given = browser.execute("return window.given ?? null", &[]).await?;
        Ok(given.as_str().map(str::to_owned))
    });
    let given = given.await?.context("the browser was asked for nothing")?;
    browser
        .execute("delete navigator.credentials[arguments[0]]; delete window.given", &[json!(method)])
        .await?;
    Ok(serde_json::from_str(&given)?)
}

async fn the_browser_is_asked_for_nothing_else(kind: Kind) -> Result<()> {
    let (world, browser) = step_up::visit(kind).await?;
    // Both options have these members; what is added to them is for the browser alone.
    world.wire().lie("/v1/passkey/register/options", |answer| {
        if let Some(options) = answer["public_key"].as_object_mut() {
            options.insert("extensions".to_owned(), json!({ "largeBlob": { "write": "AAAA" } }));
            options.insert("attestation".to_owned(), json!("direct"));
        }
    });
    browser.goto(&world.at(PASSKEYS)).await?;
    let press = async |name: &str| browser.by_role(Role::Button, name).click().await;
    press("Add a passkey").await?;
    prompt(&browser).says("You confirm it in").await?;
    let asked = is_asked_for(&browser, "get", async || press("Confirm with a passkey").await).await?;
    let members = ["allowCredentials", "challenge", "rpId", "timeout", "userVerification"];
    ensure!(asked == json!([members, null]), "{asked}");
    prompt(&browser).by_role(Role::Button, "Cancel").click().await?;
    prompt(&browser).disappears().await?;

    press("Add a passkey").await?;
    confirm(&browser, "Add a passkey to the account").await?;
    let asked = is_asked_for(&browser, "create", async || press("Make the passkey").await).await?;
    let selection = ["authenticatorSelection", "challenge", "excludeCredentials", "extensions", "hints"];
    let members = [&selection[..], &["pubKeyCredParams", "rp", "timeout", "user"]].concat();
    ensure!(asked == json!([members, { "credProps": true }]), "{asked}");
    world.assert_no_violations(&browser).await
}
