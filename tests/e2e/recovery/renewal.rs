//! New recovery codes in the place of the old ones.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Key, Kind, Name, Role};
use holdfast_tests::world::{World, asked_code, code_field, confirm, prompt, recovery_codes};
use holdfast_tests::{in_every_browser, wait};

use super::leaves_no_trace;

in_every_browser!(
    the_last_three_codes_are_warned_about,
    new_codes_take_the_place_of_the_old_ones_once_confirmed,
    the_keyboard_alone_replaces_the_codes,
);

const HASHES: &str = "SELECT hex(verifier_hash) FROM recovery_codes ORDER BY verifier_hash";

async fn the_last_three_codes_are_warned_about(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    const ALL_BUT_FOUR: &str = "
        UPDATE recovery_codes SET used_at_ms = 1
        WHERE verifier_hash IN (SELECT verifier_hash FROM recovery_codes ORDER BY verifier_hash LIMIT 6)";
    const ONE_MORE: &str = "
        UPDATE recovery_codes SET used_at_ms = 1
        WHERE verifier_hash = (SELECT MAX(verifier_hash) FROM recovery_codes)";
    for (use_up, left, warned) in [(ALL_BUT_FOUR, "4 of 10 left", false), (ONE_MORE, "3 of 10 left", true)] {
        world.run_sql(use_up).await?;
        for page in ["/security", "/console/codes"] {
            browser.goto(&world.at(page)).await?;
            let codes = browser.by_role(Role::Region, "Recovery codes");
            codes.says(left).await?;
            let said = codes.text().await?;
            ensure!(said.contains("Few are left.") == warned, "{page}: {said}");
        }
    }
    world.assert_no_violations(&browser).await
}

async fn new_codes_take_the_place_of_the_old_ones_once_confirmed(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let before = world.column(HASHES).await?;
    if kind == Kind::Chromium {
        browser.set_window_size(360, 780).await?;
    }
    browser.by_role(Role::Region, "Recovery codes").by_role(Role::Link, "Replace them").click().await?;
    browser.by_role(Role::HeadingLevel(1), "Recovery codes").appears().await?;
    browser.by_role(Role::Region, "Recovery codes").says("10 of 10 left").await?;

    // New codes that nobody wants change nothing.
    browser.by_role(Role::Button, "Make new codes").click().await?;
    browser.page_says("These codes are not in force yet, and the old ones still are.").await?;
    browser.by_role(Role::Button, "Keep the old ones").click().await?;
    browser.page_says("Your old codes are still in force.").await?;
    ensure!(browser.focused().await?.1 == "Make new codes");

    browser.by_role(Role::Button, "Make new codes").click().await?;
    let codes = world.keep_codes(&browser).await?;
    let prompt = prompt(&browser);
    prompt.says("The old ones stop working.").await?;
    prompt.by_role(Role::Button, "Cancel").click().await?;
    prompt.disappears().await?;
    ensure!(world.column(HASHES).await? == before, "the old codes live until it is confirmed");
    browser.by_role(Role::Button, "I have kept them").click().await?;
    confirm(&browser, "Replace the recovery codes of “mara@example.org”").await?;
    browser.page_says("The new codes are in force.").await?;
    browser.by_role(Role::List, "Recovery codes").disappears().await?;
    leaves_no_trace(&browser, &codes).await?;
    let after = world.column(HASHES).await?;
    ensure!(after.len() == 10 && after.iter().all(|hash| !before.contains(hash)), "the old codes live");
    ensure!(world.count("recovery_codes_replaced").await? == 1);
    world.assert_no_violations(&browser).await
}

async fn the_keyboard_alone_replaces_the_codes(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/console/codes")).await?;
    browser.by_role(Role::Button, "Make new codes").appears().await?;
    browser.tab_to(&[], "button", "Make new codes").await?;
    browser.press(Key::Enter).await?;
    let codes = recovery_codes(&browser).await?;
    let (asked, field) = (asked_code(&browser).await?, code_field(&browser).name().await?);
    browser.tab_to(&[], "textbox", &field).await?;
    browser.type_keys(codes.get(asked.wrapping_sub(1)).context("a code of the list is asked for")?).await?;
    browser.press(Key::Enter).await?;
    let prompt = prompt(&browser);
    prompt.says("You confirm it in").await?;

    // Escape leaves, and the code need not be typed again.
    browser.press(Key::Escape).await?;
    prompt.disappears().await?;
    browser.focuses("textbox", &field).await?;
    ensure!(world.count("recovery_codes_replaced").await? == 0);
    browser.press(Key::Enter).await?;
    prompt.says("You confirm it in").await?;
    browser.tab_to(&[], "button", "Confirm with a passkey").await?;
    browser.press(Key::Enter).await?;
    browser.page_says("The new codes are in force.").await?;
    browser.focuses("button", "Make new codes").await?;
    world.assert_no_violations(&browser).await
}

/// The server has them, and its answer does not arrive: the page says nothing that may be false.
#[tokio::test]
async fn codes_whose_answer_was_lost_are_not_told_to_be_worth_nothing() -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/console/codes")).await?;
    browser.by_role(Role::Button, "Make new codes").click().await?;
    world.keep_codes(&browser).await?;
    world.wire().lie("/v1/recovery-codes/regenerate", |answer| {
        if answer.get("left").is_some() {
            *answer = serde_json::json!("lost");
        }
    });
    let prompt = prompt(&browser);
    prompt.says("The old ones stop working.").await?;
    prompt.by_role(Role::Button, "Confirm with a passkey").click().await?;
    // Whether the prompt offers to send it again or not, its person has enough of it.
    world.records("recovery_codes_replaced", 1).await?;
    let close = async || {
        if prompt.count().await? == 0 {
            return Ok(Some(()));
        }
        let close = prompt.by_role(Role::Button, Name::Exactly("Close".to_owned()));
        if close.count().await? == 1 {
            close.click().await?;
        }
        Ok(None)
    };
    wait::until(close).await?;
    browser.page_says("Another list is in force by now").await?;
    world.assert_no_violations(&browser).await
}
