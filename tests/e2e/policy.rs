//! What the browser is told to refuse, and that it does.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::response::Html;
use axum::routing::get as on_get;
use holdfast_tests::browser::{AuthenticatorOptions, Kind, Role};
use holdfast_tests::world::{Wire, World};
use holdfast_tests::{in_every_browser, wait};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::asking::{Asked, ask, get, post};

in_every_browser!(
    the_policy_is_strict,
    a_script_that_writes_markup_is_stopped_and_reported,
    a_changed_wasm_file_is_not_run,
    a_changed_script_is_not_run,
    no_other_site_frames_the_page,
    no_other_site_asks_for_anything,
    what_is_not_there_says_so,
);

async fn the_policy_is_strict(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    browser.goto(world.origin()).await?;
    browser.arrives_at("/setup").await?;
    const HEADERS: &str = "
        const response = await fetch(arguments[0]);
        return Object.fromEntries(response.headers);";
    for path in ["/", "/security", "/sign-in"] {
        let headers = browser.execute_async(HEADERS, &[json!(path)]).await?;
        let policy = headers["content-security-policy"].as_str().context("there is a policy")?;
        for part in [
            "default-src 'none'",
            "script-src 'nonce-",
            "'strict-dynamic' 'wasm-unsafe-eval'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            "report-uri /v1/csp-report",
        ] {
            ensure!(policy.contains(part), "{part} is not in {policy}");
        }
        for hole in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:"] {
            ensure!(!policy.contains(hole), "{hole} is in {policy}");
        }
        ensure!(
            headers["x-content-type-options"] == "nosniff" && headers["referrer-policy"] == "no-referrer"
        );
        ensure!(headers["cross-origin-opener-policy"] == "same-origin");
    }
    let nonces = browser.execute_async(
        "const one = async () => /nonce-([^']+)/.exec((await fetch('/')).headers.get('content-security-policy'))[1];
        return [await one(), await one()];",
        &[],
    );
    let nonces = nonces.await?;
    ensure!(nonces[0] != nonces[1], "each response has a nonce of its own");
    world.assert_no_violations(&browser).await
}

async fn a_script_that_writes_markup_is_stopped_and_reported(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    browser.goto(world.origin()).await?;
    browser.arrives_at("/setup").await?;
    const WRITE: &str = "
        try { document.body.innerHTML = '<p>written</p>'; return 'written'; } catch (error) { return error.name; }";
    let outcome = browser.execute(WRITE, &[]).await?;
    ensure!(outcome == json!("TypeError"), "{outcome}");
    ensure!(!browser.visible_text().await?.contains("written"));
    let report = world.wire().sees(0, |exchange| exchange.path == "/v1/csp-report").await?;
    ensure!(report.status == 204 && report.json()?.to_string().contains("trusted-types"), "{report:?}");
    let seen = wait::until(async || Ok((!browser.violations().await?.is_empty()).then_some(())));
    seen.await?.context("the browser says so, too")?;

    // An inline script does not run either, whoever puts it there.
    const INLINE: &str = "
        const script = document.createElement('script');
        try { script.text = 'window.ran = true'; } catch { return false; }
        document.body.append(script);
        return window.ran === true;";
    ensure!(browser.execute(INLINE, &[]).await? == json!(false));
    Ok(())
}

/// The words of index.html for a page that did not arrive as it was published.
const ALTERED: &str = "This page did not arrive as it was published. Nothing was run.";

async fn a_changed_wasm_file_is_not_run(kind: Kind) -> Result<()> {
    a_changed_file_is_not_run(kind, "_bg.wasm").await
}

async fn a_changed_script_is_not_run(kind: Kind) -> Result<()> {
    a_changed_file_is_not_run(kind, ".js").await
}

async fn a_changed_file_is_not_run(kind: Kind, file: &'static str) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    world.wire().spoil(file);
    browser.goto(world.origin()).await?;
    browser.page_says(ALTERED).await?;
    let asked = world.wire().exchanges().into_iter().filter(|exchange| exchange.path.starts_with("/v1/"));
    ensure!(asked.count() == 0, "the app did not start");

    // The sentence offers a way on. The browser was told to keep the file for a year: it has to be
    // fetched anew before a reload can help.
    let again =
        |wire: &Wire| wire.exchanges().iter().filter(|exchange| exchange.path.ends_with(file)).count();
    let fetched = wait::until(async || Ok((again(world.wire()) >= 2).then_some(())));
    fetched.await?.context("the spoilt copy stays in the cache")?;
    browser.by_role(Role::Link, "Reload").click().await?;
    browser.by_role(Role::Textbox, "Your name").appears().await
}

async fn no_other_site_frames_the_page(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let markup = format!(
        "<!doctype html><title>Other</title><h1>Other site</h1><iframe src='{}'></iframe>",
        world.origin()
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let site = Router::new().route("/", on_get(move || async move { Html(markup) }));
    tokio::spawn(async move { axum::serve(listener, site).await });
    browser.goto(&format!("http://127.0.0.1:{port}/")).await?;
    world.wire().sees(0, |exchange| exchange.path == "/").await?;
    let refused = wait::until(async || Ok((!browser.complaints().await?.is_empty()).then_some(())));
    refused.await?.context("the browser refuses the frame aloud")?;
    let loaded = world.wire().exchanges().into_iter().any(|exchange| exchange.path.ends_with(".wasm"));
    ensure!(!loaded, "the page runs inside another site");
    Ok(())
}

async fn no_other_site_asks_for_anything(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let site = Router::new().route("/", on_get(|| async { Html("<!doctype html><h1>Other site</h1>") }));
    tokio::spawn(async move { axum::serve(listener, site).await });
    // The same host: its cookies are sent, and only the origin tells the two apart.
    browser.goto(&format!("http://localhost:{port}/")).await?;
    const ASK: &str = "
        const options = { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' };
        await fetch(arguments[0], options).catch(() => {});";
    for path in ["/v1/logout", "/v1/login/options", "/v1/connections/tickets"] {
        browser.execute_async(ASK, &[json!(world.at(path))]).await?;
        let refused = world.wire().sees(0, |exchange| exchange.path == path && exchange.status == 403).await;
        refused.with_context(|| path.to_owned())?;
    }
    ensure!(world.session_keys().await?.len() == 1, "nobody is signed out by another site");
    Ok(())
}

async fn what_is_not_there_says_so(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    browser.goto(&world.at("/nowhere")).await?;
    browser.arrives_at("/setup").await?;
    let health = get(&browser, "/v1/health").await?;
    ensure!((health.status, health.body) == (200, json!({ "status": "ok" })));
    let contract = get(&browser, "/v1/openapi.json").await?;
    ensure!((contract.status, &contract.body["openapi"]) == (200, &json!("3.1.0")));
    // No related origins are configured.
    ensure!(get(&browser, "/.well-known/webauthn").await?.status == 404);
    let unknown = get(&browser, "/v1/nowhere").await?;
    ensure!((unknown.status, unknown.code()) == (404, "not_found"), "{unknown:?}");
    let method =
        ask(&browser, Asked { what: "DELETE /v1/me", headers: json!({}), body: Value::Null }).await?;
    ensure!(method.status == 405, "{method:?}");
    let stranger = post(&browser, "/v1/login/verify", json!({ "unknown": true })).await?;
    ensure!((stranger.status, stranger.code()) == (400, "invalid_request"), "{stranger:?}");
    world.assert_no_violations(&browser).await
}
