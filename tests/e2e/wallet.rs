//! Money on the page: a person looks at their wallet, and sends from it on a phone.

use anyhow::{Context, Result, ensure};
use holdfast_protocol::ids::WalletId;
use holdfast_protocol::wallet::Usd;
use holdfast_tests::browser::{Authenticator, AuthenticatorOptions, Browser, Key, Kind, Name, Role};
use holdfast_tests::world::World;
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

in_every_browser!(
    money_is_sent_on_a_phone,
    what_cannot_be_sent_says_why,
    the_bar_of_links_shows_where_one_is_whatever_the_width,
);

/// Whom money is sent to.
const TO: &str = "wal_1111-1111-1111-1111";
const TO_NAME: &str = "Mara “M”";
/// How a sentence writes that name.
pub(crate) const SENTENCE: &str = "Send 12.50 USD to “Mara \"M\"” (wal_1111-1111-1111-1111).";

/// Signs up, and opens a wallet with 20 dollars in it.
pub(crate) async fn visit<'a>(world: &World, browser: &'a Browser) -> Result<Authenticator<'a>> {
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(browser).await?;
    world.has_somebody_to_send_to().await?;
    browser.goto(&world.at("/console/wallet")).await?;
    browser.page_says("Nothing has come or gone yet.").await?;
    const MINE: &str = "SELECT id FROM wallets WHERE account_id <> 'acc_1111-1111-1111-1111'";
    let mine = world.column(MINE).await?;
    world.issue(&WalletId::parse(mine.first().context("a wallet")?)?, Usd::parse("20.00")?).await?;
    browser.reload().await?;
    holds(browser, "$20.00").await?;
    Ok(authenticator)
}

/// Waits until so much is in the wallet.
pub(crate) async fn holds(browser: &Browser, sum: &str) -> Result<()> {
    browser.by_role(Role::Region, "In your wallet").says(sum).await
}

/// Fills in the form, and asks for it.
pub(crate) async fn send(browser: &Browser, amount: &str) -> Result<()> {
    fill(browser, TO_NAME, amount).await?;
    browser.by_role(Role::Button, "Send").click().await
}

async fn fill(browser: &Browser, name: &str, amount: &str) -> Result<()> {
    for (label, text) in [("Their wallet's id", TO), ("Their name", name), ("Amount in US dollars", amount)] {
        let field = browser.by_role(Role::Textbox, label);
        field.clear().await?;
        field.type_text(text).await?;
    }
    Ok(())
}

async fn money_is_sent_on_a_phone(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    // Firefox has no windows as narrow as a phone.
    browser.set_window_size(if kind == Kind::Chromium { 360 } else { 500 }, 780).await?;
    let _authenticator = visit(&world, &browser).await?;
    browser.by_role(Role::Textbox, "Note (if you like)").type_text("for “lunch”").await?;
    fill(&browser, TO_NAME, "12.5").await?;
    browser.page_says("That is $12.50.").await?;
    // By the keyboard alone from here on.
    browser.press(Key::Enter).await?;
    let dialog = browser.by_role(Role::Dialog, "Confirm with your passkey");
    dialog.says(SENTENCE).await?;
    dialog.says("With the note “for \"lunch\"”.").await?;
    dialog.says("with one of your passkeys. Your").await?;
    ensure!(world.wire().exchanges_at("/v1/wallet/send").len() == 1, "nothing is done before");
    nothing_stands_outside(&browser).await?;

    // Escape leaves, and nothing has happened.
    browser.press(Key::Escape).await?;
    dialog.disappears().await?;
    ensure!(browser.focused().await?.1 == "Send", "the focus returns to what opened it");
    ensure!(world.wire().exchanges_at("/v1/wallet/send").len() == 1);
    holds(&browser, "$20.00").await?;

    browser.press(Key::Enter).await?;
    dialog.says(SENTENCE).await?;
    browser.press(Key::Tab).await?;
    browser.press(Key::Tab).await?;
    ensure!(browser.focused().await?.1 == "Confirm with a passkey", "{:?}", browser.focused().await?);
    browser.press(Key::Enter).await?;
    dialog.disappears().await?;
    browser.by_role(Role::Status, Name::Any).saying("$12.50 went to Mara “M”").appears().await?;
    holds(&browser, "$7.50").await?;
    let row = browser.by_role(Role::Region, "What came and went").by_role(Role::ListItem, Name::Any);
    let sent = row.saying("−$12.50");
    for part in ["To Mara “M” wal_1111-1111-1111-1111", "for “lunch”", "then in the wallet: $7.50"] {
        sent.says(part).await?;
    }
    nothing_stands_outside(&browser).await?;

    // Asked for twice, confirmed once: each time under one key.
    let sends = world.wire().exchanges_at("/v1/wallet/send");
    let told: Vec<_> =
        sends.iter().map(|sent| (sent.status.as_u16(), sent.header("idempotency-key"))).collect();
    ensure!(told.len() == 3 && told[0].0 == 403 && told[1].0 == 403 && told[2].0 == 200, "{told:?}");
    ensure!(told[1].1.is_some() && told[1].1 == told[2].1 && told[0].1 != told[1].1, "{told:?}");
    ensure!(world.wire().exchanges_at("/v1/wallet/send/stepup").len() == 2);
    world.assert_no_violations(&browser).await
}

/// Whatever the width of the window.
pub(crate) async fn nothing_stands_outside(browser: &Browser) -> Result<()> {
    const OUTSIDE: &str = "
        const outside = (element) => {
            const { right, left } = element.getBoundingClientRect();
            return !element.closest('.ways, .hush, .skip') && (right > innerWidth + 1 || left < -1);
        };
        return [...document.querySelectorAll('body *:not(svg *)')].filter(outside).map((it) => it.outerHTML);";
    let outside = browser.execute(OUTSIDE, &[]).await?;
    ensure!(outside == json!([]), "these stand outside: {outside}");
    Ok(())
}

async fn what_cannot_be_sent_says_why(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    let region = browser.by_role(Role::Region, "Send money");
    browser.by_role(Role::Button, "Send").click().await?;
    region.says("Paste the id of the wallet that is to get it.").await?;
    region.says("Write the name of the wallet's owner.").await?;
    region.says("Write how much.").await?;
    ensure!(browser.focused().await?.1 == "Their wallet's id");
    send(&browser, "12,50").await?;
    region.says("No comma, no space, no currency sign.").await?;
    ensure!(world.wire().exchanges_at("/v1/wallet/send").is_empty(), "slips are not sent");

    let alert = browser.by_role(Role::Alert, Name::Any);
    send(&browser, "20.01").await?;
    alert.says("Not enough money.").await?;
    fill(&browser, "Mara", "1").await?;
    browser.by_role(Role::Button, "Send").click().await?;
    alert.says("That wallet's owner has another name.").await?;
    ensure!(browser.by_role(Role::Dialog, Name::Any).count().await? == 0);
    holds(&browser, "$20.00").await?;
    world.assert_no_violations(&browser).await
}

async fn the_bar_of_links_shows_where_one_is_whatever_the_width(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    browser.set_window_size(1280, 780).await?;
    let _authenticator = visit(&world, &browser).await?;
    browser.goto(&world.at("/console/confirmations")).await?;
    browser.by_role(Role::HeadingLevel(1), "Confirmations").appears().await?;
    // Firefox has no windows as narrow as a phone.
    browser.set_window_size(if kind == Kind::Chromium { 360 } else { 500 }, 780).await?;
    const IN_SIGHT: &str = "
        const parts = ['.ways', '.ways [aria-current]'].map((part) => document.querySelector(part));
        const [bar, link] = parts.map((part) => part.getBoundingClientRect());
        return link.left >= bar.left && link.right <= bar.right;";
    let in_sight =
        wait::until(async || Ok((browser.execute(IN_SIGHT, &[]).await? == json!(true)).then_some(())));
    in_sight.await?.context("the link of this very surface stands outside of the bar")?;

    // A phone that hides its own bars changes the height alone: what the person has scrolled to stays.
    const SCROLLED: &str = "
        const bar = document.querySelector('.ways');
        // Of a width in between the page may have heard last.
        window.dispatchEvent(new window.Event('resize'));
        bar.scrollLeft = 1;
        window.dispatchEvent(new window.Event('resize'));
        return bar.scrollLeft;";
    ensure!(browser.execute(SCROLLED, &[]).await? == json!(1));
    world.assert_no_violations(&browser).await
}
