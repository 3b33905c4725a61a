//! A sample agent and its owner: paired, seen to spend, cut, given more, revoked, torn down. The owner's part is
//! the page of `step_up.rs`, and the console's own for what is told live.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{Browser, Kind, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::wait;
use holdfast_tests::world::World;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::step_up::{self, visit};

in_every_browser!(an_agent_is_paired_spends_is_cut_and_revoked);

async fn an_agent_is_paired_spends_is_cut_and_revoked(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let mut agent = Agent::start(&world)?;
    let code = agent.says("code ").await?;
    let approved = done(&browser, "pairAgent", &[json!(code), json!("20.00")]).await?;
    ensure!(approved["state"] == "waiting", "{approved}");
    let looked = world.wire().exchanges_at(&format!("/v1/agents/pairings/{code}"));
    ensure!(!looked.is_empty(), "the code was not looked up");
    ensure!(world.wire().exchanges_at("/v1/agents/approve").len() == 2);
    let said = agent.says("paired ").await?;
    ensure!(said == format!("{} 20.00", approved["id"].as_str().unwrap_or_default()), "{said}");

    // Live, on the console's own page.
    browser.goto(&world.at("/security")).await?;
    world.security_page_is_live(&browser).await?;
    agent.told("pay 3.50 Books USDC")?;
    let activity = browser.by_role(Role::Region, "Activity");
    activity.says("paid 3.50 USD to “Books”.").await?;
    ensure!(agent.says("paid ").await? == "3.50, left 16.50");

    step_up::open(&world, &browser).await?;
    let list = done(&browser, "lookAtAgents", &[]).await?;
    ensure!(list["agents"][0]["spent"] == "3.50" && list["agents"][0]["state"] == "active", "{list}");
    done(&browser, "cutAgent", &[json!("4.00")]).await?;
    ensure!(world.wire().exchanges_at("/v1/agents/cap").len() == 1);
    agent.told("pay 0.51 Books USDC")?;
    ensure!(agent.says("refused ").await? == "budget_exceeded");
    let given = done(&browser, "giveAgent", &[json!("4.01")]).await?;
    ensure!(given["left"] == "0.51", "{given}");
    agent.told("pay 0.51 Books USDC")?;
    ensure!(agent.says("paid ").await? == "0.51, left 0.00");
    agent.told("left")?;
    ensure!(agent.says("left ").await? == "0.00");

    let id = given["id"].clone();
    let name = "KEY";
    done(&browser, "storeCredential", &[json!(name), id, json!("hunter2")]).await?;
    agent.told("names")?;
    ensure!(agent.says("names ").await? == "KEY");
    agent.told("read KEY")?;
    ensure!(agent.says("read ").await? == "hunter2");
    for path in ["/v1/agents/credentials".to_owned(), format!("/v1/agents/credentials/{name}")] {
        ensure!(world.wire().exchanges_at(&path).len() == 1, "{path} was not asked for");
    }

    done(&browser, "revokeAgent", &[]).await?;
    ensure!(world.wire().exchanges_at("/v1/agents/revoke").len() == 2);
    agent.told("left")?;
    ensure!(agent.says("refused ").await? == "agent_token_invalid");
    done(&browser, "tearDownAgent", &[]).await?;
    ensure!(world.wire().exchanges_at("/v1/agents/teardown").len() == 2);
    ensure!(done(&browser, "lookAtAgents", &[]).await?["agents"] == json!([]));
    let left = done(&browser, "listCredentials", &[]).await?;
    ensure!(left["credentials"] == json!([]), "{left}");

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
