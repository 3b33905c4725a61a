//! From a ticket to a running connection. The order of the checks is that of `protocol/http.md`.

use super::{
    queue::{Incoming, Outbound, QUEUE},
    registry::{About, Registered},
    rules::{HeldBack, Minted, Owed, Stream, require_opens, require_own_page, transport},
    runner::{BoundKey, Runner},
    sse, store, websocket,
};
use crate::{
    access::{self, Session, by_cookie, refuse},
    app::{App, stored},
    audit,
    listen::Seat,
    problem::{Refusal, Result},
};
use axum::{
    extract::{Query, Request, State},
    http::{Method, request::Parts},
    response::Response,
};
use holdfast_protocol::{connections::Transport, history::Device, pop::Binding, problem::Code};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    ticket: String,
}

/// A connection that may begin.
pub(super) struct Opened {
    pub app: App,
    session: Session,
    device: Device,
    binding: Binding,
    key: BoundKey,
    registered: Registered,
    wake: watch::Receiver<u64>,
    /// The newest event when it was opened: the stream begins after it.
    pub newest_id: i64,
}

/// `GET /v1/streams/activity?ticket=`: opens the account's activity stream.
pub(super) async fn activity(State(app): State<App>, request: Request) -> Result<Response> {
    open(app, Stream::Activity, request.into_parts().0).await
}

async fn open(app: App, stream: Stream, mut parts: Parts) -> Result<Response> {
    if parts.method != Method::GET {
        // The router lets HEAD through to here; it would spend the ticket for nothing.
        return Err(Code::MethodNotAllowed.into());
    }
    let transport = transport(&parts.headers)?;
    require_own_page(transport, &parts.headers, &app.config.origin)?;
    let Query(Opening { ticket }) = Query::try_from_uri(&parts.uri).map_err(|_| Code::InvalidRequest)?;
    match transport {
        Transport::WebSocket => {
            let upgrade = websocket::upgrade(&mut parts, stream).await?;
            let opened = spend(app, &parts, &ticket, Place { stream, transport, answers: None }).await?;
            // From here on the connection is none of HTTP's.
            Ok(websocket::respond(upgrade, opened, parts.extensions.remove::<Seat>()))
        }
        Transport::ServerSentEvents => {
            let (answers, received) = mpsc::channel(QUEUE);
            let place = Place { stream, transport, answers: Some(answers) };
            let opened = spend(app, &parts, &ticket, place).await?;
            Ok(sse::respond(opened, received))
        }
    }
}

/// What is opened, and how it travels.
struct Place {
    stream: Stream,
    transport: Transport,
    answers: Option<mpsc::Sender<Incoming>>,
}

async fn spend(app: App, parts: &Parts, ticket: &str, place: Place) -> Result<Opened> {
    let session = by_cookie(&app, &parts.headers).await?;
    // Watched before the newest event is read, so that none falls between the two.
    let mut wake = app.live.watch(&session.account);
    let mut tx = app.db.write().await?;
    let minted = store::take(&mut tx, &stored(ticket)).await?;
    let newest_id = audit::newest(&mut tx, &session.account).await?;
    // Spent by removal, whatever follows.
    tx.commit(&app.live).await?;
    let minted = minted.ok_or(Code::TicketInvalid)?;
    let now = app.clock.now();
    require_opens(&minted, &session.id, place.stream, app.clock.unix_ms())?;

    let Minted { connection, client_nonce, key, .. } = minted;
    let binding = Binding::new(&app.config.origin, connection.clone(), &client_nonce, key.thumbprint())
        .map_err(|_| refuse(Code::Internal, "the origin or the nonce is no field of a transcript"))?;
    let device = access::device(&parts.headers);
    let about = About {
        id: connection,
        account: session.account.clone(),
        session: session.id.clone(),
        stream: place.stream.path(),
        device: device.clone(),
        transport: place.transport,
        opened_at_ms: now.unix_ms,
        answers: place.answers,
    };
    let registered = app.registry.register(about).ok_or_else(too_many)?;
    // The session may have ended since its cookie was looked up: the runner begins by asking.
    wake.mark_changed();
    Ok(Opened { app, session, device, binding, key: BoundKey(key), registered, wake, newest_id })
}

/// The session holds as many connections as it may.
pub(super) fn too_many() -> Refusal {
    Refusal::retry_after(Code::TooManyConnections, 5)
}

impl Opened {
    /// Ready to run between two queues.
    pub(super) fn runner(self, inbound: mpsc::Receiver<Incoming>, outbound: Outbound) -> Runner {
        Runner {
            stopping: self.app.live.stopping(),
            app: self.app,
            session: self.session,
            device: self.device,
            binding: self.binding,
            key: self.key,
            registered: self.registered,
            owed: Owed::after(self.newest_id),
            held_back: HeldBack::default(),
            wake: self.wake,
            inbound,
            outbound,
            no_room_since_ms: None,
        }
    }
}
