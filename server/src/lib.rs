//! The Holdfast server. [`router`] makes the whole of it from a configuration, a database, a clock
//! and a source of randomness, so that tests can have all four in their hands. An application of its own
//! puts its streams behind the same proof with [`pop::layer`].

// In reading order: the program, what requests pass through, what they share, then the slices.

pub mod app;
pub mod config;
pub mod listen;
pub mod settings;

pub mod access;
pub mod page;
pub mod problem;
pub mod wire;

pub mod audit;
pub mod ceremony;
pub mod clock;
pub mod db;
pub mod elevation;
pub mod entropy;
pub mod ledger;
pub mod limits;
pub mod live;
pub mod mail;
pub mod me;
pub mod names;
pub mod openapi;
pub mod pop;
pub mod readiness;
pub mod secrets;
pub mod tokens;
pub mod vault;
pub mod webauthn;

pub mod account;
pub mod agents;
pub mod connections;
pub mod credentials;
pub mod device;
pub mod history;
pub mod passkeys;
pub mod recovery;
pub mod step_up;
pub mod terminal;
pub mod wallet;

pub mod verify_log;

use app::App;
use axum::{
    Json, Router, middleware,
    routing::{get, post},
};
use holdfast_protocol::problem::Code;
use problem::Refusal;
use serde_json::{Value, json};

/// Every address, with what all requests pass through.
pub fn router(app: App) -> Router {
    let api = Router::new()
        .merge(account::routes())
        .merge(passkeys::routes())
        .merge(recovery::routes())
        .merge(history::routes())
        .merge(step_up::routes())
        .merge(wallet::routes())
        .merge(credentials::routes())
        .merge(credentials::agent_routes::<access::Agent>())
        .merge(terminal::routes(&app))
        .merge(agents::routes())
        .merge(device::routes())
        .merge(connections::routes(&app))
        .route("/v1/health", get(health))
        .route(page::CSP_REPORT_PATH, post(page::csp_report))
        .route("/.well-known/webauthn", get(passkeys::related_origins))
        .method_not_allowed_fallback(|| async { Refusal::from(Code::MethodNotAllowed) })
        .layer(middleware::from_fn_with_state(app.clone(), access::hand_out_nonce));
    api.merge(openapi::routes())
        .fallback(page::serve)
        .layer(middleware::from_fn_with_state(app.clone(), access::require_own_origin))
        .layer(middleware::from_fn_with_state(app.clone(), page::guard))
        .with_state(app)
}

/// `GET /v1/health`: whether the database answers.
async fn health(axum::extract::State(app): axum::extract::State<App>) -> problem::Result<Json<Value>> {
    let tx = app.db.read().await.map_err(|_| Refusal::retry_after(Code::Unavailable, 2))?;
    tx.commit(&app.live).await.map_err(|_| Refusal::retry_after(Code::Unavailable, 2))?;
    Ok(Json(json!({ "status": "ok" })))
}
