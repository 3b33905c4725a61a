//! What browsers do to the key store: a key in memory for this page's life, and the status says so.

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde_json::json;

use super::{call, connect, console, hears, in_page, is_challenged, open, told, visit};

in_every_browser!(
    a_record_that_is_no_key_leads_to_signing_in,
    a_store_that_refuses_leaves_a_key_in_memory_and_says_so,
    a_store_that_somebody_blocks_hangs_nothing,
    our_page_leads_a_key_in_memory_to_no_other_document,
    a_private_window_is_told_how_long_its_key_lives,
);

async fn a_record_that_is_no_key_leads_to_signing_in(kind: Kind) -> Result<()> {
    const CORRUPT: &str = "
        const opened = indexedDB.open('holdfast-pop');
        const settled = (request) => new Promise((done, fail) => {
            request.onsuccess = () => done(request.result);
            request.onerror = () => fail(request.error);
        });
        const database = await settled(opened);
        const keys = database.transaction('keys', 'readwrite').objectStore('keys');
        const record = await settled(keys.get('current'));
        await settled(keys.put({ ...record, privateKey: record.x }, 'current'));
        database.close();";
    let (world, browser) = visit(kind).await?;
    browser.execute_async(CORRUPT, &[]).await?;
    // Their page, and ours.
    ensure!(open(&browser).await?.is_none(), "what is no key was taken for one");
    browser.goto(world.origin()).await?;
    browser.by_role(Role::Heading, "Welcome back.").appears().await?;
    browser.page_says("This browser no longer has the key of its session.").await?;
    world.sign_in(&browser).await?;
    browser.goto(&world.at("/theirs/")).await?;
    open(&browser).await?.context("a key is stored again")?;
    ensure!(world.count("theft_suspected").await? == 0, "a broken disk is no thief");
    Ok(())
}

/// Signs in without a store: the key works, the person is told, and a page without `trouble` finds none.
async fn lives_in_memory(world: &World, browser: &Browser) -> Result<()> {
    open(browser).await?;
    ensure!(call(browser, "signIn()").await? == json!("memory-only"));
    ensure!(told(browser).await? == ["status memory-only"], "{:?}", told(browser).await?);
    connect(browser, "socket").await?;
    is_challenged(world, browser).await?;
    ensure!(world.count("theft_suspected").await? == 0, "a browser without a disk is no thief");
    Ok(())
}

async fn a_store_that_refuses_leaves_a_key_in_memory_and_says_so(kind: Kind) -> Result<()> {
    /// A browser that clones no keys, and a disk that is full when the transaction is committed: neither can
    /// be had for real, since both browsers report and give gigabytes whatever their quota is set to.
    const TROUBLES: [&str; 2] = [
        "IDBObjectStore.prototype.put = () => { throw new DOMException('no keys', 'DataCloneError'); };",
        "IDBObjectStore.prototype.put = function () {
            const request = this.get('current');
            request.onsuccess = () => request.transaction.abort();
            return request;
        };",
    ];
    let (world, browser) = visit(kind).await?;
    for trouble in TROUBLES {
        browser.goto(&world.at("/theirs/")).await?;
        in_page(&browser, trouble).await?;
        lives_in_memory(&world, &browser).await.with_context(|| format!("with {trouble:?}"))?;
        browser.reload().await?;
        ensure!(
            open(&browser).await?.is_none(),
            "a reload must find no key rather than an earlier session's"
        );
    }
    Ok(())
}

/// Holds the database open and has it deleted: everybody else waits until that is done.
const BLOCK: &str = "
    const opened = indexedDB.open('holdfast-pop');
    await new Promise((done) => (opened.onsuccess = done));
    window.held = opened.result;
    const deleting = indexedDB.deleteDatabase('holdfast-pop');
    await new Promise((done) => (deleting.onblocked = done));";

async fn a_store_that_somebody_blocks_hangs_nothing(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    browser.execute_async(BLOCK, &[]).await?;
    lives_in_memory(&world, &browser).await?;
    // The block is lifted: what the module had given up waiting for comes, and keeps nothing open.
    const DELETE: &str = "
        window.held.close();
        const deleting = indexedDB.deleteDatabase('holdfast-pop');
        await new Promise((done) => (deleting.onsuccess = done));";
    browser.execute_async(DELETE, &[]).await.context("the module keeps its database open")?;
    ensure!(call(&browser, "signIn()").await? == json!("stored"));
    browser.reload().await?;
    open(&browser).await?.context("the key survives a reload")?;
    Ok(())
}

async fn our_page_leads_a_key_in_memory_to_no_other_document(kind: Kind) -> Result<()> {
    const LINKS: [(&str, &str); 3] = [
        ("Passkeys", "Add, test or remove"),
        ("Recovery codes", "Replace them"),
        ("Activity", "Confirmations"),
    ];
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.tell_name_and_address(&browser).await?;
    browser.execute_async(BLOCK, &[]).await?;
    browser.by_role(Role::Button, "Create my passkey").click().await?;
    world.keep_codes(&browser).await?;
    browser.by_role(Role::Button, "Open your security page").click().await?;
    world.security_page_is_live(&browser).await?;
    browser.page_says("This browser would not keep its key.").await?;
    browser.by_role(Role::Region, "Passkeys").says("in use").await?;
    let left = browser.execute("return document.querySelectorAll('a[href^=\"/console\"]').length", &[]);
    ensure!(left.await? == json!(0), "a link ends the session");
    // Who signs in again with a store that works has all of them.
    browser.execute("window.held.close()", &[]).await?;
    browser.reload().await?;
    world.sign_in(&browser).await?;
    for (region, link) in LINKS {
        browser.by_role(Role::Region, region).by_role(Role::Link, link).appears().await?;
    }
    Ok(())
}

async fn a_private_window_is_told_how_long_its_key_lives(kind: Kind) -> Result<()> {
    let world = World::beside(console()).await?;
    let browser = Browser::start_private(kind).await?;
    world.without_autofill(&browser).await?;
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/theirs/")).await?;
    open(&browser).await?;
    let kept = call(&browser, "signIn()").await?;
    let said = told(&browser).await?.iter().any(|word| word == "status memory-only");
    ensure!(said == (kept == json!("memory-only")), "{kept}: {:?}", told(&browser).await?);
    let heard = connect(&browser, "socket").await?;
    is_challenged(&world, &browser).await?;
    hears(&browser, heard, "open").await?;
    browser.reload().await?;
    ensure!(open(&browser).await?.is_none() == said, "{kept}, and a reload says otherwise");
    Ok(())
}
