//! Consoles of somebody else's that hold nothing of ours but the npm package: each shows a live connection.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use holdfast_tests::browser::{AuthenticatorOptions, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;

use crate::package::their_console;

in_every_browser!(a_page_without_a_bundler_is_live, a_page_of_vite_and_react_is_live);

async fn a_page_without_a_bundler_is_live(kind: Kind) -> Result<()> {
    is_live(kind, "/plain").await
}

async fn a_page_of_vite_and_react_is_live(kind: Kind) -> Result<()> {
    is_live(kind, "/built/index.html").await
}

async fn is_live(kind: Kind, path: &str) -> Result<()> {
    let theirs = their_console()
        .route("/plain", get(|| async { Html(include_str!("integrators.html")) }))
        .route("/built/{*file}", get(|Path(file): Path<String>| async move { built(&file) }));
    let world = World::beside(theirs).await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    browser.goto(&world.at(path)).await?;
    let status = browser.by_role(Role::Status, Name::Any);
    status.says("The stream is open, proofs: 1").await?;
    // Challenged again, and not only opened.
    world.pass(Duration::from_secs(36));
    status.says("The stream is open, proofs: 2").await?;
    world.assert_no_violations(&browser).await
}

/// What Vite has made of `tests/vite`.
fn built(file: &str) -> Response {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "target", "vite", "dist"].iter().collect();
    let kind = match file.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    match fs::read(folder.join(file)).context("`cargo xtask test --only browser-tests` makes it") {
        Ok(bytes) if !file.contains("..") => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::NOT_FOUND, format!("{error:#}")).into_response(),
    }
}
