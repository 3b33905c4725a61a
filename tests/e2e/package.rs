//! The npm package `@holdfast/pop` in a page of somebody else's, against the real server.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use holdfast_tests::browser::{AuthenticatorOptions, Kind};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde_json::{Value, json};

in_every_browser!(the_package_has_the_shapes_of_the_web);

async fn the_package_has_the_shapes_of_the_web(kind: Kind) -> Result<()> {
    let world = World::beside(their_console()).await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/theirs/")).await?;
    let script = "const { results } = await import('/theirs/suite.mjs'); return await results();";
    let results = browser.execute_async(script, &[]).await?;
    let results = results.as_object().context("the suite answers with its results")?;
    let failed: Vec<_> = results.iter().filter(|(_, result)| **result != json!("ok")).collect();
    ensure!(failed.is_empty(), "{failed:#?}");
    ensure!(results.len() > 10, "only {} checks: {results:?}", results.len());
    Ok(())
}

/// A page without any policy, the package, and the checks.
fn their_console() -> Router {
    Router::new()
        .route("/theirs/", get(|| async { Html("<!doctype html><title>Their console</title>") }))
        .route("/theirs/suite.mjs", get(|| async { script(include_str!("package.mjs").into()) }))
        .route("/theirs/elsewhere", get(|| async { Redirect::to("/v1/me") }))
        .route("/theirs/pop/{file}", get(|Path(file): Path<String>| async move { packaged(&file) }))
}

fn packaged(file: &str) -> Response {
    let folder: PathBuf = match std::env::var_os("HOLDFAST_POP_PACKAGE") {
        Some(folder) => folder.into(),
        None => [env!("CARGO_MANIFEST_DIR"), "..", "target", "npm", "pop"].iter().collect(),
    };
    let known = ["index.mjs", "holdfast_pop.js", "holdfast_pop_bg.wasm"].contains(&file);
    match fs::read(folder.join(file)) {
        Ok(bytes) if known && file.ends_with(".wasm") => {
            ([(header::CONTENT_TYPE, "application/wasm")], bytes).into_response()
        }
        Ok(bytes) if known => script(bytes),
        _ => (StatusCode::NOT_FOUND, "`cargo xtask module` makes it").into_response(),
    }
}

fn script(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript")], text).into_response()
}
