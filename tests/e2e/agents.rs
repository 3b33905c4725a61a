//! An owner and a sample agent, on a phone: paired by its code, seen to spend, cut, given more, revoked, torn down.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{Browser, Key, Kind, Locator, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::wait;
use holdfast_tests::world::World;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::step_up::{self, visit};
use crate::wallet::nothing_stands_outside;

in_every_browser!(
    an_agent_is_paired_spends_is_cut_and_revoked,
    the_keyboard_alone_pairs_an_agent,
    what_cannot_be_done_says_why,
);

const PAGE: &str = "/console/agents";

async fn an_agent_is_paired_spends_is_cut_and_revoked(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    // Firefox has no windows as narrow as a phone.
    browser.set_window_size(if kind == Kind::Chromium { 360 } else { 500 }, 780).await?;
    browser.goto(&world.at(PAGE)).await?;
    let (list, pair) = (panel(&browser, "Your agents"), panel(&browser, "Pair an agent"));
    list.says("No agent works for you yet.").await?;
    list.says(&format!("node tests/agent/agent.mjs {} Shopper 50.00", world.origin())).await?;
    ensure!(!world.wire().exchanges_at("/v1/agents").is_empty());
    let mut agent = Agent::start(&world)?;
    let code = agent.says("code ").await?;

    // Its link fills the code in and does nothing else.
    browser.goto(&agent.says("for ").await?).await?;
    pair.says("This code came with the link").await?;
    ensure!(code_field(&browser).value().await? == code);
    let looked = format!("/v1/agents/pairings/{code}");
    ensure!(world.wire().exchanges_at(&looked).is_empty(), "looked up by itself");
    press(&browser, "See who asks").await?;
    for said in [
        "“Shopper”",
        "$50.00, and the workspace's files",
        "the network address of this browser",
        &code,
        "credentials that you have stored for every agent",
    ] {
        pair.says(said).await?;
    }
    ensure!(!world.wire().exchanges_at(&looked).is_empty(), "the code was not looked up");
    set_budget(&browser, "20").await?;
    choose(&browser, "A week").await?;
    nothing_stands_outside(&browser).await?;
    press(&browser, "Pair this agent").await?;
    let sentence = confirm(&browser).await?;
    ensure!(sentence.contains(&format!("which shows {code}. It may spend 20.00 USD in all")), "{sentence}");
    ensure!(world.wire().exchanges_at("/v1/agents/approve").len() == 2);
    pair.says("is paired.").await?;
    ensure!(!browser.url().await?.contains("code="), "a code is for once");
    let said = agent.says("paired ").await?;
    pair.says("is paired. It is at work.").await?;
    list.says("1 agent at work").await?;
    let row = list.by_role(Role::ListItem, Name::Any).saying("Shopper");
    row.says("at work").await?;
    row.says("$20.00 left").await?;
    row.says("Ends in 7 days. It may use the workspace's files.").await?;
    row.says("nothing leaves your wallet").await?;
    let id = said.strip_suffix(" 20.00").context("it knows its budget")?.to_owned();
    row.says(&id).await?;

    // What it spends is seen at once, and so is what it may not.
    agent.told("pay 3.50 Books USDC")?;
    row.says("$16.50 left").await?;
    let charges = row.by_role(Role::List, "Last charges");
    charges.says("Books").await?;
    charges.says("$3.50").await?;
    charges.says("asked for in USDC").await?;
    ensure!(agent.says("paid ").await? == "3.50, left 16.50");
    ensure!(browser.execute(STANDS_OUT, &[]).await? == json!(null));
    agent.told("pay 16.51 Books USDC")?;
    ensure!(agent.says("refused ").await? == "budget_exceeded");
    list.says("wanted to pay 16.51 USD to “Books”, more than what is left: refused.").await?;
    let stands_out = browser.execute(STANDS_OUT, &[]).await?;
    ensure!(stands_out.as_str().is_some_and(|said| said.ends_with("refused.")), "{stands_out}");

    // Less holds at once.
    press(&browser, "Change limits Shopper").await?;
    row.by_role(Role::HeadingLevel(3), "Limits of “Shopper”").appears().await?;
    set_budget(&browser, "4").await?;
    row.says("needs no confirmation").await?;
    nothing_stands_outside(&browser).await?;
    press(&browser, "Set these limits").await?;
    list.says("may spend $4.00 in all from now on.").await?;
    row.says("$0.50 left").await?;
    ensure!(world.wire().exchanges_at("/v1/agents/cap").len() == 1);
    ensure!(world.wire().exchanges_at("/v1/agents/approve").len() == 2, "nothing was confirmed");
    agent.told("pay 0.51 Books USDC")?;
    ensure!(agent.says("refused ").await? == "budget_exceeded");

    // More wants a signature.
    press(&browser, "Change limits Shopper").await?;
    set_budget(&browser, "4.01").await?;
    row.says("you confirm it with your passkey").await?;
    press(&browser, "Set these limits").await?;
    let sentence = confirm(&browser).await?;
    ensure!(sentence.contains(" other limits. It may spend 4.01 USD in all"), "{sentence}");
    row.says("$0.51 left").await?;
    agent.told("pay 0.51 Books USDC")?;
    ensure!(agent.says("paid ").await? == "0.51, left 0.00");
    row.says("nothing left").await?;

    step_up::open(&world, &browser).await?;
    let name = "KEY";
    done(&browser, "storeCredential", &[json!(name), json!(id), json!("hunter2")]).await?;
    for (told, said) in [("names", "names KEY"), ("read KEY", "read hunter2"), ("left", "left 0.00")] {
        agent.told(told)?;
        agent.says(said).await?;
    }
    for path in ["/v1/agents/credentials".to_owned(), format!("/v1/agents/credentials/{name}")] {
        ensure!(world.wire().exchanges_at(&path).len() == 1, "{path} was not asked for");
    }

    browser.goto(&world.at(PAGE)).await?;
    for (button, means) in [
        ("Revoke Shopper", "Revoke ends its work at once and for good."),
        ("Tear down Shopper", "deletes what is stored for it alone"),
    ] {
        row.says(means).await?;
        ensure!(described(&browser, button).await?.contains(means), "{button}");
    }
    press(&browser, "Revoke Shopper").await?;
    let sentence = confirm(&browser).await?;
    ensure!(
        sentence.contains(&format!("Revoke the agent “Shopper” ({id}). It can do nothing more.")),
        "{sentence}"
    );
    row.says("revoked").await?;
    agent.told("left")?;
    ensure!(agent.says("refused ").await? == "agent_token_invalid");
    ensure!(world.wire().exchanges_at("/v1/agents/revoke").len() == 2);

    // What a teardown deletes is said before.
    press(&browser, "Tear down Shopper").await?;
    row.says("It deletes 1 credential that only this agent could read: “KEY”.").await?;
    press(&browser, "Tear it down").await?;
    confirm(&browser).await?;
    list.says("is torn down").await?;
    list.says("No agent works for you yet.").await?;
    nothing_stands_outside(&browser).await?;
    ensure!(world.wire().exchanges_at("/v1/agents/teardown").len() == 2);
    ensure!(world.column("SELECT name FROM credentials").await?.is_empty());

    // The agent is no browser: nothing of one was needed, and nothing asked it anything.
    for path in ["/v1/agents/pairings", "/v1/agents/pairings/claim", "/v1/agents/self", "/v1/agents/charges"]
    {
        let exchanges = world.wire().exchanges_at(path);
        ensure!(!exchanges.is_empty(), "{path} was not asked for");
        let of_browsers = ["origin", "cookie", "dpop", "x-csrf-token"];
        let bare = |name: &&str| exchanges.iter().all(|exchange| exchange.header(name).is_none());
        ensure!(of_browsers.iter().all(bare), "{exchanges:?}");
    }
    world.assert_no_violations(&browser).await
}

async fn the_keyboard_alone_pairs_an_agent(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    browser.goto(&world.at(PAGE)).await?;
    let (list, pair) = (panel(&browser, "Your agents"), panel(&browser, "Pair an agent"));
    let mut agent = Agent::start(&world)?;
    let code = agent.says("code ").await?;
    code_field(&browser).appears().await?;
    browser.tab_to(&[], "textbox", "Code that the agent shows").await?;
    browser.type_keys(&code).await?;
    browser.press(Key::Enter).await?;
    pair.says("“Shopper”").await?;
    browser.tab_to(&[], "button", "Pair this agent").await?;
    browser.press(Key::Enter).await?;
    dialog(&browser).says("You confirm it in").await?;

    // Escape leaves, and nothing has happened.
    browser.press(Key::Escape).await?;
    dialog(&browser).disappears().await?;
    browser.focuses("button", "Pair this agent").await?;
    list.says("No agent works for you yet.").await?;
    browser.press(Key::Enter).await?;
    dialog(&browser).says("You confirm it in").await?;
    browser.tab_to(&[], "button", "Confirm with a passkey").await?;
    browser.press(Key::Enter).await?;
    dialog(&browser).disappears().await?;
    // Its button is gone: what became of it is read instead.
    pair.says("is paired.").await?;
    browser.focuses("status", "").await?;
    let row = list.by_role(Role::ListItem, Name::Any).saying("Shopper");
    row.says("at work").await?;
    pair.says("It is at work.").await?;
    browser.focuses("status", "").await?;

    // What ends it stands before.
    browser.tab_to(&[Key::Shift], "button", "Revoke Shopper").await?;
    browser.press(Key::Enter).await?;
    dialog(&browser).says("You confirm it in").await?;
    browser.press(Key::Escape).await?;
    dialog(&browser).disappears().await?;
    browser.focuses("button", "Revoke Shopper").await?;

    // What the pairing said goes with the agent's work.
    browser.press(Key::Enter).await?;
    confirm(&browser).await?;
    row.says("revoked").await?;
    pair.by_role(Role::Status, Name::Any).saying("is paired.").disappears().await?;
    world.assert_no_violations(&browser).await
}

async fn what_cannot_be_done_says_why(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    browser.goto(&world.at(PAGE)).await?;
    let (list, pair) = (panel(&browser, "Your agents"), panel(&browser, "Pair an agent"));
    press(&browser, "See who asks").await?;
    pair.says("Type the code that the agent shows.").await?;
    look(&browser, "7k4m").await?;
    pair.says("A code has eight letters and digits.").await?;
    look(&browser, "0000 0000").await?;
    alert(&pair).says("No agent waits with this code.").await?;

    // A code that runs out under its owner's hands.
    let mut late = Agent::start(&world)?;
    look(&browser, &late.says("code ").await?.to_uppercase()).await?;
    pair.says("“Shopper”").await?;
    set_budget(&browser, "1,000").await?;
    press(&browser, "Pair this agent").await?;
    pair.says("No comma, no space, no currency sign.").await?;
    ensure!(browser.focused().await?.1 == "Budget in US dollars");
    set_budget(&browser, "20").await?;
    world.pass(Duration::from_secs(601));
    press(&browser, "Pair this agent").await?;
    pair.says("This code leads to no agent any more.").await?;
    late.says("for ").await?;

    // Not confirmed, nothing paired; what was filled in is still there.
    let mut agent = Agent::start(&world)?;
    let code = agent.says("code ").await?;
    press(&browser, "Type another code").await?;
    look(&browser, &code).await?;
    choose(&browser, "Every file of the machine").await?;
    pair.says("keys, passwords and other people's work").await?;
    set_budget(&browser, "7").await?;
    press(&browser, "Pair this agent").await?;
    dialog(&browser).says("with every file of the machine.").await?;
    dialog(&browser).by_role(Role::Button, "Cancel").click().await?;
    dialog(&browser).disappears().await?;
    list.says("No agent works for you yet.").await?;
    ensure!(browser.by_role(Role::Textbox, "Budget in US dollars").value().await? == "7");
    press(&browser, "Pair this agent").await?;
    confirm(&browser).await?;
    let row = list.by_role(Role::ListItem, Name::Any).saying("Shopper");
    row.says("every file").await?;

    // What another window has done meanwhile, before this one has heard of it.
    press(&browser, "Change limits Shopper").await?;
    press(&browser, "Set these limits").await?;
    row.says("These are its limits already.").await?;
    world.run_sql("UPDATE agents SET budget_micros = 1000000").await?;
    set_budget(&browser, "2").await?;
    press(&browser, "Set these limits").await?;
    alert(&row).says("Its budget is lower than that by now.").await?;
    row.says("$1.00 left").await?;
    world.run_sql("UPDATE agents SET revoked_at_ms = 1").await?;
    set_budget(&browser, "0.5").await?;
    press(&browser, "Set these limits").await?;
    alert(&row).says("This agent is not there any more.").await?;
    row.says("revoked").await?;
    world.assert_no_violations(&browser).await
}

fn panel<'a>(browser: &'a Browser, title: &str) -> Locator<'a> {
    browser.by_role(Role::Region, title)
}

fn alert<'a>(inside: &Locator<'a>) -> Locator<'a> {
    inside.by_role(Role::Alert, Name::Any)
}

fn code_field(browser: &Browser) -> Locator<'_> {
    browser.by_role(Role::Textbox, "Code that the agent shows")
}

fn dialog(browser: &Browser) -> Locator<'_> {
    browser.by_role(Role::Dialog, "Confirm with your passkey")
}

async fn press(browser: &Browser, button: &str) -> Result<()> {
    browser.by_role(Role::Button, button).click().await
}

async fn choose(browser: &Browser, answer: &str) -> Result<()> {
    browser.by_role(Role::Radio, answer).click().await
}

async fn look(browser: &Browser, code: &str) -> Result<()> {
    code_field(browser).clear().await?;
    code_field(browser).type_text(code).await?;
    press(browser, "See who asks").await
}

async fn set_budget(browser: &Browser, budget: &str) -> Result<()> {
    let field = browser.by_role(Role::Textbox, "Budget in US dollars");
    field.clear().await?;
    field.type_text(budget).await
}

/// Confirms what the prompt says, and gives that.
async fn confirm(browser: &Browser) -> Result<String> {
    let button = dialog(browser).by_role(Role::Button, "Confirm with a passkey");
    dialog(browser).says("exactly as it is written here").await?;
    let said = dialog(browser).text().await?;
    button.click().await?;
    dialog(browser).disappears().await?;
    Ok(said)
}

/// What a charge that was refused stands in.
const STANDS_OUT: &str = "return document.querySelector('.news .alert.wait')?.innerText.trim()";

/// What a screen reader says of a button beside its name.
async fn described(browser: &Browser, button: &str) -> Result<String> {
    let button = browser.by_role(Role::Button, button);
    let id = button.attribute("aria-describedby").await?.context("nothing describes it")?;
    let said = "return document.getElementById(arguments[0]).innerText";
    Ok(browser.execute(said, &[json!(id)]).await?.as_str().unwrap_or_default().to_owned())
}

/// Goes a walk of `step_up.mjs` to its end, and gives the answer.
async fn done(browser: &Browser, walk: &str, given: &[Value]) -> Result<Value> {
    let ended = step_up::walk(browser, walk, given).await?;
    ensure!(ended.ended == "done", "{walk}: {ended:?}");
    Ok(ended.answer)
}

/// The sample agent at work. It ends with its input, whatever ends the test.
struct Agent {
    process: Child,
    input: ChildStdin,
    said: UnboundedReceiver<String>,
}

impl Agent {
    fn start(world: &World) -> Result<Self> {
        let program: PathBuf = [env!("CARGO_MANIFEST_DIR"), "agent", "agent.mjs"].iter().collect();
        let mut command = Command::new("node");
        command.arg(program).args([world.origin(), "Shopper", "50.00"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("start the agent")?;
        let input = process.stdin.take().context("it reads")?;
        let lines = BufReader::new(process.stdout.take().context("it writes")?).lines();
        let (tell, said) = unbounded_channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Ok(Self { process, input, said })
    }

    fn told(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").context("tell the agent")
    }

    /// The rest of the next line, which begins so.
    async fn says(&mut self, beginning: &str) -> Result<String> {
        let line = tokio::time::timeout(wait::DEADLINE, self.said.recv()).await;
        let line = line.with_context(|| format!("the agent does not say `{beginning}`"))?;
        let line = line.with_context(|| format!("the agent ended before it said `{beginning}`"))?;
        let rest = line.strip_prefix(beginning);
        rest.map(str::to_owned).with_context(|| format!("`{line}` is not `{beginning}…`"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
