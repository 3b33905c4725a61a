//! From a ticket to a connection that may begin. The order of the checks is that of `protocol/http.md`.

use super::{
    Guarded,
    registry::{About, Entry, Registered},
    rules::{Minted, Opening, require_opens, require_own_page, transport},
    socket::{self, Offered},
    sse, store,
    tickets::too_many,
};
use crate::{
    access::{self, Session, by_cookie, refuse, require_device, within_limit},
    app::{App, stored},
    listen::Seat,
    problem::{Refusal, Result},
};
use axum::{
    extract::{FromRequestParts, OriginalUri, Request},
    http::{Method, Uri, request::Parts, uri::PathAndQuery},
    middleware::Next,
    response::Response,
};
use holdfast_protocol::{
    connections::Transport,
    dpop::PublicKey,
    history::Device,
    ids::{AccountId, ConnectionId},
    pop::{Binding, Timing},
    problem::Code,
};
use std::sync::Arc;
use tokio::sync::watch;

/// A connection that may begin.
pub(super) struct Opened {
    pub app: App,
    pub registered: Registered,
    pub binding: Binding,
    pub timing: Timing,
    pub key: PublicKey,
    pub wake: watch::Receiver<u64>,
}

/// The connection that a handler behind [`layer`](super::layer) serves: an extractor. Cheap to clone.
#[derive(Clone)]
pub struct Connection(Arc<Entry>);

impl Connection {
    /// Names it in lists; opens nothing.
    pub fn id(&self) -> &ConnectionId {
        &self.0.about.id
    }

    /// Whose it is.
    pub fn account(&self) -> &AccountId {
        &self.0.about.session.account
    }

    /// The session that it was opened with, as it was then.
    pub fn session(&self) -> &Session {
        &self.0.about.session
    }

    /// Ends with the next proof, or at once where one has come since it was asked last; one may wait.
    pub(crate) async fn proven(&self) {
        self.0.proven.notified().await;
    }

    /// The browser that opened it: a label for a person, never grounds for a decision.
    pub fn device(&self) -> &Device {
        &self.0.about.device
    }
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let connection = parts.extensions.get::<Self>().cloned();
        connection.ok_or_else(|| refuse(Code::Internal, "a handler of connections outside `pop::layer`"))
    }
}

/// Lets the handler answer for a connection that was opened rightly, and drives the connection from then on.
pub(super) async fn open(guarded: &Guarded, request: Request, next: Next) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path());
    if path != &*guarded.stream.path {
        return Err(Code::NotFound.into());
    }
    if parts.method != Method::GET {
        // A router lets HEAD through to here; it would spend the ticket for nothing.
        return Err(Code::MethodNotAllowed.into());
    }
    let transport = transport(&parts.headers)?;
    require_own_page(transport, &parts.headers, &guarded.app.config.origin)?;
    let ticket = take_ticket(&mut parts)?;
    match transport {
        Transport::WebSocket => {
            let upgrade = socket::upgrade(&mut parts).await?;
            let opened = spend(guarded, &parts, &ticket, transport).await?;
            parts.extensions.insert(Connection(opened.registered.entry.clone()));
            // From here on the connection is none of HTTP's.
            let seat = parts.extensions.remove::<Seat>();
            parts.extensions.insert(Offered::new(upgrade, opened, seat));
            socket::respond(next.run(Request::from_parts(parts, body)).await)
        }
        Transport::ServerSentEvents => {
            let opened = spend(guarded, &parts, &ticket, transport).await?;
            parts.extensions.insert(Connection(opened.registered.entry.clone()));
            sse::respond(opened, next.run(Request::from_parts(parts, body)).await)
        }
    }
}

/// Takes the ticket out of the query. What is left there is the handler's, which sees no secret.
fn take_ticket(parts: &mut Parts) -> Result<String> {
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let Opening { ticket, rest } = Opening::read(&query)?;
    parts.uri = with_query(&parts.uri, &rest)?;
    if let Some(OriginalUri(uri)) = parts.extensions.get_mut::<OriginalUri>() {
        *uri = with_query(uri, &rest)?;
    }
    Ok(ticket.to_owned())
}

fn with_query(uri: &Uri, query: &str) -> Result<Uri> {
    let path = uri.path();
    let both = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(both).map_err(|_| Code::InvalidRequest)?);
    Ok(Uri::from_parts(parts).map_err(|_| Code::InvalidRequest)?)
}

async fn spend(guarded: &Guarded, parts: &Parts, ticket: &str, transport: Transport) -> Result<Opened> {
    let Guarded { app, stream } = guarded;
    let session = by_cookie(app, &parts.headers).await?;
    within_limit(app, parts, &session)?;
    require_device(app, parts, &session).await?;
    let mut wake = app.live.watch(&session.account);
    let mut tx = app.db.write().await?;
    let minted = store::take(&mut tx, &stored(ticket)).await?;
    // Spent by removal, whatever follows.
    tx.commit(&app.live).await?;
    let minted = minted.ok_or(Code::TicketInvalid)?;
    require_opens(&minted, &session.id, &stream.path, app.clock.unix_ms())?;

    let Minted { connection, client_nonce, key, .. } = minted;
    let binding = Binding::new(&app.config.origin, connection.clone(), &client_nonce, key.thumbprint())
        .map_err(|_| refuse(Code::Internal, "the origin or the nonce is no field of a transcript"))?;
    let about = About {
        id: connection,
        session,
        stream: stream.path.clone(),
        device: access::device(&parts.headers),
        transport,
        opened_at_ms: app.clock.now().unix_ms,
    };
    let registered = app.registry.register(about).ok_or_else(too_many)?;
    // The session may have ended since its cookie was looked up: the runner begins by asking.
    wake.mark_changed();
    let timing = stream.timing.unwrap_or(app.config.pop);
    Ok(Opened { app: app.clone(), registered, binding, timing, key, wake })
}
