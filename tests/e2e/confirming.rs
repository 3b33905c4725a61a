//! The prompt that has actions confirmed: whatever can go wrong in it has words and a way on, nothing is done twice,
//! and a server that lies gets an alarm instead of a passkey.

use anyhow::{Context, Result, ensure};
use holdfast_protocol::ids::{AccountId, SessionId};
use holdfast_protocol::step_up::hash_of;
use holdfast_tests::browser::{Browser, Key, Kind, Locator, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::{Exchange, Wire, World};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::step_up::{LIES, Lie, sign_anew};
use crate::wallet::{SENTENCE, holds, send, visit};

in_every_browser!(
    every_failure_of_the_device_has_its_words,
    a_lost_connection_has_words_and_a_way_on,
    what_is_left_open_is_asked_for_anew,
    a_server_that_lies_raises_an_alarm,
    a_lost_answer_never_sends_twice,
    signing_in_anew_after_a_lost_answer_never_sends_twice,
    what_has_changed_meanwhile_is_said,
    who_is_held_back_is_told_until_when,
);

const SEND: &str = "/v1/wallet/send";
const STEP_UP: &str = "/v1/wallet/send/stepup";
const IF_NOT_GONE: &str = "Send it, if it has not gone";

fn dialog(browser: &Browser) -> Locator<'_> {
    browser.by_role(Role::Dialog, "Confirm with your passkey")
}

/// Once it is ready: before, the button does nothing.
async fn confirm(browser: &Browser) -> Result<()> {
    dialog(browser).says("You confirm it in").await?;
    dialog(browser).by_role(Role::Button, "Confirm with a passkey").click().await
}

/// What the browser says, and what the prompt makes of it.
const FAILURES: [(&str, &str); 5] = [
    ("NotAllowedError", "The passkey prompt was closed. Nothing was done."),
    ("TimeoutError", "The time for the passkey prompt was over. Nothing was done."),
    ("NotSupportedError", "Nothing here can hold such a passkey."),
    ("SecurityError", "Passkeys of this console do not work at this address."),
    ("UnknownError", "The browser could not finish this (UnknownError)."),
];

async fn every_failure_of_the_device_has_its_words(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    send(&browser, "12.50").await?;
    for (name, words) in FAILURES {
        const FAIL: &str = "
            const name = arguments[0];
            navigator.credentials.get = () => window.Promise.reject(new window.DOMException('', name));";
        browser.execute(FAIL, &[json!(name)]).await?;
        confirm(&browser).await?;
        dialog(&browser).by_role(Role::Alert, Name::Any).says(words).await.context(name)?;
    }
    // A device that does not settle, and a person who does not wait.
    browser.execute("navigator.credentials.get = () => new window.Promise(() => {});", &[]).await?;
    confirm(&browser).await?;
    dialog(&browser).says("Your device is asking.").await?;
    dialog(&browser).by_role(Role::Button, "Cancel").click().await?;
    dialog(&browser).disappears().await?;
    ensure!(world.wire().exchanges_at(SEND).len() == 1, "nothing was sent");

    browser.execute("delete navigator.credentials.get", &[]).await?;
    browser.by_role(Role::Button, "Send").click().await?;
    confirm(&browser).await?;
    holds(&browser, "$7.50").await?;
    world.assert_no_violations(&browser).await
}

async fn a_lost_connection_has_words_and_a_way_on(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    let (dialog, again) = (dialog(&browser), browser.by_role(Role::Button, "Try again"));
    let alert = dialog.by_role(Role::Alert, Name::Any);

    // The server wants a confirmation, and is away when it is asked for one.
    world.wire().break_off(STEP_UP);
    send(&browser, "12.50").await?;
    alert.says("The server is away for a moment.").await?;
    dialog.says(SENTENCE).await?;
    let ways = dialog.by_role(Role::Button, Name::Any).texts().await?;
    ensure!(ways == ["Cancel", "Try again"], "{ways:?}");
    let (seen, is_asked) = (world.wire().exchanges().len(), |it: &Exchange| it.path == STEP_UP);
    again.click().await?;
    world.wire().sees(seen, is_asked).await?;
    alert.says("The server is away for a moment.").await?;
    browser.press(Key::Escape).await?;
    dialog.disappears().await?;
    browser.focuses("button", "Send").await?;

    // There is no network at all, and then there is.
    browser.press(Key::Enter).await?;
    alert.says("The server is away for a moment.").await?;
    world.wire().mend();
    browser.go_offline().await?;
    again.click().await?;
    alert.says("This device is offline.").await?;
    browser.go_online().await?;
    again.click().await?;
    confirm(&browser).await?;
    holds(&browser, "$7.50").await?;
    let sent: Vec<_> = world.wire().exchanges_at(SEND).iter().map(|sent| sent.status.as_u16()).collect();
    ensure!(sent == [403, 403, 200], "{sent:?}");
    ensure!(browser.violations().await?.is_empty());
    Ok(())
}

/// The page's own clock goes on when the test says so, and what the page does every now and then it does when the
/// test says so.
const CLOCK: &str = "
    let late = 0;
    const now = performance.now.bind(performance);
    performance.now = () => now() + late;
    window.later = (ms) => { late += ms; };
    window.setInterval = (look) => { window.look = look; return 0; };";

/// Four minutes, after which the page takes options for too old; the server does after five.
const STALE_MS: u32 = 240_001;

async fn what_is_left_open_is_asked_for_anew(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    browser.execute(CLOCK, &[]).await?;
    let (stale, asked) = ([json!(STALE_MS)], || world.wire().exchanges_at(STEP_UP).len());

    // Before its time is over, and when the person comes back to the tab.
    const WAYS: [(&str, &str, &str); 2] = [
        ("2.00", "$18.00", "window.look()"),
        ("3.00", "$15.00", "document.dispatchEvent(new window.Event('visibilitychange'))"),
    ];
    for (at, (amount, left, look)) in WAYS.into_iter().enumerate() {
        send(&browser, amount).await?;
        dialog(&browser).says("You confirm it in").await?;
        browser.execute(look, &[]).await?;
        world.pass(Duration::from_secs(250));
        // The one thing of new options that can be seen.
        world.wire().lie(STEP_UP, |options| options["claiming_providers"] = json!(["Sesame"]));
        browser.execute("window.later(arguments[0])", &stale).await?;
        browser.execute(look, &[]).await?;
        dialog(&browser).says("is known to say that it has asked").await?;
        world.wire().mend();
        ensure!(asked() == 2 * (at + 1), "what is fresh is not asked for: {}", asked());
        // By now the first ones are worth nothing.
        world.pass(Duration::from_secs(100));
        confirm(&browser).await?;
        holds(&browser, left).await?;
    }
    let sent: Vec<_> = world.wire().exchanges_at(SEND).iter().map(|sent| sent.status.as_u16()).collect();
    ensure!(sent == [403, 200, 403, 200], "confirmed at once: {sent:?}");

    // Who presses before that has pressed too late, once.
    send(&browser, "5.00").await?;
    dialog(&browser).says("You confirm it in").await?;
    browser.execute("window.later(arguments[0])", &stale).await?;
    confirm(&browser).await?;
    let alert = browser.by_role(Role::Alert, Name::Any);
    alert.says("This has been waiting for a while. It was asked for anew, and nothing was done.").await?;
    ensure!(world.wire().exchanges_at(SEND).len() == 5, "nothing is sent");
    confirm(&browser).await?;
    holds(&browser, "$10.00").await?;
    ensure!(asked() == 6, "{}", asked());
    world.assert_no_violations(&browser).await
}

/// What only a page can see that knows who is signed in, and what it has asked for.
const LIES_TO_THE_PAGE: [Lie; 3] = [
    ("account", |options| sign_anew(options, |_, step_up| step_up.account = AccountId::make([7; 16]))),
    ("session", |options| sign_anew(options, |_, step_up| step_up.session = SessionId::make([7; 16]))),
    ("operation", |options| {
        // A token for another amount, whole and consistent in itself.
        sign_anew(options, |_, step_up| {
            step_up.parameters = hash_of("{}");
            step_up.sentence = SENTENCE.replace("12.50", "1250.00");
        });
    }),
];

async fn a_server_that_lies_raises_an_alarm(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    const COUNT: &str = "
        window.asked = 0;
        navigator.credentials.get = () => { window.asked += 1; return new window.Promise(() => {}); };";
    browser.execute(COUNT, &[]).await?;
    let alarm = browser.by_role(Role::Dialog, "Stop. This is not what you asked for.");
    send(&browser, "12.50").await?;
    dialog(&browser).says(SENTENCE).await?;
    dialog(&browser).by_role(Role::Button, "Cancel").click().await?;
    for (about, lie) in LIES.into_iter().chain(LIES_TO_THE_PAGE) {
        world.wire().lie(STEP_UP, lie);
        browser.by_role(Role::Button, "Send").click().await?;
        let words = alarm.by_role(Role::Alert, Name::Any);
        words.says("Your passkey was not asked, so nothing was confirmed.").await.context(about)?;
        words.says("Do not try again here. Tell whoever runs the console").await.context(about)?;
        alarm.says("Quote this to them: wallet.send, another ").await.context(about)?;
        // What the person wanted stands there, and nothing of what came instead.
        alarm.says(SENTENCE).await.context(about)?;
        let said = alarm.text().await?;
        ensure!(!said.contains("1250.00") && !said.contains("Rename it."), "{about}: {said}");
        let buttons = alarm.by_role(Role::Button, Name::Any);
        ensure!(buttons.texts().await? == ["Close"], "{about}: {:?}", buttons.texts().await?);
        buttons.click().await?;
        alarm.disappears().await?;
    }
    ensure!(browser.execute("return window.asked", &[]).await? == json!(0), "the passkey was asked");
    let sends = world.wire().exchanges_at(SEND);
    ensure!(sends.iter().all(|sent| sent.status == 403), "{sends:?}");

    // The same page, once the server tells the truth.
    world.wire().mend();
    browser.execute("delete navigator.credentials.get", &[]).await?;
    browser.by_role(Role::Button, "Send").click().await?;
    confirm(&browser).await?;
    holds(&browser, "$7.50").await?;
    world.assert_no_violations(&browser).await
}

/// Confirms a send whose answer does not come, in the way in which that goes wrong.
async fn send_unheard(
    world: &World,
    browser: &Browser,
    amount: &str,
    go_wrong: fn(&Wire, &'static str),
) -> Result<()> {
    send(browser, amount).await?;
    dialog(browser).says(&format!("Send {amount} USD")).await?;
    go_wrong(world.wire(), SEND);
    confirm(browser).await
}

async fn a_lost_answer_never_sends_twice(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    let alert = browser.by_role(Role::Alert, Name::Any);

    // It is done, and nobody hears of it.
    send_unheard(&world, &browser, "2.00", Wire::lose_answers).await?;
    alert.says("this page does not know whether it was done").await?;
    world.wire().mend();
    dialog(&browser).by_role(Role::Button, "Send the same request again").click().await?;
    dialog(&browser).disappears().await?;
    holds(&browser, "$18.00").await?;

    // The same, and the person gives up, and then looks: it was sent already.
    send_unheard(&world, &browser, "3.00", Wire::lose_answers).await?;
    dialog(&browser).by_role(Role::Button, "Send the same request again").appears().await?;
    dialog(&browser).by_role(Role::Button, "Close").click().await?;
    alert.says("is not sent twice").await?;
    world.wire().mend();
    browser.by_role(Role::Button, IF_NOT_GONE).click().await?;
    browser.by_role(Role::Status, Name::Any).saying("$3.00 went to").appears().await?;
    holds(&browser, "$15.00").await?;

    // It is not done at all, and then it is.
    send_unheard(&world, &browser, "5.00", Wire::break_off).await?;
    alert.says("this page does not know whether it was done").await?;
    world.wire().mend();
    dialog(&browser).by_role(Role::Button, "Send the same request again").click().await?;
    holds(&browser, "$10.00").await?;

    // Nor is this, and whoever looks is asked to confirm it again.
    send_unheard(&world, &browser, "4.00", Wire::break_off).await?;
    dialog(&browser).by_role(Role::Button, "Send the same request again").appears().await?;
    dialog(&browser).by_role(Role::Button, "Close").click().await?;
    world.wire().mend();
    browser.by_role(Role::Button, IF_NOT_GONE).click().await?;
    confirm(&browser).await?;
    holds(&browser, "$6.00").await?;
    let sent = world.column("SELECT id FROM transfers").await?;
    ensure!(sent.len() == 5, "one was issued and four were sent: {sent:?}");
    // Asked for, confirmed, and looked after: each time under one key.
    let sends = world.wire().exchanges_at(SEND);
    let keys: BTreeSet<_> = sends.iter().map(|sent| sent.header("idempotency-key")).collect();
    ensure!(keys.len() == 4, "{keys:?}");
    world.assert_no_violations(&browser).await
}

async fn signing_in_anew_after_a_lost_answer_never_sends_twice(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = visit(&world, &browser).await?;
    let alert = browser.by_role(Role::Alert, Name::Any);
    send_unheard(&world, &browser, "2.00", Wire::lose_answers).await?;
    alert.says("this page does not know whether it was done").await?;
    world.wire().mend();

    // Another tab finds no session, and opens one; this one goes on in it.
    let first = browser.tab().await?;
    browser.delete_cookie("__Host-holdfast").await?;
    world.another_tab(&browser, &authenticator).await?;
    world.sign_in(&browser).await?;
    browser.switch(&first).await?;
    dialog(&browser).by_role(Role::Button, "Send the same request again").click().await?;
    alert.says("It may have been done: look first.").await?;
    let ways = dialog(&browser).by_role(Role::Button, Name::Any);
    ensure!(ways.texts().await? == ["Close"], "{:?}", ways.texts().await?);
    ways.click().await?;
    dialog(&browser).disappears().await?;
    alert.says("It may have been done: look first.").await?;
    holds(&browser, "$18.00").await?;

    // Who does not look sends nothing: the request keeps its key.
    let before = world.wire().exchanges().len();
    browser.by_role(Role::Button, "Send").click().await?;
    let again = world.wire().sees(before, |it| it.path == SEND).await?;
    ensure!(again.status == 409, "{again:?}");
    alert.says("It may have been done: look first.").await?;
    let keys: BTreeSet<_> = {
        let sent = world.wire().exchanges_at(SEND);
        sent.iter().map(|sent| sent.header("idempotency-key").map(str::to_owned)).collect()
    };
    ensure!(keys.len() == 1 && !keys.contains(&None), "{keys:?}");
    ensure!(world.column("SELECT id FROM transfers").await?.len() == 2, "one was issued and one was sent");

    // Who has looked, and wants it a second time.
    browser.reload().await?;
    send(&browser, "2.00").await?;
    confirm(&browser).await?;
    holds(&browser, "$16.00").await
}

async fn what_has_changed_meanwhile_is_said(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = visit(&world, &browser).await?;
    let alert = browser.by_role(Role::Alert, Name::Any);

    // The token has expired: a fresh one is asked for.
    send(&browser, "12.50").await?;
    dialog(&browser).says(SENTENCE).await?;
    world.pass(Duration::from_secs(301));
    confirm(&browser).await?;
    alert.says("The time for this confirmation was over. Nothing was done.").await?;

    // The person is not verified: what the server says of that.
    authenticator.refuse_person().await?;
    confirm(&browser).await?;
    alert.says("The passkey prompt was closed. Nothing was done.").await?;
    authenticator.verify_person().await?;

    // Who is to get it has another name by now.
    world.run_sql("UPDATE accounts SET name = 'Otto' WHERE id = 'acc_1111-1111-1111-1111'").await?;
    confirm(&browser).await?;
    dialog(&browser).disappears().await?;
    alert.says("That wallet's owner has another name. Nothing was sent.").await?;
    holds(&browser, "$20.00").await?;
    ensure!(browser.violations().await?.is_empty());
    Ok(())
}

async fn who_is_held_back_is_told_until_when(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = visit(&world, &browser).await?;
    const COOLDOWN: &str = "
        UPDATE accounts SET cooldown_from_ms = created_at_ms, cooldown_until_ms = created_at_ms + 86400000";
    world.run_sql(COOLDOWN).await?;
    send(&browser, "12.50").await?;
    let dialog = browser.by_role(Role::Dialog, "Not now");
    dialog.by_role(Role::Alert, Name::Any).says("The account is in a cooldown.").await?;
    dialog.by_role(Role::Timer, Name::Any).says("23 h").await?;
    ensure!(dialog.by_role(Role::Button, Name::Any).texts().await? == ["Close"]);
    dialog.by_role(Role::Button, "Close").click().await?;

    world.run_sql("UPDATE accounts SET cooldown_from_ms = NULL, cooldown_until_ms = NULL").await?;
    world.run_sql("UPDATE passkeys SET disabled_at_ms = 1").await?;
    browser.by_role(Role::Button, "Send").click().await?;
    dialog.says("You have no passkey to confirm this with.").await?;
    dialog.by_role(Role::Link, "Open your Security page").appears().await?;
    dialog.by_role(Role::Button, "Close").click().await?;

    world.run_sql("UPDATE passkeys SET disabled_at_ms = NULL").await?;
    browser.by_role(Role::Button, "Send").click().await?;
    confirm(&browser).await?;
    holds(&browser, "$7.50").await?;
    world.assert_no_violations(&browser).await
}
