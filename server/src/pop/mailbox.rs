//! Between a WebSocket's connection and the application that it belongs to. Nothing is taken out on
//! either side while the connection is not proven; what is in here then waits, and is dropped at the end.

use super::{registry::Entry, runner::Flow};
use crate::clock::Clock;
use axum::extract::ws::Message;
use holdfast_protocol::pop::{Close, Now};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// What is kept for an application that does not take it, or may not yet.
pub(super) const KEPT_BYTES: usize = 64 * 1024;
/// Empty messages are not free.
pub(super) const KEPT_MESSAGES: usize = 1024;
/// What an application may be ahead of its connection, with one message more.
const AHEAD_BYTES: usize = 64 * 1024;
const AHEAD_MESSAGES: usize = 16;

pub(super) struct Mailbox {
    inside: Mutex<Inside>,
    connection: Arc<Entry>,
    clock: Clock,
}

#[derive(Default)]
struct Inside {
    to_application: Letters,
    to_browser: Letters,
    /// 0 while nothing flows. Asked at every taking, so that a deadline that has passed stops it although
    /// nobody has said so yet.
    flows_until_ms: u64,
    /// The connection is proven, and its session is being looked at.
    is_looked_at: bool,
    over: Option<Over>,
    left: Option<Left>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Default)]
struct Letters {
    messages: VecDeque<Message>,
    bytes: usize,
}

/// How the connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The browser has left while the connection was proven: what it sent before may still be read.
    Left,
    /// Nothing counts any more.
    Void,
}

/// How the application has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Done,
    Failed,
}

impl Letters {
    fn push(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(size(&message));
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(size(&message));
        if self.messages.is_empty() {
            // A burst is over: most connections are silent most of the time.
            self.messages = VecDeque::new();
        }
        Some(message)
    }

    fn is_full(&self, messages: usize, bytes: usize) -> bool {
        self.messages.len() >= messages || self.bytes >= bytes
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

/// Woken once the lock is open again.
fn wake<const N: usize>(wakers: [Option<Waker>; N]) {
    for waker in wakers.into_iter().flatten() {
        waker.wake();
    }
}

impl Inside {
    /// No more is read than is kept, rather than that it is too much.
    fn is_proven(&self) -> bool {
        self.flows_until_ms > 0 || self.is_looked_at
    }

    fn flows(&self, now: Now) -> bool {
        now.monotonic_ms < self.flows_until_ms
    }
}

impl Mailbox {
    pub(super) fn new(connection: Arc<Entry>, clock: Clock) -> Self {
        Self { inside: Mutex::default(), connection, clock }
    }

    fn open(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection's side.
impl Mailbox {
    pub(super) fn flow(&self, flow: Flow) {
        let ms = flow.until_ms();
        let mut inside = self.open();
        inside.flows_until_ms = ms;
        inside.is_looked_at = flow == Flow::Looking;
        let (reader, writer) =
            if ms > 0 { (inside.reader.take(), inside.writer.take()) } else { (None, None) };
        drop(inside);
        wake([reader, writer]);
    }

    /// Whether no more is read, because the application takes nothing of what it could.
    pub(super) fn is_stuffed(&self) -> bool {
        let inside = self.open();
        inside.is_proven() && inside.to_application.is_full(KEPT_MESSAGES, KEPT_BYTES)
    }

    /// From the browser. It is kept for the application until the connection is proven, if that is not
    /// too much.
    pub(super) fn deliver(&self, message: Message) -> Result<(), Close> {
        let mut inside = self.open();
        inside.to_application.push(message);
        let kept = &inside.to_application;
        if !inside.is_proven() && (kept.messages.len() > KEPT_MESSAGES || kept.bytes > KEPT_BYTES) {
            return Err(Close::TooMuchHeld);
        }
        let reader = inside.reader.take();
        drop(inside);
        wake([reader]);
        Ok(())
    }

    /// For the browser, if it may have it now.
    pub(super) fn take(&self) -> Option<Message> {
        let mut inside = self.open();
        if !inside.flows(self.clock.now()) {
            return None;
        }
        let message = inside.to_browser.pop()?;
        let writer = inside.writer.take();
        drop(inside);
        wake([writer]);
        Some(message)
    }

    /// The application has left, and everything that it said is taken.
    pub(super) fn left(&self) -> Option<Left> {
        let inside = self.open();
        inside.left.filter(|_| inside.to_browser.messages.is_empty())
    }

    /// The connection is over. The first time counts.
    pub(super) fn end(&self, over: Over) {
        let mut inside = self.open();
        if inside.over.is_some() {
            return;
        }
        inside.over = Some(over);
        inside.flows_until_ms = 0;
        inside.to_browser = Letters::default();
        if over == Over::Void {
            inside.to_application = Letters::default();
        }
        let wakers = [inside.reader.take(), inside.writer.take()];
        drop(inside);
        wake(wakers);
    }
}

/// The application's side.
impl Mailbox {
    /// Whether the connection was proven before it was over.
    pub(super) fn poll_proven(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut inside = self.open();
        if inside.flows_until_ms > 0 {
            return Poll::Ready(true);
        }
        match inside.over {
            Some(over) => Poll::Ready(over == Over::Left),
            None => {
                inside.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// What the browser sent; none: the connection is over.
    pub(super) fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut inside = self.open();
        // At the end there is only what may still be read.
        if inside.flows(self.clock.now()) || inside.over.is_some() {
            let stuffed = inside.to_application.is_full(KEPT_MESSAGES, KEPT_BYTES);
            if let Some(message) = inside.to_application.pop() {
                drop(inside);
                if stuffed {
                    self.connection.ring();
                }
                return Poll::Ready(Some(message));
            }
        }
        if inside.over.is_some() {
            return Poll::Ready(None);
        }
        inside.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ready while the connection is proven and not too much is waiting; false: it is over.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut inside = self.open();
        if inside.over.is_some() || inside.left.is_some() {
            return Poll::Ready(false);
        }
        let full = inside.to_browser.is_full(AHEAD_MESSAGES, AHEAD_BYTES);
        if inside.flows(self.clock.now()) && !full {
            return Poll::Ready(true);
        }
        inside.writer = Some(context.waker().clone());
        Poll::Pending
    }

    /// False: the connection is over, and nobody takes it.
    pub(super) fn send(&self, message: Message) -> bool {
        let mut inside = self.open();
        if inside.over.is_some() || inside.left.is_some() {
            return false;
        }
        inside.to_browser.push(message);
        drop(inside);
        self.connection.ring();
        true
    }

    /// Ready when everything is taken; false: the connection is over.
    pub(super) fn poll_taken(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut inside = self.open();
        if inside.over.is_some() {
            return Poll::Ready(false);
        }
        if inside.to_browser.messages.is_empty() {
            return Poll::Ready(true);
        }
        inside.writer = Some(context.waker().clone());
        Poll::Pending
    }

    /// The application has said everything. The first time counts.
    pub(super) fn leave(&self, left: Left) {
        self.open().left.get_or_insert(left);
        self.connection.ring();
    }
}
