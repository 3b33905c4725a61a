//! A WebSocket as the application has it, in the shape of axum's.

use super::{
    mailbox::{Left, Mailbox},
    opening::Opened,
    runner,
    websocket::Frames,
};
use crate::{
    access::refuse,
    listen::Seat,
    live::Upgraded,
    problem::{Refusal, Result},
};
use axum::{
    Error,
    extract::{
        FromRequestParts, OptionalFromRequestParts,
        ws::{self, Message},
    },
    http::{HeaderValue, StatusCode, request::Parts},
    response::Response,
};
use futures_util::{FutureExt as _, Sink, SinkExt as _, Stream, StreamExt as _};
use holdfast_protocol::{pop::SUBPROTOCOL, problem::Code};
use std::{
    borrow::Cow,
    convert::Infallible,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

/// The largest message of a browser.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Read at once; every connection keeps so much. A challenge's answer is a tenth of it.
const READ_BYTES: usize = 1024;
/// Written at once. What is in here cannot be called back when the connection fails.
const WRITE_BYTES: usize = 16 * 1024;
/// A request that can become a WebSocket that speaks our subprotocol.
pub(super) async fn upgrade(parts: &mut Parts) -> Result<ws::WebSocketUpgrade> {
    let upgrade = ws::WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade = upgrade.map_err(|_| Code::InvalidRequest)?;
    if !upgrade.requested_protocols().any(|offered| offered == SUBPROTOCOL) {
        return Err(Code::InvalidRequest.into());
    }
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    let upgrade = upgrade.read_buffer_size(READ_BYTES).write_buffer_size(WRITE_BYTES);
    Ok(upgrade.protocols([SUBPROTOCOL]))
}

/// Makes a WebSocket of a request behind [`layer`](super::layer), in the shape of
/// [`axum::extract::ws::WebSocketUpgrade`]: an extractor. As `Option`, it is there where the browser opened
/// a WebSocket and not server-sent events.
#[must_use]
pub struct WebSocketUpgrade {
    upgrade: ws::WebSocketUpgrade,
    opened: Opened,
    /// What listens counts its connections, and so does the server when it stops.
    counted: (Upgraded, Option<Seat>),
}

/// On its way from the layer to the extractor.
#[derive(Clone)]
pub(super) struct Offered(Arc<Mutex<Option<WebSocketUpgrade>>>);

impl Offered {
    pub(super) fn new(upgrade: ws::WebSocketUpgrade, opened: Opened, seat: Option<Seat>) -> Self {
        let counted = (opened.app.live.upgraded(), seat);
        Self(Arc::new(Mutex::new(Some(WebSocketUpgrade { upgrade, opened, counted }))))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for WebSocketUpgrade {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Option<Self>, Infallible> {
        let offered = parts.extensions.remove::<Offered>();
        Ok(offered.and_then(|Offered(upgrade)| upgrade.lock().unwrap_or_else(PoisonError::into_inner).take()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Ok(offered) = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await;
        offered.ok_or_else(|| refuse(Code::InvalidRequest, "no WebSocket that has passed `pop::layer`"))
    }
}

impl WebSocketUpgrade {
    /// The application's own subprotocols, the preferred ones first. The first that the browser offers is
    /// selected; where it offers none of them, `holdfast.pop.1` is.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        let known = protocols.into_iter().map(Into::into).chain([Cow::Borrowed(SUBPROTOCOL)]);
        self.upgrade = self.upgrade.protocols(known);
        self
    }

    /// The subprotocol that is selected.
    pub fn selected_protocol(&self) -> Option<&HeaderValue> {
        self.upgrade.selected_protocol()
    }

    /// The answer to the request. The callback is called once the browser has proven itself, and never if
    /// it does not.
    #[must_use = "the connection begins when this answer is returned"]
    pub fn on_upgrade<C, F>(self, callback: C) -> Response
    where
        C: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { upgrade, opened, counted } = self;
        // Boxed, since the task keeps a place for what it was made of for as long as it lives.
        let parts = Box::new((opened, counted, callback));
        upgrade.on_upgrade(|socket| {
            let (opened, counted, callback) = *parts;
            let mailbox = Arc::new(Mailbox::new(opened.registered.entry.clone(), opened.app.clock.clone()));
            let application = serve(WebSocket { mailbox: mailbox.clone() }, callback);
            let carrier = Frames::new(socket, mailbox);
            // The application may have something left to do; the connection is over.
            let connection = runner::run(opened, carrier).map(|()| drop(counted));
            // One task for both. The connection comes first, so that what ends it is known to the
            // application before its next step.
            futures_util::future::join(connection, application).map(|_| ())
        })
    }
}

/// What a handler answers that does not upgrade is a refusal, or is refused.
pub(super) fn respond(response: Response) -> Result<Response> {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS || status.is_client_error() || status.is_server_error() {
        return Ok(response);
    }
    tracing::error!("a handler behind `pop::layer` did not upgrade a WebSocket; refused");
    Err(Code::Internal.into())
}

async fn serve<C, F>(socket: WebSocket, callback: C)
where
    C: FnOnce(WebSocket) -> F,
    F: Future<Output = ()>,
{
    if !poll_fn(|context| socket.mailbox.poll_proven(context)).await {
        return;
    }
    // A panic must not take the connection along, which still has to be closed with its code.
    let served = AssertUnwindSafe(async { callback(socket).await }).catch_unwind().await;
    if served.is_err() {
        tracing::error!("the application behind a WebSocket panicked");
    }
}

/// A WebSocket that is proven again and again, in the shape of [`axum::extract::ws::WebSocket`].
///
/// Whoever reads and writes it knows nothing of challenges. While the connection is not proven, nothing is
/// received and sending waits. It ends, for the reader as for the writer, when the connection does; when it
/// is dropped, the connection is closed with 1000, and with 1011 by a panic.
pub struct WebSocket {
    mailbox: Arc<Mailbox>,
}

impl WebSocket {
    /// The next message: text or bytes, or as the last one how the browser has closed it. None: the connection
    /// is over. It is never an error; the type is axum's.
    pub async fn recv(&mut self) -> Option<std::result::Result<Message, Error>> {
        self.next().await
    }

    /// Hands over a message, as soon as the connection is proven and its reader keeps up. An error: the
    /// connection is over. `Message::Close` closes it with the code in it, behind what was sent before; a code
    /// that is not an application's (`protocol/pop.md`), or a reason of more than 123 bytes, is sent as 1011.
    pub async fn send(&mut self, message: Message) -> std::result::Result<(), Error> {
        self.feed(message).await
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.mailbox.leave(if std::thread::panicking() { Left::Failed } else { Left::Done });
    }
}

/// The connection is over.
#[derive(Debug, thiserror::Error)]
#[error("the connection is over")]
struct Ended;

fn or_ended(goes_on: bool) -> std::result::Result<(), Error> {
    if goes_on { Ok(()) } else { Err(Error::new(Ended)) }
}

impl Stream for WebSocket {
    type Item = std::result::Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.mailbox.poll_receive(context).map(|message| message.map(Ok))
    }
}

impl Sink<Message> for WebSocket {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::result::Result<(), Error>> {
        self.mailbox.poll_room(context).map(or_ended)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> std::result::Result<(), Error> {
        or_ended(self.mailbox.send(message))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::result::Result<(), Error>> {
        self.mailbox.poll_taken(context).map(or_ended)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::result::Result<(), Error>> {
        self.mailbox.leave(Left::Done);
        // Over is what was wanted.
        self.mailbox.poll_taken(context).map(|_| Ok(()))
    }
}
