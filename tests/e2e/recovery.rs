//! Recovery codes: shown once, kept by the person, and known to nobody else.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::world::{World, asked_code, code_field, recovery_codes};
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

use crate::asking::ask_proven;

mod renewal;

in_every_browser!(
    codes_are_kept_typed_back_and_leave_no_trace,
    a_reload_makes_new_codes_and_says_so,
    a_second_list_does_not_take_the_place_of_the_first,
);

async fn codes_are_kept_typed_back_and_leave_no_trace(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.make_passkey(&browser).await?;
    let codes = recovery_codes(&browser).await?;
    ensure!(codes.len() == 10 && codes.iter().all(|code| code.len() == 27), "{codes:?}");

    browser.by_role(Role::Button, "Copy").click().await?;
    browser.by_role(Role::Status, Name::Any).saying("Copied.").appears().await?;
    browser.by_role(Role::Button, "Download").click().await?;
    let file = browser.downloads().join("holdfast-recovery-codes.txt");
    let saved = wait::until(async || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        Ok(codes.iter().all(|code| text.contains(code.as_str())).then_some(()))
    });
    saved.await?.context("the file holds every code")?;
    browser.execute("window.print = () => { document.title = 'printed'; }", &[]).await?;
    browser.by_role(Role::Button, "Print").click().await?;
    ensure!(browser.title().await? == "printed");

    let kept = browser.by_role(Role::Button, "I have kept them");
    let asked = asked_code(&browser).await?;
    let other = asked % codes.len();
    let field = code_field(&browser);
    kept.click().await?;
    browser.page_says("as it stands in the list.").await?;
    field.type_text(codes.get(other).context("there is another code")?).await?;
    kept.click().await?;
    browser.page_says(&format!("That is code {}. Code {asked} is asked for.", other + 1)).await?;
    ensure!(world.wire().exchanges_at("/v1/recovery-codes").is_empty(), "nothing is in force yet");
    field.clear().await?;
    let right = codes.get(asked.wrapping_sub(1)).context("the code that is asked for")?;
    field.type_text(&right.to_lowercase().replace('-', " ")).await?;
    kept.click().await?;
    browser.by_role(Role::Heading, "Only your passkeys open this.").appears().await?;

    leaves_no_trace(&browser, &codes).await.context("on the wizard's last page")?;
    browser.by_role(Role::Button, "Open your security page").click().await?;
    world.security_page_is_live(&browser).await?;
    browser.by_role(Role::Region, "Recovery codes").says("10 of 10 left").await?;
    leaves_no_trace(&browser, &codes).await.context("on the security page")?;
    browser.back().await?;
    leaves_no_trace(&browser, &codes).await.context("after going back")?;

    let sent = world.wire().exchanges_at("/v1/recovery-codes");
    let [sent] = sent.as_slice() else { anyhow::bail!("sent once: {sent:?}") };
    let body = sent.json()?;
    let verifiers = body["verifiers"].as_array().context("verifiers are sent")?;
    ensure!(verifiers.len() == 10 && body.as_object().is_some_and(|body| body.len() == 1), "{body}");
    for exchange in world.wire().exchanges() {
        let said =
            format!("{} {} {}", exchange.path, exchange.query, String::from_utf8_lossy(&exchange.body));
        let told = codes.iter().any(|code| holds(&said, code));
        ensure!(!told, "a code went to {}", exchange.path);
    }
    world.assert_no_violations(&browser).await
}

/// A code as it is shown, or without its dashes.
fn holds(text: &str, code: &str) -> bool {
    let text = text.to_uppercase();
    text.contains(code) || text.contains(&code.replace('-', ""))
}

async fn leaves_no_trace(browser: &Browser, codes: &[String]) -> Result<()> {
    const PLACES: &str = "
        const fields = Array.from(document.querySelectorAll('input'), (field) => field.value);
        return [
            document.documentElement.outerHTML, fields.join(), location.href, JSON.stringify(history.state),
            JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie,
        ].map(String);";
    let places: Vec<String> = serde_json::from_value(browser.execute(PLACES, &[]).await?)?;
    for place in places {
        ensure!(!codes.iter().any(|code| holds(&place, code)), "a code is left in {place}");
    }
    Ok(())
}

async fn a_reload_makes_new_codes_and_says_so(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.make_passkey(&browser).await?;
    let first = recovery_codes(&browser).await?;
    ensure!(!browser.visible_text().await?.contains("These are new."));
    browser.reload().await?;
    browser.page_says("These are new.").await?;
    let second = recovery_codes(&browser).await?;
    ensure!(second.len() == 10 && second.iter().all(|code| !first.contains(code)));
    leaves_no_trace(&browser, &first).await?;
    world.keep_codes(&browser).await?;
    browser.by_role(Role::Heading, "Only your passkeys open this.").appears().await?;
    // The wizard's way out is the same for who left it half-way.
    browser.goto(world.origin()).await?;
    world.security_page_is_live(&browser).await?;
    world.assert_no_violations(&browser).await
}

async fn a_second_list_does_not_take_the_place_of_the_first(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    // 43 characters of base64url are 32 bytes when the last one has no bits to spare.
    let verifiers: Vec<String> =
        "ABCDEFGHIJ".chars().map(|letter| format!("{letter}{}", "A".repeat(42))).collect();
    let again = [("POST /v1/recovery-codes", json!({ "verifiers": verifiers }))];
    let answers = ask_proven(&browser, "stored", &again).await?;
    let refused = answers.first().context("one answer")?;
    ensure!((refused.status, refused.code()) == (409, "recovery_codes_exist"), "{refused:?}");
    ensure!(world.count("recovery_codes_created").await? == 1);
    world.assert_no_violations(&browser).await
}
