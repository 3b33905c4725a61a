//! RFC 6455: control messages are text frames that begin with U+0001.

use super::{
    opening::Opened,
    queue::{self, Data, Incoming, Outgoing, QUEUE, Sent, ToSend},
    rules::Stream,
    runner::Runner,
};
use crate::{clock::Clock, listen::Seat, problem::Result};
use axum::{
    extract::{
        FromRequestParts,
        ws::{CloseFrame, Message as WsMessage, WebSocket, WebSocketUpgrade},
    },
    http::request::Parts,
    response::Response,
};
use futures_util::{Sink, SinkExt as _, Stream as Frames, StreamExt as _};
use holdfast_protocol::{
    pop::{Close, Frame, Message, SUBPROTOCOL, unescape},
    problem::Code,
};
use tokio::sync::mpsc;

/// The largest message of a browser.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// A reader who takes no message for so long has gone.
const SEND_WITHIN_MS: u64 = 10_000;
/// How long the browser has to say goodbye.
const CLOSE_WITHIN_MS: u64 = 2_000;

/// A request that can become a WebSocket that speaks our subprotocol.
pub(super) async fn upgrade(parts: &mut Parts, stream: Stream) -> Result<WebSocketUpgrade> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|_| Code::InvalidRequest)?;
    if !upgrade.requested_protocols().any(|offered| offered == SUBPROTOCOL) {
        return Err(Code::InvalidRequest.into());
    }
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.protocols([stream.subprotocol(), SUBPROTOCOL]))
}

/// Answers with the upgrade, and runs the connection once it is made.
pub(super) fn respond(upgrade: WebSocketUpgrade, opened: Opened, seat: Option<Seat>) -> Response {
    let upgraded = opened.app.live.upgraded();
    upgrade.on_upgrade(|socket| async move {
        let _counted = (upgraded, seat);
        let (inbound, received) = mpsc::channel(QUEUE);
        let (outbound, to_send) = queue::outbound(opened.newest_id);
        let clock = opened.app.clock.clone();
        let runner: Runner = opened.runner(received, outbound);
        tokio::join!(runner.run(), carry(socket, clock, inbound, to_send));
    })
}

/// Both directions at once, so that neither waits for the other.
async fn carry(socket: WebSocket, clock: Clock, inbound: mpsc::Sender<Incoming>, outbound: ToSend) {
    let (sink, frames) = socket.split();
    tokio::select! {
        () = receive(frames, &clock, inbound) => {}
        () = send(sink, &clock, outbound) => {}
    }
}

/// Until the browser has left. After the runner is over, what comes is read and forgotten, so that the
/// closing handshake can finish.
async fn receive<E>(
    mut frames: impl Frames<Item = std::result::Result<WsMessage, E>> + Unpin,
    clock: &Clock,
    inbound: mpsc::Sender<Incoming>,
) {
    while let Some(frame) = frames.next().await {
        let broken = frame.is_err();
        let Some(what) = read(frame) else { continue };
        // An error says that the runner is over, which is no reason to stop reading.
        let _over = inbound.send(Incoming { at: clock.now(), what }).await;
        if broken {
            // Too large or not WebSocket at all: nothing further can be made of it. The runner closes.
            std::future::pending::<()>().await;
        }
    }
}

fn read<E>(frame: std::result::Result<WsMessage, E>) -> Option<Sent> {
    Some(match frame {
        Ok(WsMessage::Text(text)) => match unescape(&text) {
            Frame::Control(message) => Message::parse(message).map_or(Sent::Unreadable, Sent::Control),
            Frame::Application(text) => Sent::Application { bytes: text.len() },
        },
        Ok(WsMessage::Binary(bytes)) => Sent::Application { bytes: bytes.len() },
        Ok(WsMessage::Ping(_) | WsMessage::Pong(_) | WsMessage::Close(_)) => return None,
        Err(_) => Sent::Unreadable,
    })
}

/// Until the last message is sent and the browser has had its time to answer it.
async fn send(mut sink: impl Sink<WsMessage> + Unpin, clock: &Clock, mut outbound: ToSend) {
    while let Some(outgoing) = outbound.next().await {
        let too_slow_ms = clock.now().monotonic_ms + SEND_WITHIN_MS;
        tokio::select! {
            biased;
            sent = sink.send(written(outgoing)) => if sent.is_err() { return },
            () = clock.sleep_until(too_slow_ms) => return,
        }
    }
    clock.sleep_until(clock.now().monotonic_ms + CLOSE_WITHIN_MS).await;
}

fn written(outgoing: Outgoing) -> WsMessage {
    match outgoing {
        Outgoing::Control(message) => WsMessage::Text(format!("\u{1}{}", message.encode()).into()),
        // Begins with a brace, never with U+0001: nothing to escape.
        Outgoing::Data(Data { name, json, .. }) => WsMessage::Text(format!("{{\"{name}\":{json}}}").into()),
        Outgoing::Close(close) => {
            WsMessage::Close(Some(CloseFrame { code: close.code(), reason: reason(close).into() }))
        }
    }
}

fn reason(close: Close) -> &'static str {
    match close {
        Close::Unproven => "two challenges in a row were not answered",
        Close::SessionEnded => "the session has ended",
        Close::EndedByOwner => "the owner ended this connection",
        Close::BadMessage => "a message that this stream does not take",
        Close::TooMuchHeld => "too much is waiting",
        Close::GoingAway => "the server is stopping",
    }
}
