//! Pairing: an agent asks and gets a code and a secret; its owner types the code, sees who asks for what, and
//! approves (`actions.rs`); the agent fetches its token with the secret, and its first use ends the pairing.

use super::{rules, store};
use crate::{
    access::SignedIn,
    app::{App, stored},
    me::wire_ms,
    problem::{Refusal, Result},
    secrets::sha256,
    wire::{Json, label},
};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::request::Parts,
};
use holdfast_protocol::{
    agents::{Claim, ClaimRequest, Pairing, PairingRequest, PairingView},
    base64url::Bytes,
    ids::{AgentId, PairingCode},
    problem::Code,
};

/// How long a code waits for its owner.
const LIVES_MS: i64 = 10 * 60_000;
const POLL_EVERY_S: u32 = 5;

/// `POST /v1/agents/pairings`.
pub(super) async fn ask(
    State(app): State<App>,
    parts: Parts,
    Json(request): Json<PairingRequest>,
) -> Result<axum::Json<Pairing>> {
    let source = app.source(&parts);
    app.limits.pairing.check(&source)?;
    let (now_ms, secret) = (app.clock.unix_ms(), app.entropy.make::<32>());
    let new = store::NewPairing {
        code: PairingCode::make(app.entropy.make()),
        agent: AgentId::make(app.entropy.make()),
        secret_hash: sha256(&secret),
        name: label(&request.name, "An agent's name")?,
        scope: request.scope,
        budget_micros: request.budget.micros(),
        source,
        asked_at_ms: now_ms,
        expires_at_ms: now_ms.saturating_add(LIVES_MS),
    };
    let mut tx = app.db.write().await?;
    store::insert_pairing(&mut tx, &new).await?;
    tx.commit(&app.live).await?;
    Ok(axum::Json(Pairing {
        agent: new.agent,
        code: new.code,
        secret: Bytes(secret.to_vec()),
        expires_at_ms: wire_ms(new.expires_at_ms),
        poll_every_s: POLL_EVERY_S,
    }))
}

/// `GET /v1/agents/pairings/{code}`: for the owner, who does not try codes by the thousand.
pub(super) async fn look(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    parts: Parts,
    code: std::result::Result<Path<String>, PathRejection>,
) -> Result<axum::Json<PairingView>> {
    app.limits.code.check(&app.config.keys.mac("limits/code", session.account.as_str().as_bytes()))?;
    let source = app.source(&parts);
    app.limits.code.check(&source)?;
    let none = || {
        let detail = "No agent waits with this code. A code lives for ten minutes; let the agent ask again.";
        Refusal::with_detail(Code::NotFound, detail)
    };
    let Path(code) = code.map_err(|_| none())?;
    let code = PairingCode::parse(&code).map_err(|_| none())?;
    let mut tx = app.db.look().await?;
    let row = store::open_pairing(&mut tx, &code, app.clock.unix_ms()).await?.ok_or_else(none)?;
    Ok(axum::Json(rules::pairing_view(code, row, &source)?))
}

/// `POST /v1/agents/pairings/claim`: the token is made now and told once; only its hash is kept. Whoever lost the
/// answer asks again, and gets another in its place.
pub(super) async fn claim(
    State(app): State<App>,
    parts: Parts,
    Json(request): Json<ClaimRequest>,
) -> Result<axum::Json<Claim>> {
    app.limits.pairing.check(&app.source(&parts))?;
    let (secret_hash, now_ms) = (sha256(&request.secret.0), app.clock.unix_ms());
    let mut tx = app.db.look().await?;
    let account = match store::progress(&mut tx, &secret_hash, now_ms).await? {
        None => return Err(Code::PairingGone.into()),
        Some(store::Progress::Waits) => return Ok(axum::Json(Claim::Pending)),
        Some(store::Progress::ApprovedBy(account)) => account,
    };
    drop(tx);

    let token = app.entropy.make_text();
    let mut tx = app.db.write().await?;
    // Of two that claim at once, the second's token is good. What was revoked or used meanwhile has none.
    let agent = store::give_token(&mut tx, &secret_hash, &stored(&token), now_ms).await?;
    let agent = agent.ok_or(Code::PairingGone)?;
    let row = store::find(&mut tx, &account, &agent).await?.ok_or(Code::PairingGone)?;
    tx.commit(&app.live).await?;
    Ok(axum::Json(Claim::Approved { token, agent: rules::view(row, now_ms)? }))
}
