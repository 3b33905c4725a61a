//! The terminal in the page: confirmed, drawn by a script that comes only then, within the strict policy.

use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Key, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::wait;
use holdfast_tests::world::World;

in_every_browser!(
    a_terminal_is_opened_typed_into_and_ended,
    a_line_that_is_not_proven_is_frozen_and_says_so,
    who_gets_no_terminal_is_told_why,
    a_changed_script_opens_no_terminal,
);

async fn visit(world: &World, kind: Kind) -> Result<Browser> {
    let browser = world.browser(kind).await?;
    // The authenticator stays with the browser for as long as that runs.
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    if kind == Kind::Chromium {
        // Firefox has no windows as narrow as a phone.
        browser.set_window_size(360, 780).await?;
    }
    browser.goto(&world.at("/console/terminal")).await?;
    Ok(browser)
}

/// Confirms one and waits for its first proof; it has the focus.
async fn open(browser: &Browser, button: &str) -> Result<()> {
    browser.by_role(Role::Button, button).click().await?;
    let prompt = browser.by_role(Role::Dialog, Name::Any);
    prompt.says("Open a terminal on this console's machine for “mara@example.org”").await?;
    prompt.by_role(Role::Button, "Confirm with a passkey").click().await?;
    browser.by_role(Role::Region, SHELL).says("proven").await?;
    let input = ("textbox".to_owned(), "Terminal input".to_owned());
    let focused = wait::until(async || Ok((browser.focused().await? == input).then_some(())));
    ensure!(focused.await?.is_some(), "{:?} has the focus", browser.focused().await?);
    Ok(())
}

const STREAM: &str = "/v1/streams/terminal";
const SHELL: &str = "A shell on the console's machine";

/// Waits for a line that a screen reader finds in the terminal.
async fn shows(browser: &Browser, line: &str) -> Result<()> {
    browser.by_role(Role::Region, SHELL).by_role(Role::ListItem, Name::Any).saying(line).appears().await
}

/// How often its script was fetched.
fn fetched(world: &World) -> usize {
    let is_it = |path: &str| path.starts_with("/console/terminal-") && path.ends_with(".js");
    world.wire().exchanges().iter().filter(|exchange| is_it(&exchange.path)).count()
}

async fn a_terminal_is_opened_typed_into_and_ended(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = visit(&world, kind).await?;
    let shell = browser.by_role(Role::Region, SHELL);
    shell.says("It can do everything there that this console can").await?;
    ensure!(fetched(&world) == 0, "the script comes before anybody wants it");
    open(&browser, "Open a terminal").await?;
    ensure!(fetched(&world) == 1);
    ensure!(world.wire().exchanges_at("/v1/terminal/open").len() == 2);
    let tickets = world.wire().exchanges_at("/v1/connections/tickets").into_iter();
    let tickets = tickets.filter(|ticket| ticket.json().is_ok_and(|asked| asked["stream"] == STREAM));
    ensure!(tickets.count() == 1);

    // What is typed is shown, too: the answer alone holds the product. Its colour is one of 16 million, which
    // xterm.js writes as a style of the element's own.
    browser.type_keys("printf '\\033[38;2;200;80;0m%s\\033[0m\\n' $((6*7))_\n").await?;
    shows(&browser, "42_").await?;
    const STYLES: &str = "
        const row = [...document.querySelectorAll('.xterm-rows span')].find((it) => it.textContent.includes('42_'));
        return [getComputedStyle(row).color, getComputedStyle(row).display, document.querySelectorAll('style').length];";
    let styles = browser.execute(STYLES, &[]).await?;
    ensure!(styles[1] == "inline-block" && styles[2] == 0, "{styles}");
    ensure!(styles[0] != browser.execute(COLOUR, &[]).await?, "{styles}");

    // The shell knows how much room there is: 80 columns unless it is told.
    browser.type_keys("stty size\n").await?;
    let lines = shell.by_role(Role::ListItem, Name::Any);
    let columns = wait::until(async || {
        let lines = lines.texts().await?;
        Ok(lines.iter().find_map(|line| line.split_once(' ')?.1.parse::<u16>().ok()))
    });
    ensure!(
        columns.await?.is_some_and(|columns| (20..200).contains(&columns) && columns != 80),
        "{:?}",
        lines.texts().await?
    );
    browser.press_holding(&[Key::Shift], Key::F6).await?;
    ensure!(browser.focused().await? == ("button".to_owned(), "Copy".to_owned()));

    browser.by_role(Role::Textbox, "Terminal input").appears().await?;
    browser.execute("document.querySelector('.xterm-helper-textarea').focus()", &[]).await?;
    browser.type_keys("exit 3\n").await?;
    shell.by_role(Role::Alert, Name::Any).says("The shell has ended, with status 3.").await?;
    shows(&browser, "42_").await?;
    open(&browser, "Open another terminal").await?;
    shell.by_role(Role::Button, "End it").click().await?;
    shell.by_role(Role::Alert, Name::Any).says("You ended the terminal.").await?;
    ensure!(fetched(&world) == 1, "one script for both");
    world.assert_no_violations(&browser).await
}

/// Of the rows as a whole.
const COLOUR: &str = "return getComputedStyle(document.querySelector('.xterm-rows')).color";

async fn a_line_that_is_not_proven_is_frozen_and_says_so(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = visit(&world, kind).await?;
    open(&browser, "Open a terminal").await?;
    browser.type_keys("echo $((6 * 7))_\n").await?;
    shows(&browser, "42_").await?;
    // What it sends waits, as on a line that has become too slow.
    const HOLD: &str = "
        const send = WebSocket.prototype.send;
        window.waiting = [];
        WebSocket.prototype.send = function (data) { window.waiting.push(() => send.call(this, data)); };
        window.release = () => {
            WebSocket.prototype.send = send;
            window.waiting.splice(0).forEach((go) => go());
        };";
    browser.execute(HOLD, &[]).await?;
    world.pass(Duration::from_secs(36));
    let answered = wait::until(async || {
        let waiting = browser.execute("return window.waiting.length", &[]).await?;
        Ok(waiting.as_u64().is_some_and(|waiting| waiting > 0).then_some(()))
    });
    ensure!(answered.await?.is_some(), "no challenge was answered");
    world.pass(Duration::from_secs(11));
    world.records("connection_held", 1).await?;
    browser.by_role(Role::Region, SHELL).says(FROZEN).await?;
    browser.execute("window.release()", &[]).await?;
    browser.by_role(Role::Region, SHELL).says("proven").await?;
    browser.type_keys("echo $((7 * 7))_\n").await?;
    shows(&browser, "49_").await?;
    browser.by_role(Role::Button, "End it").click().await?;
    world.assert_no_violations(&browser).await
}

const FROZEN: &str = "Frozen: waiting for this browser to prove itself.";

async fn who_gets_no_terminal_is_told_why(kind: Kind) -> Result<()> {
    let mut world = World::new().await?;
    let browser = visit(&world, kind).await?;
    let (shell, dialog) = (browser.by_role(Role::Region, SHELL), browser.by_role(Role::Dialog, Name::Any));
    shell.by_role(Role::Button, "Open a terminal").click().await?;
    dialog.by_role(Role::Button, "Cancel").click().await?;
    shell.says("No terminal was opened.").await?;
    ensure!(browser.focused().await? == ("button".to_owned(), "Open a terminal".to_owned()));

    world.switch_terminals_off().await?;
    shell.by_role(Role::Button, "Open a terminal").click().await?;
    shell.by_role(Role::Alert, Name::Any).says("Terminals are switched off here.").await?;
    shell.says("--terminal").await?;
    ensure!(dialog.count().await? == 0, "nobody is asked to confirm what cannot be");

    world.run_sql("UPDATE accounts SET role = 'member'").await?;
    browser.reload().await?;
    shell.says("Only administrators of this console open terminals").await?;
    ensure!(shell.by_role(Role::Button, Name::Any).count().await? == 0);
    world.assert_no_violations(&browser).await
}

async fn a_changed_script_opens_no_terminal(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = visit(&world, kind).await?;
    world.wire().spoil("/console/terminal-");
    let shell = browser.by_role(Role::Region, SHELL);
    shell.by_role(Role::Button, "Open a terminal").click().await?;
    shell.by_role(Role::Alert, Name::Any).says("The terminal could not be fetched.").await?;
    ensure!(world.wire().exchanges_at("/v1/terminal/open").is_empty(), "a shell was asked for");
    // The browser was told to keep it for a year.
    let again = wait::until(async || Ok((fetched(&world) >= 2).then_some(())));
    ensure!(again.await?.is_some(), "the spoilt copy stays in the cache");
    browser.reload().await?;
    open(&browser, "Open a terminal").await?;
    shell.by_role(Role::Button, "End it").click().await?;
    shell.says("You ended the terminal.").await
}
