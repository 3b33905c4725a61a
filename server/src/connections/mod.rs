//! Live connections over HTTP: tickets that open them, the list of them, their end, and the answers that are
//! posted; and the account's own activity, a stream behind `pop` as any other. What is proven, and when, is
//! decided by `protocol::pop`.

mod activity;

use crate::{
    access::{self, SignedIn, SignedInWith, by_cookie, require_csrf},
    app::App,
    audit::{self, Event},
    pop::{self, Answer, NotTaken},
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

pub fn routes(app: &App) -> Router<App> {
    Router::new()
        .route("/v1/connections", get(list))
        .route("/v1/connections/tickets", post(mint))
        .route("/v1/connections/end", post(end))
        .route("/v1/connections/{id}/answer", post(answer))
        .route(activity::PATH, get(activity::open).layer(pop::layer(app, activity::PATH)))
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
    pop::mint(&app, &session, key, request).await.map(Json)
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
    entry.require_posted()?;
    // Not before: whoever knows no connection has nothing recorded here, and who knows one is counted.
    access::within_limit(&app, &parts, &session)?;
    access::require_device(&app, &parts, &session).await?;

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
    entry.post(Answer { at, message })?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::NotPosted => Code::NotFound.into(),
            NotTaken::Full => Refusal::retry_after(Code::RateLimited, 1),
        }
    }
}
