//! Agents: programs that work for an account, within a budget that its owner has signed.

mod actions;
mod charges;
mod pairing;
mod rules;
mod store;

pub(crate) use store::sweep;

use crate::{
    access::{self, Agent, SignedIn},
    app::App,
    audit::{self, Event},
    elevation,
    problem::Result,
    wire::Json,
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use holdfast_protocol::{
    agents::{AgentList, AgentState, AgentView, Approval, CapRequest, Revocation, Teardown},
    history::Activity,
    problem::{Code, StepUpReason},
    step_up::Kind,
    wallet::Usd,
};
use std::collections::BTreeMap;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/agents", get(list))
        .route("/v1/agents/cap", post(cap))
        .route("/v1/agents/self", get(own))
        .route("/v1/agents/pairings", post(pairing::ask))
        .route("/v1/agents/pairings/claim", post(pairing::claim))
        .route("/v1/agents/pairings/{code}", get(pairing::look))
        .route("/v1/agents/charges", post(charges::charge))
        .merge(elevation::routes::<Approval>())
        .merge(elevation::routes::<Revocation>())
        .merge(elevation::routes::<Teardown>())
}

/// `GET /v1/agents`.
async fn list(State(app): State<App>, SignedIn(session): SignedIn) -> Result<axum::Json<AgentList>> {
    let mut tx = app.db.look().await?;
    let rows = store::list(&mut tx, &session.account).await?;
    let now_ms = app.clock.unix_ms();
    let agents = rows.into_iter().map(|row| rules::view(row, now_ms)).collect::<Result<Vec<_>>>()?;
    let mut charges = BTreeMap::new();
    for AgentView { id, .. } in agents.iter().filter(|agent| agent.spent != Usd::ZERO) {
        let rows = store::last_charges(&mut tx, id).await?;
        charges.insert(id.clone(), rows.into_iter().map(rules::charge).collect::<Result<_>>()?);
    }
    Ok(axum::Json(AgentList { agents, charges }))
}

/// `GET /v1/agents/self`.
async fn own(State(app): State<App>, agent: Agent) -> Result<axum::Json<AgentView>> {
    let mut tx = app.db.look().await?;
    let row = store::find(&mut tx, &agent.account, &agent.id).await?.ok_or(Code::AgentTokenInvalid)?;
    Ok(axum::Json(rules::view(row, app.clock.unix_ms())?))
}

/// `POST /v1/agents/cap`: only takes power away, so that nothing is confirmed.
async fn cap(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(request): Json<CapRequest>,
) -> Result<StatusCode> {
    let now_ms = app.clock.unix_ms();
    let mut tx = access::write_as(&app, &session).await?;
    store::hold(&mut tx, &session.account, &request.agent).await?;
    let row = store::find(&mut tx, &session.account, &request.agent).await?.ok_or(Code::NotFound)?;
    let AgentView { name, budget, state, .. } = rules::view(row, now_ms)?;
    if state == AgentState::Revoked {
        return Err(Code::NotFound.into());
    }
    if budget < request.budget {
        return Err(elevation::required(Kind::AgentApprove, StepUpReason::Token));
    }
    store::lower(&mut tx, &request.agent, request.budget.micros()).await?;
    let event = Event {
        account: &session.account,
        what: Activity::Agent { sentence: rules::was_cut(&name, &request.agent, request.budget) },
        device: Some(&session.device),
        session: Some(&session.id),
        at_ms: now_ms,
    };
    audit::record(&mut tx, event).await?;
    tx.commit(&app.live).await?;
    Ok(StatusCode::NO_CONTENT)
}
