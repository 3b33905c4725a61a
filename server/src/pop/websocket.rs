//! RFC 6455: control messages are text frames that begin with U+0001. The application never sees them.

use super::{
    mailbox::{Mailbox, Over},
    runner::{Carrier, Ending, Flow, Received, Sending, Sent},
};
use crate::clock::Clock;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{SinkExt as _, StreamExt as _, future::BoxFuture};
use holdfast_protocol::pop::{self, Frame, escape, unescape};
use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A reader who takes no message for so long has gone.
const SEND_WITHIN_MS: u64 = 10_000;
/// Pings that are answered ahead of a reader who does not read.
const PONGS: usize = 64;
/// How long the browser has to say goodbye.
const CLOSE_WITHIN_MS: u64 = 2_000;

/// The connection's end of a WebSocket.
pub(super) struct Frames {
    socket: WebSocket,
    mailbox: Arc<Mailbox>,
    controls: VecDeque<Message>,
    /// Something has been handed to the socket and not to the system.
    unsent: bool,
    /// The system has taken something since somebody asked.
    took: bool,
    /// Answers to pings that wait in the socket.
    pongs: usize,
    /// What came was too large, or no WebSocket at all.
    broken: bool,
}

impl Frames {
    pub(super) fn new(socket: WebSocket, mailbox: Arc<Mailbox>) -> Self {
        Self {
            socket,
            mailbox,
            controls: VecDeque::new(),
            unsent: false,
            took: false,
            pongs: 0,
            broken: false,
        }
    }
}

impl Carrier for Frames {
    fn poll_receive(&mut self, context: &mut Context<'_>, clock: &Clock) -> Poll<Option<Received>> {
        loop {
            if self.mailbox.is_stuffed() || self.pongs >= PONGS {
                // The bell rings when the application takes something, and sending wakes when the pongs are gone.
                return Poll::Pending;
            }
            let what = match ready!(self.socket.poll_next_unpin(context)) {
                None => return Poll::Ready(None),
                Some(Ok(Message::Ping(_))) => {
                    // The socket has put its answer behind what is to be sent.
                    self.unsent = true;
                    self.pongs += 1;
                    continue;
                }
                Some(Ok(Message::Pong(_))) => continue,
                Some(Ok(Message::Text(text))) => read(text),
                // The last that comes; how it closes is its application's to say.
                Some(Ok(message @ (Message::Binary(_) | Message::Close(_)))) => Sent::Application(message),
                Some(Err(_)) => {
                    self.broken = true;
                    Sent::Unreadable
                }
            };
            return Poll::Ready(Some(Received { at: clock.now(), what }));
        }
    }

    fn deliver(&mut self, message: Message) -> Result<(), Ending> {
        Ok(self.mailbox.deliver(message)?)
    }

    fn is_stuffed(&self) -> bool {
        self.mailbox.is_stuffed()
    }

    fn flow(&mut self, flow: Flow) {
        self.mailbox.flow(flow);
    }

    fn control(&mut self, message: &pop::Message) {
        self.controls.push_back(Message::Text(message.to_frame().into()));
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Sending {
        loop {
            match self.socket.poll_ready_unpin(context) {
                Poll::Pending => return Sending::Blocked,
                Poll::Ready(Err(_)) => return Sending::Over(Ending::Gone),
                Poll::Ready(Ok(())) => {}
            }
            let message = match self.controls.pop_front() {
                Some(control) => control,
                None => match self.mailbox.take() {
                    Some(Message::Close(frame)) => return Sending::Over(Ending::by_application(frame)),
                    Some(Message::Text(text)) => Message::Text(written(text)),
                    Some(message) => message,
                    None => break,
                },
            };
            self.unsent = true;
            self.took = true;
            if self.socket.start_send_unpin(message).is_err() {
                return Sending::Over(Ending::Gone);
            }
        }
        if self.unsent {
            match self.socket.poll_flush_unpin(context) {
                Poll::Pending => return Sending::Blocked,
                Poll::Ready(Err(_)) => return Sending::Over(Ending::Gone),
                Poll::Ready(Ok(())) => {
                    (self.unsent, self.took) = (false, true);
                    if std::mem::take(&mut self.pongs) >= PONGS {
                        context.waker().wake_by_ref();
                    }
                }
            }
        }
        self.mailbox.left().map_or(Sending::Idle, |left| Sending::Over(left.into()))
    }

    fn took(&mut self) -> bool {
        std::mem::take(&mut self.took)
    }

    fn stop(&mut self, over: Over) {
        self.mailbox.end(over);
    }

    fn say_goodbye(&mut self, goodbye: Option<CloseFrame>, clock: Clock) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(goodbye) = goodbye else { return };
            let last = async {
                for control in std::mem::take(&mut self.controls) {
                    self.socket.feed(control).await?;
                }
                self.socket.send(Message::Close(Some(goodbye))).await
            };
            let too_slow_ms = clock.now().monotonic_ms + SEND_WITHIN_MS;
            tokio::select! {
                biased;
                sent = last => if sent.is_err() { return },
                () = clock.sleep_until(too_slow_ms) => return,
            }
            // What comes now is read and forgotten, so that the closing handshake can finish. Where nothing
            // can be read any more, the browser has its time to read what was sent.
            let answered = async {
                if self.broken {
                    std::future::pending::<()>().await;
                }
                while self.socket.next().await.is_some_and(|frame| frame.is_ok()) {}
            };
            let too_late_ms = clock.now().monotonic_ms + CLOSE_WITHIN_MS;
            tokio::select! {
                () = answered => {}
                () = clock.sleep_until(too_late_ms) => {}
            }
        })
    }
}

/// However it comes to an end, the application hears of it.
impl Drop for Frames {
    fn drop(&mut self) {
        self.mailbox.end(Over::Void);
    }
}

fn read(text: Utf8Bytes) -> Sent {
    match unescape(&text) {
        Frame::Control(message) => pop::Message::parse(message).map_or(Sent::Unreadable, Sent::Control),
        Frame::Application(own) if own.len() == text.len() => Sent::Application(Message::Text(text)),
        Frame::Application(own) => Sent::Application(Message::text(own)),
    }
}

fn written(text: Utf8Bytes) -> Utf8Bytes {
    escape(&text).map_or(text, Utf8Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pop::runner;

    fn size_of_result<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }

    /// There are tens of thousands of them.
    #[test]
    fn a_connection_is_driven_by_a_small_future() {
        let bytes = size_of_result(runner::run::<Frames>);
        assert!(bytes <= 2_048, "{bytes}");
    }
}
