//! A sample agent and its owner: paired, seen to spend, cut, revoked, torn down. The owner's part is a page
//! of somebody else's with the npm package in it, and the console's own page for what is told live.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::wait;
use holdfast_tests::world::World;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::package::{script, their_console};

in_every_browser!(an_agent_is_paired_spends_is_cut_and_revoked);

async fn an_agent_is_paired_spends_is_cut_and_revoked(kind: Kind) -> Result<()> {
    let world = World::beside(owners_page()).await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;

    let mut agent = Agent::start(&world)?;
    let code = agent.says("code ").await?;
    let owner = Owner::at(&world, &browser).await?;
    let asks = owner.ask("GET", &format!("/v1/agents/pairings/{code}"), Value::Null).await?;
    ensure!(asks["name"] == "Shopper" && asks["budget"] == "50.00", "{asks}");
    let (id, name) = (&asks["agent"], &asks["name"]);
    let expires_at_ms = asks["expires_at_ms"].as_u64().context("it expires")? / 60_000 * 60_000 + 3_600_000;
    let approval = json!({ "agent": id, "name": name, "code": code, "scope": "workspace", "budget": "20.00",
                           "expires_at_ms": expires_at_ms });
    ensure!(owner.confirm("/v1/agents/approve", approval).await?["state"] == "waiting");
    let said = agent.says("paired ").await?;
    ensure!(said == format!("{} 20.00", id.as_str().unwrap_or_default()), "{said}");

    // Live, on the console's own page.
    browser.goto(&world.at("/security")).await?;
    world.security_page_is_live(&browser).await?;
    agent.told("pay 3.50 Books USDC")?;
    let activity = browser.by_role(Role::Region, "Activity");
    activity.says("paid 3.50 USD to “Books”.").await?;
    ensure!(agent.says("paid ").await? == "3.50, left 16.50");

    let owner = Owner::at(&world, &browser).await?;
    let list = owner.ask("GET", "/v1/agents", Value::Null).await?;
    ensure!(list["agents"][0]["spent"] == "3.50" && list["agents"][0]["state"] == "active", "{list}");
    owner.ask("POST", "/v1/agents/cap", json!({ "agent": id, "budget": "4.00" })).await?;
    agent.told("pay 0.51 Books USDC")?;
    ensure!(agent.says("refused ").await? == "budget_exceeded");
    agent.told("left")?;
    ensure!(agent.says("left ").await? == "0.50");

    let named = json!({ "agent": id, "name": name });
    owner.confirm("/v1/agents/revoke", named.clone()).await?;
    agent.told("pay 0.50 Books USDC")?;
    ensure!(agent.says("refused ").await? == "agent_token_invalid");
    owner.confirm("/v1/agents/teardown", named).await?;
    ensure!(owner.ask("GET", "/v1/agents", Value::Null).await?["agents"] == json!([]));

    // The agent is no browser: nothing of one was needed, and nothing asked it anything.
    for path in ["/v1/agents/pairings", "/v1/agents/pairings/claim", "/v1/agents/self", "/v1/agents/charges"]
    {
        let exchanges = world.wire().exchanges_at(path);
        ensure!(!exchanges.is_empty(), "{path} was not asked for");
        let of_browsers = ["origin", "cookie", "dpop", "x-csrf-token"];
        let bare = |name: &&str| exchanges.iter().all(|exchange| exchange.header(name).is_none());
        ensure!(of_browsers.iter().all(bare), "{exchanges:?}");
    }
    Ok(())
}

/// A page without any policy, with the package, where the owner asks.
fn owners_page() -> Router {
    their_console()
        .route("/theirs/owner", get(|| async { Html(include_str!("agents/page.html")) }))
        .route("/theirs/owner.mjs", get(|| async { script(include_bytes!("agents/owner.mjs").to_vec()) }))
}

/// `owner.mjs`, in a browser that is signed in.
struct Owner<'browser>(&'browser Browser);

impl<'browser> Owner<'browser> {
    async fn at(world: &World, browser: &'browser Browser) -> Result<Self> {
        browser.goto(&world.at("/theirs/owner")).await?;
        let loaded = async || {
            let is_there = browser.execute("return window.owner !== undefined", &[]).await?;
            Ok((is_there == true).then_some(()))
        };
        wait::until(loaded).await?.context("the owner's page does not load")?;
        Ok(Self(browser))
    }

    /// Gives the body of the answer.
    async fn ask(&self, method: &str, path: &str, body: Value) -> Result<Value> {
        let ask = "return await window.owner.ask(arguments[0], arguments[1], arguments[2] ?? undefined);";
        self.run(ask, &[json!(method), json!(path), body]).await.with_context(|| format!("{method} {path}"))
    }

    async fn confirm(&self, path: &str, parameters: Value) -> Result<Value> {
        let confirm = "return await window.owner.confirm(arguments[0], arguments[1]);";
        self.run(confirm, &[json!(path), parameters]).await.with_context(|| format!("confirm {path}"))
    }

    async fn run(&self, script: &str, given: &[Value]) -> Result<Value> {
        let mut answer = self.0.execute_async(script, given).await?;
        let status = answer["status"].as_u64().context("it has a status")?;
        ensure!((200..300).contains(&status), "{answer}");
        Ok(answer["body"].take())
    }
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
