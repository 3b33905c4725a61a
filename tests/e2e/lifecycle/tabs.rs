//! Several tabs of one browser, each with a client of its own.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{Browser, Kind, Tab};
use holdfast_tests::world::World;
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;

use super::{all_was_in_order, call, go_live, hears, in_page, is_challenged, open, tickets, told, visit};

in_every_browser!(
    tabs_that_begin_at_once_wait_for_one_another_and_have_one_key,
    signing_in_anew_in_one_tab_reaches_all,
    a_tab_that_heard_nothing_of_it_is_no_thief,
    signing_out_in_one_tab_ends_all_and_none_comes_back,
);

/// Further tabs at the same page, behind the one that is driven, which is the last.
async fn tabs(world: &World, browser: &Browser, count: usize) -> Result<Vec<Tab>> {
    let mut tabs = vec![browser.tab().await?];
    while tabs.len() < count {
        tabs.push(browser.new_tab().await?);
        browser.goto(&world.at("/theirs/")).await?;
    }
    Ok(tabs)
}

async fn tabs_that_begin_at_once_wait_for_one_another_and_have_one_key(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let tabs = tabs(&world, &browser, 5).await?;
    let key = world.session_keys().await?.pop().context("a session has a key")?;
    for tab in &tabs {
        browser.switch(tab).await?;
        ensure!(open(&browser).await?.as_ref() == Some(&key), "every tab finds the key of the session");
    }
    let [others @ .., last] = tabs.as_slice() else { return Ok(()) };
    for work in ["open", "adopt"] {
        let (begun, done) = (format!("begins {work}"), format!("done {work}"));
        let mut rounds = 0;
        let all = wait::until(async || {
            browser.switch(last).await?;
            let waited = call(&browser, &format!("together('{work}', {})", others.len())).await?;
            rounds += 1;
            for tab in others {
                browser.switch(tab).await?;
                let finished = wait::until(async || {
                    let told = told(&browser).await?;
                    let times = |word: &str| told.iter().filter(|told| *told == word).count();
                    Ok((times(&begun) == rounds && times(&done) == rounds).then_some(()))
                });
                finished.await?.with_context(|| format!("a tab does not come to an end: {work}"))?;
            }
            Ok((waited == json!(others.len())).then_some(()))
        });
        all.await?.with_context(|| format!("the tabs do not wait for one another: {work}"))?;
    }
    // Whoever was the last, all agree with the store.
    browser.new_tab().await?;
    browser.goto(&world.at("/theirs/")).await?;
    let stored = open(&browser).await?.context("a key is stored")?;
    ensure!(stored != key, "the tabs made new keys");
    for tab in &tabs {
        browser.switch(tab).await?;
        let agrees = async || Ok((call(&browser, "thumbprint()").await? == json!(stored)).then_some(()));
        wait::until(agrees).await?.context("a tab has another key than is stored")?;
    }
    Ok(())
}

async fn signing_in_anew_in_one_tab_reaches_all(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let tabs = tabs(&world, &browser, 3).await?;
    let mut heard = Vec::new();
    for tab in &tabs {
        browser.switch(tab).await?;
        heard.push(go_live(&browser, "socket").await?);
    }
    // The authenticator is the first tab's.
    let [first, others @ ..] = tabs.as_slice() else { return Ok(()) };
    browser.switch(first).await?;
    let before = world.session_keys().await?;
    ensure!(call(&browser, "signIn()").await? == json!("stored"));
    let after = world.session_keys().await?;
    ensure!(after.len() == 1 && after != before, "one session, with the new key: {after:?}");
    for (tab, heard) in others.iter().zip(heard.into_iter().skip(1)) {
        browser.switch(tab).await?;
        hears(&browser, heard, "status key-replaced").await?;
        hears(&browser, heard, "connecting").await?;
        ensure!(json!(after.first()) == call(&browser, "thumbprint()").await?);
        let again = async || {
            Ok(told(&browser).await?.last().filter(|word| *word == "open" || *word == "data").map(|_| ()))
        };
        wait::until(again).await?.context("a tab does not come back")?;
        ensure!(!told(&browser).await?.iter().any(|word| word.starts_with("closed")), "a tab signed out");
    }
    ensure!(world.wire().exchanges_at("/v1/login/verify").len() == 1, "one passkey for all");
    ensure!(world.count("theft_suspected").await? == 0, "a tab is no thief");
    Ok(())
}

async fn a_tab_that_heard_nothing_of_it_is_no_thief(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let tabs = tabs(&world, &browser, 2).await?;
    let [busy, lagging] = tabs.as_slice() else { return Ok(()) };
    open(&browser).await?;
    browser.switch(busy).await?;
    in_page(&browser, "BroadcastChannel.prototype.postMessage = () => {}").await?;
    open(&browser).await?;
    call(&browser, "signIn()").await?;

    browser.switch(lagging).await?;
    let before = call(&browser, "thumbprint()").await?;
    let from = world.wire().exchanges().len();
    ensure!(call(&browser, "ask('/v1/me')").await? == json!("200"));
    let refused = world.wire().exchanges().into_iter().skip(from).filter(|exchange| exchange.status == 401);
    ensure!(refused.count() > 0, "it had the new key before it asked");
    ensure!(told(&browser).await? == ["status key-replaced"], "{:?}", told(&browser).await?);
    ensure!(call(&browser, "thumbprint()").await? != before);
    ensure!(world.count("theft_suspected").await? == 0, "a tab is no thief");
    ensure!(world.count("cookie_without_key").await? == 0, "a tab has its key");
    Ok(())
}

async fn signing_out_in_one_tab_ends_all_and_none_comes_back(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let tabs = tabs(&world, &browser, 3).await?;
    let mut heard = Vec::new();
    for tab in &tabs {
        browser.switch(tab).await?;
        heard.push(go_live(&browser, "socket").await?);
    }
    is_challenged(&world, &browser).await?;
    call(&browser, "signOut()").await?;
    let asked = tickets(&world);
    for (tab, heard) in tabs.iter().zip(heard) {
        browser.switch(tab).await?;
        hears(&browser, heard, "ended signed_out").await?;
        hears(&browser, heard, "closed 4403").await?;
        ensure!(call(&browser, "thumbprint()").await?.is_null(), "a tab kept its key");
        // Neither the network nor the person brings back what needs a sign-in.
        browser.execute("dispatchEvent(new Event('online')); window.page.retry();", &[]).await?;
        call(&browser, "settle()").await?;
    }
    ensure!(tickets(&world) == asked, "a connection that ended for good was tried again");
    let refused = browser.execute("window.page.connect('socket')", &[]).await;
    ensure!(refused.is_err(), "a connection without a key");
    all_was_in_order(&world).await
}
