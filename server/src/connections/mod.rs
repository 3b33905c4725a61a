//! Live connections: tickets that open them, the list of them, and the loop that challenges each
//!. What is proven, and when, is decided by `protocol::pop`.

mod opening;
mod queue;
mod registry;
mod rules;
mod runner;
mod sse;
mod store;
mod websocket;

pub use registry::Registry;
pub(crate) use store::sweep;

use crate::{
    access::{self, SignedIn, SignedInWith, by_cookie, require_csrf},
    app::{App, stored},
    audit::{self, Event},
    problem::{Refusal, Result},
    wire::{self, body, require_content_type},
};
use axum::{
    Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use holdfast_protocol::{
    connections::{ConnectionList, EndConnectionRequest, Ticket, TicketRequest},
    history::Activity,
    ids::ConnectionId,
    pop::Message,
    problem::Code,
};
use queue::{Incoming, Sent};
use rules::{MAX_PER_SESSION, Minted, Stream, asked_for};

use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;

/// A ticket never lives longer, whatever is configured.
const TICKET_LIVES_AT_MOST: Duration = Duration::from_secs(60);

pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/connections", get(list))
        .route("/v1/connections/tickets", post(mint))
        .route("/v1/connections/end", post(end))
        .route("/v1/connections/{id}/answer", post(answer))
        .route(Stream::Activity.path(), get(opening::activity))
}

/// `GET /v1/connections`.
async fn list(State(app): State<App>, SignedIn(session): SignedIn) -> Json<ConnectionList> {
    Json(app.registry.list(&session.account, &session.id))
}

/// `POST /v1/connections/tickets`: connection, nonce and key are fixed from here on.
async fn mint(
    State(app): State<App>,
    SignedInWith { session, key }: SignedInWith,
    wire::Json(request): wire::Json<TicketRequest>,
) -> Result<Json<Ticket>> {
    let stream = asked_for(&request)?;
    let lives = app.config.lifetimes.ticket.min(TICKET_LIVES_AT_MOST);
    let now_ms = app.clock.unix_ms();
    let (connection, ticket) = (ConnectionId::make(app.entropy.make()), app.entropy.make_text());
    let minted = Minted {
        session: session.id.clone(),
        connection: connection.clone(),
        stream: stream.path().to_owned(),
        client_nonce: request.client_nonce,
        key,
        expires_at_ms: now_ms.saturating_add(i64::try_from(lives.as_millis()).unwrap_or_default()),
    };
    let mut tx = access::write_as(&app, &session).await?;
    let held = app.registry.count(&session.account, &session.id);
    if held + store::outstanding(&mut tx, &session.id, now_ms).await? >= MAX_PER_SESSION {
        return Err(opening::too_many());
    }
    store::insert(&mut tx, &stored(&ticket), &minted).await?;
    tx.commit(&app.live).await?;
    Ok(Json(Ticket { connection, ticket, expires_in_s: u32::try_from(lives.as_secs()).unwrap_or_default() }))
}

/// `POST /v1/connections/end`.
async fn end(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    wire::Json(request): wire::Json<EndConnectionRequest>,
) -> Result<StatusCode> {
    let mut tx = access::write_as(&app, &session).await?;
    let entry = app.registry.find(&session.account, &request.id).ok_or(Code::NotFound)?;
    let event = Event {
        account: &session.account,
        what: Activity::ConnectionEnded { connection: request.id },
        device: Some(&access::device(&headers)),
        session: Some(entry.session()),
        at_ms: app.clock.unix_ms(),
    };
    // Two clicks end it once.
    audit::record_once(&mut tx, event).await?;
    tx.commit(&app.live).await?;
    entry.end();
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/connections/{id}/answer`: what a browser says on a stream of server-sent events. The
/// signature in an answer is its proof; a refusal and a question carry one as any request does.
async fn answer(
    State(app): State<App>,
    id: std::result::Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<StatusCode> {
    let (parts, rest) = request.into_parts();
    let session = by_cookie(&app, &parts.headers).await?;
    require_csrf(&app, &parts.headers, &session.id)?;
    let Path(id) = id.map_err(|_| Code::NotFound)?;
    let id = ConnectionId::parse(&id).map_err(|_| Code::NotFound)?;
    let entry = app.registry.find(&session.account, &id).ok_or(Code::NotFound)?;
    if *entry.session() != session.id {
        return Err(Code::NotFound.into());
    }
    let answers = entry.answers().ok_or(Code::NotFound)?;

    require_content_type(&parts.headers, &["text/plain"])?;
    let bytes = body(&app.clock, Request::from_parts(parts.clone(), rest)).await?;
    if bytes.len() > Message::MAX_BYTES {
        return Err(Code::TooLarge.into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Code::InvalidRequest)?;
    let message = match Message::parse(text) {
        Ok(message @ (Message::Answer { .. } | Message::Refuse { .. } | Message::Ask)) => message,
        Ok(_) | Err(_) => return Err(Code::InvalidRequest.into()),
    };
    if !matches!(message, Message::Answer { .. }) {
        // Nothing in it is signed.
        access::prove_session(&app, &parts, &session).await?;
    }
    // It has arrived when all of it has: a body that drips in gains no time.
    let at = app.clock.now();
    match answers.try_send(Incoming { at, what: Sent::Control(message) }) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(TrySendError::Full(_)) => Err(Refusal::retry_after(Code::RateLimited, 1)),
        Err(TrySendError::Closed(_)) => Err(Code::NotFound.into()),
    }
}
