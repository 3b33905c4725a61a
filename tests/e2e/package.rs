//! The npm package `@holdfast/pop` in a page of somebody else's, against the real server: the same checks
//! in a window and in every kind of worker. Each test is a cell of the table in pop-wasm/README.md.

mod beside;
mod theirs;

#[path = "../../server/tests/suite/support/soft_passkey.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "shared with the server's suite, which uses all of it")]
mod soft_passkey;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use holdfast_protocol::passkeys::RegistrationOptions;
use holdfast_server::entropy::Entropy;
use holdfast_tests::browser::{Browser, Kind};
use holdfast_tests::world::{Over, World};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use soft_passkey::SoftPasskey;

/// Mounts the suite once for each browser and place.
macro_rules! in_every_place {
    ($($browser:ident $kind:ident: $($place:ident)+;)+) => {
        $(mod $browser {
            $(
                #[tokio::test]
                async fn $place() -> anyhow::Result<()> {
                    super::holds(holdfast_tests::browser::Kind::$kind, stringify!($place)).await
                }
            )+
        })+
    };
}

in_every_place! {
    chromium Chromium: window dedicated_worker shared_worker service_worker;
    firefox Firefox: window dedicated_worker shared_worker service_worker;
    webkit WebKit: window dedicated_worker shared_worker service_worker;
}

async fn holds(kind: Kind, place: &str) -> Result<()> {
    let over = match kind {
        Kind::Chromium | Kind::Firefox => Over::Plain,
        Kind::WebKit => Over::Tls,
    };
    let world = World::reached(over, their_console(), theirs::streams).await?;
    let browser = world.browser(kind).await?;
    browser.goto(&world.at("/theirs/")).await?;
    let suite = Suite::at(place, &browser).await?;

    suite.run("unloaded").await?;
    let kept = suite.sign_up(&world).await.context("sign up")?;
    // It clones no key in a shared worker, so that none can be stored.
    let clones = (kind, place) != (Kind::WebKit, "shared_worker");
    ensure!(kept == if clones { "stored" } else { "memory-only" }, "the key is {kept}");
    let looked = suite.run("signedIn").await?;
    ensure!(looked > 100, "only {looked} things were looked at");
    Ok(())
}

/// `package.mjs`, in one place of a browser.
struct Suite<'browser> {
    browser: &'browser Browser,
}

impl<'browser> Suite<'browser> {
    async fn at(place: &str, browser: &'browser Browser) -> Result<Self> {
        let load = "window.suite = await window.at(arguments[0]);";
        browser.execute_async(load, &[json!(place)]).await?;
        let suite = Self { browser };
        let found: String = suite.ask("where", &[]).await?;
        ensure!(place.replace('_', "").eq_ignore_ascii_case(&found), "{place} is {found}");
        Ok(suite)
    }

    /// Calls one of its functions.
    async fn ask<T: DeserializeOwned>(&self, what: &str, given: &[Value]) -> Result<T> {
        let ask = "return await window.suite(arguments[0], ...arguments[1]);";
        let answer = self.browser.execute_async(ask, &[json!(what), json!(given)]).await;
        Ok(serde_json::from_value(answer.with_context(|| format!("ask for {what}"))?)?)
    }

    /// Makes the account, with a key of this place and an authenticator that is no browser's. Gives where
    /// the key is kept.
    async fn sign_up(&self, world: &World) -> Result<String> {
        let options: RegistrationOptions = self.ask("begin", &[json!(world.setup_token())]).await?;
        let mut passkey = SoftPasskey::at(world.origin(), &Entropy::system());
        let credential = passkey.register(&options, |_| {});
        self.ask("finish", &[serde_json::to_value(credential)?]).await
    }

    /// Runs the checks of this group, each also after a failure. Gives how much was looked at for keys.
    async fn run(&self, group: &str) -> Result<u64> {
        #[derive(Deserialize)]
        struct Outcome {
            result: String,
            looked: u64,
        }
        let (mut failed, mut all) = (Vec::new(), 0);
        for name in self.ask::<Vec<String>>(group, &[]).await? {
            let Outcome { result, looked } = self.ask("run", &[json!(name)]).await?;
            all += looked;
            if result != "ok" {
                failed.push((name, result));
            }
        }
        ensure!(failed.is_empty(), "{failed:#?}");
        Ok(all)
    }
}

/// A page without any policy, the package, and the checks.
pub(crate) fn their_console() -> Router {
    const SCRIPTS: [(&str, &str); 6] = [
        ("/theirs/suite.mjs", include_str!("package.mjs")),
        ("/theirs/checks.mjs", include_str!("package/checks.mjs")),
        ("/theirs/traffic.mjs", include_str!("package/traffic.mjs")),
        ("/theirs/page.mjs", include_str!("package/page.mjs")),
        ("/theirs/reach.mjs", include_str!("package/reach.mjs")),
        ("/theirs/worker.mjs", include_str!("package/worker.mjs")),
    ];
    let site = Router::new()
        .route("/theirs/", get(|| async { Html(include_str!("package/page.html")) }))
        .route("/theirs/elsewhere", get(|| async { Redirect::to("/v1/me") }))
        .route("/theirs/pop/{file}", get(|Path(file): Path<String>| async move { packaged(&file) }));
    SCRIPTS.into_iter().fold(site, |site, (path, text)| {
        site.route(path, get(move || async move { script(text.as_bytes().to_vec()) }))
    })
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
