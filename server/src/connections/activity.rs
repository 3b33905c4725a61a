//! `GET /v1/streams/activity?ticket=`: what happens to the account, and its connections, as it happens.

use crate::{
    access::is_alive,
    app::App,
    audit,
    pop::{Connection, WebSocket, WebSocketUpgrade},
    problem::Result,
    wire::NoQuery,
};
use axum::{
    extract::{
        State,
        ws::{CloseCode, CloseFrame, Message, close_code},
    },
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use holdfast_protocol::history::ActivityEvent;
use serde::Serialize;
use std::collections::VecDeque;
use tokio::sync::watch;

pub(super) const PATH: &str = "/v1/streams/activity";
/// Selected where it is offered.
const SUBPROTOCOL: &str = "holdfast.activity.1";
/// Events that are read at once.
const BATCH: u32 = 32;

pub(super) async fn open(
    State(app): State<App>,
    _: NoQuery,
    connection: Connection,
    upgrade: Option<WebSocketUpgrade>,
) -> Result<Response> {
    // Boxed, since each future that it is passed through keeps a place for it.
    let feed = Box::new(Feed::begin(app, connection).await?);
    Ok(match upgrade {
        Some(upgrade) => upgrade.protocols([SUBPROTOCOL]).on_upgrade(|socket| write(socket, feed)),
        None => Sse::new(stream::unfold(feed, async |mut feed| {
            let next = feed.next().await;
            Some((next.map(|Data { name, json }| Event::default().event(name).data(json)), feed))
        }))
        .into_response(),
    })
}

async fn write(mut socket: WebSocket, mut feed: Box<Feed>) {
    loop {
        let message = tokio::select! {
            received = socket.recv() => match received {
                None | Some(Ok(Message::Close(_))) => return,
                Some(_) => closing(close_code::UNSUPPORTED, "this stream takes no messages"),
            },
            next = feed.next() => match next {
                Ok(Data { name, json }) => Message::text(format!("{{\"{name}\":{json}}}")),
                // The browser shall come back.
                Err(_) => closing(close_code::AWAY, "the database is away"),
            },
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

fn closing(code: CloseCode, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

/// A name and its JSON.
struct Data {
    name: &'static str,
    json: String,
}

impl Data {
    fn new(name: &'static str, value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        Self { name, json }
    }
}

/// What one connection is told, from its opening on. It is read when the connection can take it, so that
/// nothing piles up while it cannot.
struct Feed {
    app: App,
    connection: Connection,
    /// Something about the account has changed.
    wake: watch::Receiver<u64>,
    /// Counts what changes in the account's connections.
    changes: watch::Receiver<u64>,
    /// Read, and not sent yet.
    events: VecDeque<ActivityEvent>,
    /// The newest event that was read.
    after_id: i64,
    /// There may be newer ones.
    is_behind: bool,
    list: List,
}

impl Feed {
    async fn begin(app: App, connection: Connection) -> Result<Self> {
        // Watched before the newest event is read, so that none falls between the two.
        let wake = app.live.watch(connection.account());
        let changes = app.registry.watch(connection.account());
        let mut tx = app.db.read().await?;
        let after_id = audit::newest(&mut tx, connection.account()).await?;
        drop(tx);
        let (events, list) = (VecDeque::new(), List::default());
        Ok(Self { app, connection, wake, changes, events, after_id, is_behind: true, list })
    }

    async fn next(&mut self) -> std::result::Result<Data, sqlx::Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Data::new("activity", &event));
            }
            if self.is_behind {
                self.is_behind = false;
                // Boxed, since most feeds read nothing most of the time.
                let read = Box::pin(self.read()).await;
                read.inspect_err(|error| tracing::error!(%error, "an account's events cannot be read"))?;
                continue;
            }
            let now_ms = self.app.clock.now().monotonic_ms;
            let changes = *self.changes.borrow_and_update();
            if self.list.is_due(now_ms, changes) {
                let list = self.app.registry.list(self.connection.account(), &self.connection.session().id);
                self.list.told(now_ms, changes, list.connections.len());
                return Ok(Data::new("connections", &list));
            }
            let due_ms = self.list.due_ms();
            tokio::select! {
                Ok(()) = self.wake.changed() => self.is_behind = true,
                Ok(()) = self.changes.changed() => self.list.is_owed = true,
                () = self.connection.proven() => self.list.on_proven(),
                () = self.app.clock.sleep_until(due_ms.unwrap_or_default()), if due_ms.is_some() => {}
            }
        }
    }

    /// Reads what is new, if the session still lives in the same look.
    async fn read(&mut self) -> std::result::Result<(), sqlx::Error> {
        let (lifetimes, now_ms) = (&self.app.config.lifetimes, self.app.clock.unix_ms());
        let session = self.connection.session();
        let mut tx = self.app.db.read().await?;
        if is_alive(&mut tx, &session.id, lifetimes, now_ms).await? {
            let events = audit::since(&mut tx, &session.account, self.after_id, BATCH).await?;
            self.after_id = events.last().map_or(self.after_id, |event| event.id);
            self.is_behind = u32::try_from(events.len()).is_ok_and(|read| read == BATCH);
            self.events.extend(events);
        }
        Ok(())
    }
}

/// When the list of connections is to be sent: at first and when one comes, goes, is held or proven again, at
/// most twice a second. For beats alone it is looked at after each beat of this connection and once more after
/// each sending, the later the longer it is: all browsers of an account are told of all its connections.
#[derive(Debug)]
struct List {
    is_owed: bool,
    not_before_ms: u64,
    looks: bool,
    look_not_before_ms: u64,
    /// The count of changes when it was sent last.
    told: u64,
}

impl Default for List {
    fn default() -> Self {
        Self { is_owed: true, not_before_ms: 0, looks: false, look_not_before_ms: 0, told: 0 }
    }
}

impl List {
    const EVERY_MS: u64 = 500;
    /// For each of its lines. Beats come about every 30 s.
    const LOOK_EVERY_MS: u64 = 4_000;

    /// This connection has proven itself, as others may have.
    fn on_proven(&mut self) {
        self.looks = true;
    }

    fn due_ms(&self) -> Option<u64> {
        if self.is_owed { Some(self.not_before_ms) } else { self.looks.then_some(self.look_not_before_ms) }
    }

    /// Whether it is to be sent now.
    fn is_due(&mut self, now_ms: u64, changes: u64) -> bool {
        if self.due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return false;
        }
        self.looks = false;
        self.is_owed || changes != self.told
    }

    fn told(&mut self, now_ms: u64, changes: u64, lines: usize) {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        *self = Self {
            is_owed: false,
            not_before_ms: now_ms.saturating_add(Self::EVERY_MS),
            looks: true,
            look_not_before_ms: now_ms.saturating_add(Self::LOOK_EVERY_MS.saturating_mul(lines)),
            told: changes,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_owed_at_first_and_then_at_most_twice_a_second() {
        let mut list = List::default();
        assert!(list.is_due(1_000, 1));
        list.told(1_000, 1, 2);
        list.is_owed = true;
        assert_eq!(list.due_ms(), Some(1_500));
        assert!(!list.is_due(1_499, 2));
        assert!(list.is_due(1_500, 2));
    }

    #[test]
    fn beats_are_looked_for_the_less_often_the_more_there_are() {
        for (lines, ms) in [(1, 4_000), (7, 28_000), (32, 128_000)] {
            let mut list = List::default();
            list.told(0, 7, lines);
            assert!(!list.is_due(ms - 1, 8));
            assert!(list.is_due(ms, 8));
            // None: there is no further look before the next beat of this connection.
            list.told(0, 8, lines);
            assert!(!list.is_due(ms, 8));
            assert_eq!(list.due_ms(), None);
            list.on_proven();
            assert!(list.is_due(ms, 9));
        }
    }
}
