//! The list of passkeys and their names; adding, removing and testing one.

mod addition;
mod removal;
mod rules;
mod store;
mod test;

use crate::{
    access::{self, SignedIn},
    app::App,
    audit::{self, Event},
    elevation, names,
    problem::Result,
    wire::{Json, label},
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use holdfast_protocol::{
    history::Activity,
    passkeys::{
        Addition, EndByPasskeyRequest, ListedPasskey, PasskeyListing, PasskeyView, Removal, RenameRequest,
        Test,
    },
    problem::Code,
};
use serde_json::{Value, json};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/passkey", get(list))
        .route("/v1/passkey/rename", post(rename))
        .route("/v1/passkey/register/verify", post(addition::verify))
        .route("/v1/sessions/end-by-passkey", post(end_sessions))
        .merge(elevation::routes::<Addition>())
        .merge(elevation::routes::<Removal>())
        .merge(elevation::routes::<Test>())
}

/// `GET /v1/passkey`.
async fn list(State(app): State<App>, SignedIn(session): SignedIn) -> Result<axum::Json<PasskeyListing>> {
    let mut tx = app.db.read().await?;
    let rows = store::list(&mut tx, &session.account).await?;
    let (now_ms, cooldown) = (app.clock.unix_ms(), app.config.lifetimes.cooldown);
    let opened = access::opened_by(&mut tx, &session, &app.config.lifetimes, now_ms).await?;
    let views = rows.into_iter().map(|row| {
        let opened = opened.iter().find(|(passkey, _)| *passkey == row.id);
        let other_sessions = opened.map_or(0, |(_, count)| u32::try_from(*count).unwrap_or(u32::MAX));
        let claims_verification = names::claiming_provider(&row.aaguid).is_some();
        let view = rules::view(row, &session.passkey, now_ms, cooldown)?;
        Ok(ListedPasskey { passkey: PasskeyView { other_sessions, ..view }, claims_verification })
    });
    Ok(axum::Json(PasskeyListing { passkeys: views.collect::<Result<_>>()? }))
}

/// `POST /v1/passkey/rename`.
async fn rename(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(request): Json<RenameRequest>,
) -> Result<StatusCode> {
    let name = label(&request.name, "A name")?;
    let mut tx = access::write_as(&app, &session).await?;
    if !store::rename(&mut tx, &session.account, &request.id, &name).await? {
        return Err(Code::NotFound.into());
    }
    let event = Event {
        account: &session.account,
        what: Activity::PasskeyRenamed { passkey: request.id, name },
        device: Some(&session.device),
        session: Some(&session.id),
        at_ms: app.clock.unix_ms(),
    };
    audit::record(&mut tx, event).await?;
    tx.commit(&app.live).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/sessions/end-by-passkey`: whoever sits there has to sign in with another one.
async fn end_sessions(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(EndByPasskeyRequest { passkey }): Json<EndByPasskeyRequest>,
) -> Result<StatusCode> {
    let now_ms = app.clock.unix_ms();
    let mut tx = access::write_over_sessions(&app, &session).await?;
    store::find(&mut tx, &session.account, &passkey).await?.ok_or(Code::NotFound)?;
    let ended = access::end_by_passkey(&mut tx, &session, &passkey, &app.config.lifetimes, now_ms).await?;
    for ended in &ended {
        let event = Event {
            account: &session.account,
            what: Activity::SignedOut,
            device: Some(&session.device),
            session: Some(ended),
            at_ms: now_ms,
        };
        audit::record(&mut tx, event).await?;
    }
    tx.commit(&app.live).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /.well-known/webauthn`: other origins that may use this relying-party id (WebAuthn Level 3,
/// section 5.11), where the operator has configured any.
pub async fn related_origins(State(app): State<App>) -> Result<axum::Json<Value>> {
    if app.config.related_origins.is_empty() {
        return Err(Code::NotFound.into());
    }
    Ok(axum::Json(json!({ "origins": app.config.related_origins })))
}
