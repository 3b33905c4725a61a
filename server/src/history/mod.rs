//! What happened in an account, for its owner to read. How the trail is written and read is the
//! kernel's ([`crate::audit`]), since the live stream reads it too.

use crate::{access::SignedIn, app::App, audit, problem::Result};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::Uri,
    routing::get,
};
use holdfast_protocol::{history::ActivityPage, problem::Code};
use serde::Deserialize;

pub fn routes() -> Router<App> {
    Router::new().route("/v1/activity", get(activity))
}

/// The query, as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedWindow {
    before: Option<i64>,
    limit: Option<u32>,
}

/// `GET /v1/activity?before=&limit=`: the newest first.
async fn activity(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    uri: Uri,
) -> Result<Json<ActivityPage>> {
    let Query(asked) = Query::<UncheckedWindow>::try_from_uri(&uri).map_err(|_| Code::InvalidRequest)?;
    let window = audit::window(asked.before, asked.limit)?;
    let mut tx = app.db.read().await?;
    // One more than is shown tells whether older ones exist.
    let events = audit::page(&mut tx, &session.account, window.before, window.limit + 1).await?;
    let (events, more) = window.cut(events);
    Ok(Json(ActivityPage { events, more }))
}
