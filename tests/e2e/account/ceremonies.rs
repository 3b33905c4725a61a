//! How a ceremony can fail: each failure has words and a way on.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde_json::json;

in_every_browser!(
    a_refused_registration_says_so_and_can_be_tried_again,
    a_refused_sign_in_says_so_and_can_be_tried_again,
    every_failure_of_a_prompt_has_its_words,
    a_prompt_that_never_answers_is_ended,
    a_server_that_is_away_says_so_and_comes_back,
    a_wait_has_words,
    two_tabs_that_open_at_once_both_sign_in,
);

async fn a_refused_registration_says_so_and_can_be_tried_again(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    authenticator.refuse_person().await?;
    world.tell_name_and_address(&browser).await?;
    let create = browser.by_role(Role::Button, "Create my passkey");
    create.click().await?;
    let alert = browser.by_role(Role::Alert, Name::Any);
    alert.says("No passkey was made.").await?;
    ensure!(world.column("SELECT name FROM accounts").await?.is_empty());

    authenticator.verify_person().await?;
    create.click().await?;
    world.keep_codes(&browser).await?;
    browser.by_role(Role::Heading, "Only your passkeys open this.").appears().await?;
    world.assert_no_violations(&browser).await
}

async fn a_refused_sign_in_says_so_and_can_be_tried_again(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    world.sign_out(&browser).await?;
    authenticator.refuse_person().await?;
    browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).says("The passkey prompt was closed.").await?;
    ensure!(world.session_keys().await?.is_empty());

    authenticator.verify_person().await?;
    world.sign_in(&browser).await?;
    ensure!(browser.by_role(Role::Alert, Name::Any).count().await? == 0);
    world.assert_no_violations(&browser).await
}

/// What the browser says, and what the page makes of it.
const FAILURES: [(&str, &str); 6] = [
    ("NotAllowedError", "No passkey was made."),
    ("NotSupportedError", "Nothing here can hold such a passkey."),
    ("ConstraintError", "Nothing here can hold such a passkey."),
    ("InvalidStateError", "This device has a passkey for this account already."),
    ("SecurityError", "Passkeys of this console do not work at this address."),
    ("TimeoutError", "The time for the passkey prompt was over."),
];

async fn every_failure_of_a_prompt_has_its_words(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    world.tell_name_and_address(&browser).await?;
    for (name, words) in FAILURES {
        let fail = "const name = arguments[0];
            navigator.credentials.create = () =>
                window.Promise.reject(new window.DOMException('', name));";
        browser.execute(fail, &[json!(name)]).await?;
        browser.by_role(Role::Button, "Create my passkey").click().await?;
        browser.by_role(Role::Alert, Name::Any).says(words).await.with_context(|| name.to_owned())?;
    }
    browser.execute("delete navigator.credentials.create", &[]).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    browser.by_role(Role::Button, "Create my passkey").click().await?;
    world.keep_codes(&browser).await?;
    browser.by_role(Role::Heading, "Only your passkeys open this.").appears().await?;
    world.assert_no_violations(&browser).await
}

async fn a_prompt_that_never_answers_is_ended(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    world.tell_name_and_address(&browser).await?;
    // Five minutes are over in a moment.
    let hang = "
        navigator.credentials.create = (options) => {
            window.aborted = new window.Promise((tell) =>
                options.signal.addEventListener('abort', () => tell(true)));
            return new window.Promise(() => {});
        };
        const wait = window.waitsAsLong = window.setTimeout;
        window.setTimeout = (then, ms, ...rest) => wait.call(window, then, ms > 60000 ? 50 : ms, ...rest);";
    browser.execute(hang, &[]).await?;
    browser.by_role(Role::Button, "Create my passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).says("Your device never answered.").await?;
    let aborted = browser.execute_async("return window.aborted", &[]).await?;
    ensure!(aborted == json!(true), "the prompt stays open");

    // A device that does answer has its five minutes, however slow this machine is.
    let mend = "delete navigator.credentials.create; window.setTimeout = window.waitsAsLong;";
    browser.execute(mend, &[]).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    browser.by_role(Role::Button, "Create my passkey").click().await?;
    browser.by_role(Role::List, "Recovery codes").appears().await?;
    world.assert_no_violations(&browser).await
}

async fn a_server_that_is_away_says_so_and_comes_back(kind: Kind) -> Result<()> {
    let mut world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;

    // The page is there, the rest is not.
    world.wire().break_off("/v1/");
    browser.reload().await?;
    browser.by_role(Role::Heading, "The console does not answer.").appears().await?;
    browser.by_role(Role::Status, Name::Any).says("Trying again by itself").await?;
    browser.by_role(Role::Button, "Try now").appears().await?;
    world.wire().mend();
    world.security_page_is_live(&browser).await?;

    world.sign_out(&browser).await?;
    browser.by_role(Role::Status, Name::Any).saying("Getting everything ready").disappears().await?;
    world.stop().await?;
    browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).says("The server cannot be reached.").await?;
    world.start().await?;
    world.sign_in(&browser).await?;
    violations_other_than_of_the_network(&world, &browser).await
}

/// A server that is away is an error of the network to the browser, too.
async fn violations_other_than_of_the_network(world: &World, browser: &Browser) -> Result<()> {
    ensure!(browser.violations().await?.is_empty());
    ensure!(world.wire().exchanges_at("/v1/csp-report").is_empty());
    Ok(())
}

async fn a_wait_has_words(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let status = browser.by_role(Role::Status, Name::Any);
    world.wire().hold("/v1/me");
    browser.goto(&world.setup_link()).await?;
    status.says("Opening").await?;
    world.wire().mend();
    world.wire().hold("/v1/setup/");
    browser.by_role(Role::Textbox, "Your name").type_text("Mara").await?;
    browser.by_role(Role::Textbox, "Email address").type_text("mara@example.org").await?;
    browser.by_role(Role::Button, "Continue").click().await?;
    status.says("Getting everything ready").await?;
    world.wire().mend();
    browser.by_role(Role::Button, "Create my passkey").appears().await?;
    world.wire().hold("/v1/setup/verify");
    browser.by_role(Role::Button, "Create my passkey").click().await?;
    browser.by_role(Role::Status, Name::Any).saying("Checking the answer").appears().await?;
    world.wire().mend();
    browser.by_role(Role::List, "Recovery codes").appears().await?;
    world.assert_no_violations(&browser).await
}

/// As when a browser restores its tabs: neither finds a ceremony's cookie, and there is but one.
async fn two_tabs_that_open_at_once_both_sign_in(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let cookie = "__Host-holdfast-ceremony";
    browser.delete_cookie(cookie).await?;
    world.sign_out(&browser).await?;
    let begun = holdfast_tests::wait::until(async || browser.cookie(cookie).await);
    begun.await?.context("the sign-in page begins a ceremony")?;

    browser.delete_cookie(cookie).await?;
    let before = world.wire().exchanges_at("/v1/login/options").len();
    world.wire().hold("/v1/login/options");
    let first = browser.tab().await?;
    browser.reload().await?;
    world.wire().holds(1).await?;
    let second = world.another_tab(&browser, &authenticator).await?;
    browser.by_role(Role::Heading, "Welcome back.").appears().await?;
    world.wire().mend();
    let begun = holdfast_tests::wait::until(async || {
        let begun = world.wire().exchanges_at("/v1/login/options").split_off(before);
        Ok((begun.len() == 2).then_some(begun))
    });
    let begun = begun.await?.context("both tabs begin")?;
    let cookies = begun.iter().map(|exchange| exchange.header("cookie").unwrap_or_default());
    let bound: Vec<bool> = cookies.map(|cookies| cookies.contains("__Host-holdfast-ceremony=")).collect();
    ensure!(bound == [false, true], "the second waits for the first one's cookie: {bound:?}");

    for tab in [&first, &second] {
        browser.switch(tab).await?;
        world.sign_in(&browser).await?;
        world.sign_out(&browser).await?;
    }
    world.assert_no_violations(&browser).await
}
