//! The page is away, or believes to be: hidden, frozen, put aside, asleep, offline, or in another year.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use holdfast_protocol::history::Activity;
use holdfast_protocol::ids::PasskeyId;
use holdfast_tests::browser::{Browser, Kind};
use holdfast_tests::world::{Exchange, World};
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

use super::{
    NEXT_CHALLENGE, TICKETS, all_was_in_order, call, claims, connect, go_live, hears, in_page, is_challenged,
    open, tickets, told, visit,
};

in_every_browser!(
    a_hidden_page_whose_timers_never_run_answers_all_the_same,
    a_page_that_was_put_aside_finds_the_key_that_came_meanwhile,
    a_page_that_was_put_aside_hears_that_another_has_signed_out,
    without_a_network_it_waits_and_comes_back,
    after_an_hour_of_sleep_it_comes_back_without_a_passkey,
    a_clock_that_is_years_off_harms_nothing,
);

async fn a_hidden_page_whose_timers_never_run_answers_all_the_same(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    // What browsers do to hidden tabs once a minute, for ever.
    in_page(&browser, "window.setTimeout = window.setInterval = () => 0").await?;
    let heard = go_live(&browser, "stream").await?;
    let hidden = browser.tab().await?;
    browser.new_tab().await?;
    let answers = || {
        let is_taken = |exchange: &&Exchange| exchange.path.ends_with("/answer") && exchange.status == 204;
        world.wire().exchanges().iter().filter(is_taken).count()
    };
    for _ in 0..4 {
        let before = answers();
        world.pass(NEXT_CHALLENGE);
        let answered = wait::until(async || Ok((answers() > before).then_some(())));
        answered.await?.context("a challenge was not answered")?;
    }
    browser.switch(&hidden).await?;
    // It was asked for nothing but proofs, until it was seen again and asked for one itself.
    let told = told(&browser).await?;
    let unseen = told.iter().skip(heard).take_while(|word| *word != "proving");
    let (proofs, rest): (Vec<_>, Vec<_>) =
        unseen.filter(|word| *word != "data").partition(|word| *word == "open");
    ensure!(proofs.len() >= 4 && rest.is_empty(), "{told:?}");
    ensure!(world.count("connection_held").await? == 0);
    all_was_in_order(&world).await
}

/// Freezing is a command of Chromium's.
#[tokio::test]
async fn a_page_that_was_frozen_for_a_moment_hears_nothing_before_one_round_trip() -> Result<()> {
    let (world, browser) = visit(Kind::Chromium).await?;
    let heard = go_live(&browser, "stream").await?;
    let (frozen, asked) = (browser.tab().await?, tickets(&world));
    browser.new_tab().await?;
    browser.freeze(&frozen).await?;
    something_happens(&world).await?;
    browser.resume(&frozen).await?;
    browser.switch(&frozen).await?;
    comes_back_proven(&browser, heard, "proving").await?;
    ensure!(tickets(&world) == asked, "the connection was a good one: {:?}", told(&browser).await?);
    is_challenged(&world, &browser).await?;
    all_was_in_order(&world).await
}

/// The back/forward cache of Firefox takes no page with an open connection: it is loaded again.
#[tokio::test]
async fn a_page_that_was_put_aside_proves_a_new_connection_before_it_hears_anything() -> Result<()> {
    let (world, browser) = visit(Kind::Chromium).await?;
    let heard = go_live(&browser, "socket").await?;
    let asked = tickets(&world);
    browser.goto(&world.at("/v1/health")).await?;
    something_happens(&world).await?;
    browser.back().await?;
    hears(&browser, heard, "shown again").await?;
    comes_back_proven(&browser, heard, "connecting").await?;
    ensure!(tickets(&world) > asked, "the back/forward cache keeps no connection");
    is_challenged(&world, &browser).await?;
    all_was_in_order(&world).await
}

async fn a_page_that_was_put_aside_finds_the_key_that_came_meanwhile(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let before = put_aside(&world, &browser, "signIn()").await?;
    hears(&browser, 0, "status key-replaced").await?;
    let now = call(&browser, "thumbprint()").await?;
    ensure!(
        now != json!(before) && json!(world.session_keys().await?) == json!([now]),
        "{now} is not the session's"
    );
    connect(&browser, "socket").await?;
    ensure!(world.count("theft_suspected").await? == 0, "a page that was put aside is no thief");
    Ok(())
}

async fn a_page_that_was_put_aside_hears_that_another_has_signed_out(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    put_aside(&world, &browser, "forget()").await?;
    hears(&browser, 0, "status signed-out").await?;
    ensure!(call(&browser, "thumbprint()").await?.is_null(), "it kept the key");
    let refused = browser.execute("window.page.connect('socket')", &[]).await;
    ensure!(refused.is_err(), "a connection without a key");
    Ok(())
}

/// Leaves a page with its client for another one, where this is done, and comes back to it as it was left: the
/// thumbprint that it had then.
async fn put_aside(world: &World, browser: &Browser, meanwhile: &str) -> Result<Option<String>> {
    /// Whether a browser keeps a page that is left is its own affair: it may be short of memory.
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        browser.goto(&world.at("/theirs/")).await?;
        if open(browser).await?.is_none() {
            call(browser, "signIn()").await?;
        }
        let before = call(browser, "thumbprint()").await?;
        browser.goto(&world.at("/theirs/?another")).await?;
        open(browser).await?;
        call(browser, meanwhile).await?;
        browser.back().await?;
        if browser.execute("return window.page !== undefined", &[]).await? == json!(true) {
            hears(browser, 0, "shown again").await?;
            return Ok(before.as_str().map(str::to_owned));
        }
    }
    bail!("the back/forward cache never kept the page")
}

async fn without_a_network_it_waits_and_comes_back(kind: Kind) -> Result<()> {
    let (mut world, browser) = visit(kind).await?;
    let heard = go_live(&browser, "socket").await?;
    let asked = tickets(&world);
    browser.go_offline().await?;
    let told_so =
        async || Ok((browser.execute("return navigator.onLine", &[]).await? == json!(false)).then_some(()));
    wait::until(told_so).await?.context("the browser does not know that it is offline")?;
    // What is open stays open in some browsers: the server closes it, and nothing new can be opened.
    world.restart().await?;
    let lost = wait::until(async || {
        world.pass(Duration::from_secs(11));
        let told = told(&browser).await?;
        Ok((told.iter().skip(heard).filter(|word| word.starts_with("waiting")).count() > 1).then_some(()))
    });
    let lost = lost.await?;
    let heard_since = told(&browser).await?;
    lost.with_context(|| format!("it does not wait: {heard_since:?}"))?;
    let heard = told(&browser).await?.len();
    ensure!(tickets(&world) == asked, "it is not offline");
    browser.go_online().await?;
    hears(&browser, heard, "open").await?;
    is_challenged(&world, &browser).await?;
    all_was_in_order(&world).await
}

async fn after_an_hour_of_sleep_it_comes_back_without_a_passkey(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let heard = go_live(&browser, "socket").await?;
    browser.sleep()?;
    // The server's hour passes by its clock; the browser's own clocks do not count a sleep.
    let closed = wait::until(async || {
        world.pass(Duration::from_secs(11));
        Ok((world.count("connection_closed").await? == 1).then_some(()))
    });
    let closed = closed.await;
    world.pass(Duration::from_secs(3600));
    browser.wake()?;
    closed?.context("a silent connection is closed")?;
    hears(&browser, heard, "waiting").await?;
    hears(&browser, heard, "open").await?;
    is_challenged(&world, &browser).await?;
    all_was_in_order(&world).await
}

async fn a_clock_that_is_years_off_harms_nothing(kind: Kind) -> Result<()> {
    /// In the place of `years`, so many; before the module is loaded.
    const SHIFT: &str = "
        const Real = Date;
        const now = () => (years === null ? 0 : Real.now() + years * 31557600000);
        window.Date = class extends Real {
            constructor(...given) { super(...(given.length ? given : [now()])); }
            static now() { return now(); }
        };";
    let (world, browser) = visit(kind).await?;
    // Ahead, behind, and a clock that has lost its battery.
    for years in ["30", "-30", "null"] {
        browser.goto(&world.at("/theirs/")).await?;
        let true_s = browser.execute("return Math.floor(Date.now() / 1000)", &[]).await?;
        in_page(&browser, &format!("{{ const years = {years}; {SHIFT} }}")).await?;
        open(&browser).await?.context("the session's key is found")?;
        connect(&browser, "socket").await?;
        is_challenged(&world, &browser).await?;
        let asked = world.wire().exchanges_at(TICKETS);
        let claims = claims(asked.last().context("a ticket was asked for")?)?.context("with a proof")?;
        let off_s = claims["iat"].as_i64().zip(true_s.as_i64()).map(|(iat, now)| iat.abs_diff(now));
        ensure!(
            off_s.is_some_and(|off_s| off_s > 900_000_000),
            "{years} years: the proof's own time is {claims}"
        );
    }
    all_was_in_order(&world).await
}

async fn something_happens(world: &World) -> Result<()> {
    let name = "while nobody looked".to_owned();
    world.happens([Activity::PasskeyRenamed { passkey: PasskeyId::make([7; 16]), name }]).await
}

/// First it is in doubt, then proven, and only then it hears what there is to hear.
async fn comes_back_proven(browser: &Browser, from: usize, doubt: &str) -> Result<()> {
    let doubted = hears(browser, from, doubt).await?;
    let proven = hears(browser, doubted, "open").await?;
    hears(browser, proven, "data").await?;
    let told = told(browser).await?;
    let early = told.iter().take(proven).skip(doubted).find(|word| *word == "data");
    ensure!(early.is_none(), "it heard something before it was proven: {told:?}");
    Ok(())
}
