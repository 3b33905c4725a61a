//! A connection whose answers are not its own key's, in time and about itself, is silent from its first
//! failure on, and closed at the second.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use holdfast_protocol::history::Activity;
use holdfast_protocol::ids::PasskeyId;
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind};
use holdfast_tests::world::World;
use holdfast_tests::{in_every_browser, wait};
use serde::Deserialize;
use serde_json::json;

use super::owner_reads;

in_every_browser!(
    an_honest_connection_stays,
    answers_of_another_key_close_it,
    late_answers_close_it,
    relayed_answers_close_it,
);

/// What the script's own connection has received so far.
#[derive(Debug, Deserialize)]
struct Probe {
    frames: Vec<String>,
    /// With which it was closed.
    code: Option<u16>,
}

impl Probe {
    /// Where the first control message of this kind is.
    fn first(&self, word: &str) -> Option<usize> {
        self.frames
            .iter()
            .position(|frame| frame.strip_prefix('\u{1}').is_some_and(|it| it.starts_with(word)))
    }

    /// Frames of the application from a place on.
    fn data(&self, from: usize) -> Vec<&str> {
        let frames = self.frames.iter().skip(from).map(String::as_str);
        frames.filter(|frame| !frame.starts_with('\u{1}')).collect()
    }
}

async fn probe(browser: &Browser) -> Result<Probe> {
    let said = browser.execute("return window.probe", &[]).await?;
    serde_json::from_str(said.as_str().context("the probe has begun")?).context("read the probe")
}

/// Waits until the probe has seen what is wanted.
async fn probe_until(browser: &Browser, seen: impl Fn(&Probe) -> bool) -> Result<Probe> {
    let found = wait::until(async || {
        let probe = probe(browser).await?;
        Ok(seen(&probe).then_some(probe))
    });
    match found.await? {
        Some(probe) => Ok(probe),
        None => anyhow::bail!("the probe only saw {:?}", probe(browser).await?),
    }
}

/// A world whose owner has a proven connection more, and how its later challenges are answered.
async fn visit(kind: Kind, manner: &str) -> Result<(World, Browser)> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.execute_async(include_str!("../probe.js"), &[json!(manner)]).await?;
    let proven = probe_until(&browser, |probe| !probe.data(0).is_empty()).await?;
    let (opened, first) = (proven.first("proven").context("it was proven")?, proven.first("challenge"));
    ensure!(first == Some(0), "the first frame is a challenge: {:?}", proven.frames);
    ensure!(proven.data(0).len() == proven.data(opened).len(), "data before the first proof");
    world.happens([told("before")]).await?;
    probe_until(&browser, |probe| probe.data(0).iter().any(|data| data.contains("before"))).await?;
    Ok((world, browser))
}

fn told(name: &str) -> Activity {
    Activity::PasskeyRenamed { passkey: PasskeyId::make([7; 16]), name: name.to_owned() }
}

/// Longer than from one challenge to the next.
const NEXT_CHALLENGE: Duration = Duration::from_secs(36);
/// Longer than an answer may take.
const TOO_LATE: Duration = Duration::from_secs(11);

/// From its first failure on there is no data, and the second failure is the end.
async fn was_closed(world: &World, browser: &Browser) -> Result<()> {
    let closed = probe_until(browser, |probe| probe.code.is_some()).await?;
    ensure!(closed.code == Some(4401), "{closed:?}");
    let held = closed.first("held").context("it was held back")?;
    ensure!(closed.data(held).is_empty(), "data after the first failure: {:?}", closed.data(held));
    world.records("connection_closed", 1).await?;
    // The page's own connection is none the worse, and tells of it.
    owner_reads(browser, "A connection could not prove itself twice in a row and was closed.").await?;
    world.happens([told("after")]).await?;
    owner_reads(browser, "“after”").await?;
    world.security_page_is_live(browser).await?;
    ensure!(probe(browser).await?.frames.len() == closed.frames.len());
    world.assert_no_violations(browser).await
}

async fn an_honest_connection_stays(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind, "right").await?;
    for sequence in 2..5 {
        world.pass(NEXT_CHALLENGE);
        let proven = format!("proven {sequence} ");
        probe_until(&browser, |probe| probe.first(&proven).is_some()).await?;
    }
    world.happens([told("after")]).await?;
    let after =
        probe_until(&browser, |probe| probe.data(0).iter().any(|data| data.contains("after"))).await?;
    ensure!(after.code.is_none() && after.first("held").is_none(), "{after:?}");
    world.assert_no_violations(&browser).await
}

async fn answers_of_another_key_close_it(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind, "foreign").await?;
    world.pass(NEXT_CHALLENGE);
    probe_until(&browser, |probe| probe.first("held 2 wrong").is_some()).await?;
    was_closed(&world, &browser).await
}

async fn relayed_answers_close_it(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind, "relayed").await?;
    world.pass(NEXT_CHALLENGE);
    probe_until(&browser, |probe| probe.first("held 2 wrong").is_some()).await?;
    was_closed(&world, &browser).await
}

async fn late_answers_close_it(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind, "late").await?;
    world.pass(NEXT_CHALLENGE);
    probe_until(&browser, |probe| probe.frames.iter().any(|frame| frame.contains(" 2 "))).await?;
    // The page's own connection is challenged at the same time, and shall not be late.
    let answered = |wire: &holdfast_tests::world::Wire| {
        wire.exchanges().iter().filter(|exchange| exchange.path.ends_with("/answer")).count()
    };
    let in_time = wait::until(async || Ok((answered(world.wire()) >= 2).then_some(())));
    in_time.await?.context("the page answers")?;
    world.pass(TOO_LATE);
    probe_until(&browser, |probe| probe.first("held 2 late").is_some()).await?;
    world.happens([told("between")]).await?;
    owner_reads(&browser, "“between”").await?;
    world.pass(TOO_LATE);
    was_closed(&world, &browser).await
}
