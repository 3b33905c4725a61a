//! Recovery codes: the server has verifiers only, and of these only hashes.

mod rules;
mod store;

use crate::{
    access::{self, SignedIn},
    app::App,
    audit::{self, Event},
    me,
    problem::Result,
    wire::Json,
};
use axum::{Router, extract::State, routing::post};
use holdfast_protocol::{
    history::Activity,
    problem::Code,
    recovery::{RecoveryCodesRequest, RecoveryCodesView},
};

pub fn routes() -> Router<App> {
    Router::new().route("/v1/recovery-codes", post(put_in_force))
}

/// `POST /v1/recovery-codes`: the first list of an account.
async fn put_in_force(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(request): Json<RecoveryCodesRequest>,
) -> Result<axum::Json<RecoveryCodesView>> {
    let hashes = rules::hashes(&request)?;
    let now_ms = app.clock.unix_ms();
    let mut tx = access::write_as(&app, &session).await?;
    if !store::insert_list(&mut tx, &session.account, &hashes, now_ms).await? {
        return Err(Code::RecoveryCodesExist.into());
    }
    let event = Event {
        account: &session.account,
        what: Activity::RecoveryCodesCreated,
        device: Some(&session.device),
        session: Some(&session.id),
        at_ms: now_ms,
    };
    audit::record(&mut tx, event).await?;
    let view = me::recovery_codes(&mut tx, &session.account).await?.ok_or(Code::Internal)?;
    tx.commit(&app.live).await?;
    Ok(axum::Json(view))
}
