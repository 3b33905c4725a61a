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
use serde_json::json;

in_every_browser!(the_package_has_the_shapes_of_the_web);

async fn the_package_has_the_shapes_of_the_web(kind: Kind) -> Result<()> {
    let world = World::beside(their_console()).await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at("/theirs/")).await?;
    let names = "window.suite = await import('/theirs/suite.mjs'); return window.suite.names;";
    let names = browser.execute_async(names, &[]).await?;
    let names = names.as_array().context("the suite has names")?;
    ensure!(names.len() > 10, "only {} checks: {names:?}", names.len());
    let mut failed = Vec::new();
    for name in names {
        let run = "return await window.suite.run(arguments[0]);";
        let result = browser.execute_async(run, std::slice::from_ref(name)).await?;
        if result != json!("ok") {
            failed.push((name, result));
        }
    }
    ensure!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

/// A page without any policy, the package, and the checks.
pub(crate) fn their_console() -> Router {
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
    let known = ["index.mjs", "holdfast_pop_bg.wasm"].contains(&file);
    match fs::read(folder.join(file)) {
        Ok(bytes) if known && file.ends_with(".wasm") => {
            ([(header::CONTENT_TYPE, "application/wasm")], bytes).into_response()
        }
        Ok(bytes) if known => script(bytes),
        _ => (StatusCode::NOT_FOUND, "`cargo xtask module` makes it").into_response(),
    }
}

pub(crate) fn script(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript")], text).into_response()
}
