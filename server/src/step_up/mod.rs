//! The log of step-ups, for its owner to read. How one is asked for, confirmed and spent is the kernel's
//! ([`crate::elevation`]), since every slice has actions.

use crate::{
    access::SignedIn,
    app::App,
    audit,
    problem::{Refusal, Result},
};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::Uri,
    routing::get,
};
use holdfast_protocol::{
    problem::Code,
    step_up::{Group, StepUpLog},
};
use serde::Deserialize;

pub fn routes() -> Router<App> {
    Router::new().route("/v1/security/stepup-log", get(log))
}

/// The query, as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedQuery {
    filter: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
}

/// `GET /v1/security/stepup-log?filter=&before=&limit=`: the newest first.
async fn log(State(app): State<App>, SignedIn(session): SignedIn, uri: Uri) -> Result<Json<StepUpLog>> {
    let Query(asked) = Query::<UncheckedQuery>::try_from_uri(&uri).map_err(|_| Code::InvalidRequest)?;
    let window = audit::window(asked.before, asked.limit)?;
    let group = group(asked.filter.as_deref())?;
    let mut tx = app.db.read().await?;
    let events = audit::step_ups(&mut tx, &session.account, group, window.before, window.limit + 1).await?;
    let (events, more) = window.cut(events);
    Ok(Json(StepUpLog { events, more, switched_off: app.config.step_up_off.clone() }))
}

fn group(filter: Option<&str>) -> Result<Option<Group>> {
    let Some(name) = filter.filter(|name| *name != "all") else { return Ok(None) };
    let known = || Group::ALL.map(Group::as_str).join("`, `");
    let group = Group::parse(name).ok_or_else(|| {
        Refusal::with_detail(Code::InvalidRequest, format!("`filter` is `all`, `{}`.", known()))
    })?;
    Ok(Some(group))
}
