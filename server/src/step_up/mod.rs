//! The log of step-ups, for its owner to read. How one is asked for, confirmed and spent is the kernel's
//! ([`crate::elevation`]), since every slice has actions.

use crate::{
    access::SignedIn,
    app::App,
    audit,
    db::Tx,
    names,
    problem::{Refusal, Result},
    webauthn,
};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::Uri,
    routing::get,
};
use holdfast_protocol::{
    history::ActivityEvent,
    ids::AccountId,
    problem::Code,
    step_up::{Claim, Group, StepUpLog},
};
use serde::Deserialize;
use std::collections::HashMap;

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
    let claims = claims(&mut tx, &session.account, &events).await?;
    Ok(Json(StepUpLog { events, more, switched_off: app.config.step_up_off.clone(), claims }))
}

/// What was confirmed with a passkey whose provider claims to have verified the person. The kept evidence tells which
/// passkey it was; it is read only where the account has, or had, one of these.
async fn claims(tx: &mut Tx, account: &AccountId, events: &[ActivityEvent]) -> Result<Vec<Claim>> {
    let models = webauthn::store::models(tx, account).await?.into_iter();
    let claiming: HashMap<Vec<u8>, &str> =
        models.filter_map(|(id, aaguid)| Some((id, names::claiming_provider(&aaguid)?))).collect();
    let (Some(newest), Some(oldest)) = (events.first(), events.last()) else { return Ok(Vec::new()) };
    if claiming.is_empty() {
        return Ok(Vec::new());
    }
    let signed = audit::signed_with(tx, account, [oldest.id, newest.id]).await?.into_iter();
    // Of one filter's entries others lie between.
    let shown = signed.filter(|(id, _)| events.iter().any(|event| event.id == *id));
    let claimed = shown.filter_map(|(event, credential)| {
        Some(Claim { event, provider: (*claiming.get(&credential.0)?).to_owned() })
    });
    Ok(claimed.collect())
}

fn group(filter: Option<&str>) -> Result<Option<Group>> {
    let Some(name) = filter.filter(|name| *name != "all") else { return Ok(None) };
    let known = || Group::ALL.map(Group::as_str).join("`, `");
    let group = Group::parse(name).ok_or_else(|| {
        Refusal::with_detail(Code::InvalidRequest, format!("`filter` is `all`, `{}`.", known()))
    })?;
    Ok(Some(group))
}
