//! The live connections of this instance: listed, found, ended, and answered for.

use super::rules::MAX_PER_SESSION;
use crate::access::Session;
use futures_util::task::AtomicWaker;
use holdfast_protocol::{
    connections::{BEATS, Beat, ConnectionList, ConnectionView, Transport},
    history::Device,
    ids::{AccountId, ConnectionId, SessionId},
    pop::{Message, Now, Outcome, Standing},
};
use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};
use tokio::sync::{Notify, watch};

/// Posted answers that wait for their connection.
const ANSWERS: usize = 64;

/// The live connections of this instance. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(
    // Held while a connection comes, goes or is looked for, never while it does anything.
    Arc<Mutex<HashMap<AccountId, Room>>>,
);

/// The connections of one account, the oldest first.
#[derive(Default)]
struct Room {
    entries: Vec<Arc<Entry>>,
    changes: Changes,
}

/// Counts what changes in an account's connections.
#[derive(Clone, Default)]
struct Changes(watch::Sender<u64>);

/// A live connection.
pub(crate) struct Entry {
    pub(super) about: About,
    pulse: Mutex<Pulse>,
    calls: Mutex<Calls>,
    bell: AtomicWaker,
    pub(super) proven: Notify,
}

/// What is fixed about a connection.
pub(super) struct About {
    pub id: ConnectionId,
    pub session: Session,
    /// The path of the stream.
    pub stream: Arc<str>,
    /// What opened it.
    pub device: Device,
    pub transport: Transport,
    pub opened_at_ms: u64,
}

/// What changes about it.
struct Pulse {
    standing: Standing,
    beats: VecDeque<Beat>,
    proven_at_ms: Option<u64>,
    failures: u32,
}

/// What others want of it.
#[derive(Default)]
struct Calls {
    ended: bool,
    answers: VecDeque<Answer>,
}

/// A message that came by POST, and when: it is not late because others were waiting here before it.
pub(crate) struct Answer {
    pub at: Now,
    pub message: Message,
}

/// Why an answer was not taken.
pub(crate) enum NotTaken {
    /// The connection brings its answers itself.
    NotPosted,
    /// Too many are waiting.
    Full,
}

impl Registry {
    /// Lists a connection until what is given back is dropped. `None`: the session holds as many as it
    /// may.
    pub(super) fn register(&self, about: About) -> Option<Registered> {
        let mut rooms = self.rooms();
        let room = rooms.entry(about.session.account.clone()).or_default();
        if count_of(room, &about.session.id) >= MAX_PER_SESSION {
            return None;
        }
        let entry = Arc::new(Entry {
            about,
            pulse: Mutex::new(Pulse {
                standing: Standing::Unproven,
                beats: VecDeque::new(),
                proven_at_ms: None,
                failures: 0,
            }),
            calls: Mutex::default(),
            bell: AtomicWaker::new(),
            proven: Notify::new(),
        });
        room.entries.push(entry.clone());
        room.changes.tell();
        Some(Registered { registry: self.clone(), changes: room.changes.clone(), entry })
    }

    /// An account's connections, as a browser of this session sees them.
    pub(crate) fn list(&self, account: &AccountId, session: &SessionId) -> ConnectionList {
        let entries = self.rooms().get(account).map(|room| room.entries.clone()).unwrap_or_default();
        ConnectionList { connections: entries.iter().map(|entry| entry.view(session)).collect() }
    }

    /// Counts what changes in an account's connections, and wakes who watches when one is opened or ended, held
    /// or proven again. A beat of one that stands as it did is counted without a word, or each would cost as
    /// much as there are connections.
    pub(crate) fn watch(&self, account: &AccountId) -> watch::Receiver<u64> {
        let rooms = self.rooms();
        // Without connections there is nobody who would be told.
        rooms.get(account).map_or_else(|| watch::channel(0).1, |room| room.changes.0.subscribe())
    }

    /// One connection of an account.
    pub(crate) fn find(&self, account: &AccountId, id: &ConnectionId) -> Option<Arc<Entry>> {
        let rooms = self.rooms();
        rooms.get(account)?.entries.iter().find(|entry| entry.about.id == *id).cloned()
    }

    /// How many connections a session holds.
    pub(super) fn count(&self, account: &AccountId, session: &SessionId) -> usize {
        self.rooms().get(account).map_or(0, |room| count_of(room, session))
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<AccountId, Room>> {
        lock(&self.0)
    }

    fn remove(&self, entry: &Entry) {
        let mut rooms = self.rooms();
        let account = &entry.about.session.account;
        let Some(room) = rooms.get_mut(account) else { return };
        let Some(at) = room.entries.iter().position(|kept| kept.about.id == entry.about.id) else { return };
        room.entries.remove(at);
        room.changes.tell();
        if room.entries.is_empty() {
            rooms.remove(account);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count_of(room: &Room, session: &SessionId) -> usize {
    room.entries.iter().filter(|entry| entry.about.session.id == *session).count()
}

impl Changes {
    /// And wakes who watches.
    fn tell(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn count(&self) {
        self.0.send_if_modified(|count| {
            *count = count.wrapping_add(1);
            false
        });
    }
}

impl Entry {
    pub(crate) fn session(&self) -> &SessionId {
        &self.about.session.id
    }

    /// The owner wants it closed.
    pub(crate) fn end(&self) {
        lock(&self.calls).ended = true;
        self.ring();
    }

    /// Hands over what came by POST.
    pub(crate) fn post(&self, answer: Answer) -> Result<(), NotTaken> {
        self.require_posted()?;
        let mut calls = lock(&self.calls);
        if calls.answers.len() >= ANSWERS {
            return Err(NotTaken::Full);
        }
        calls.answers.push_back(answer);
        drop(calls);
        self.ring();
        Ok(())
    }

    /// A WebSocket brings its own answers.
    pub(crate) fn require_posted(&self) -> Result<(), NotTaken> {
        match self.about.transport {
            Transport::WebSocket => Err(NotTaken::NotPosted),
            Transport::ServerSentEvents => Ok(()),
        }
    }

    pub(super) fn take_answer(&self) -> Option<Answer> {
        lock(&self.calls).answers.pop_front()
    }

    /// Makes the connection look at what there is for it.
    pub(super) fn ring(&self) {
        self.bell.wake();
    }

    fn view(&self, session: &SessionId) -> ConnectionView {
        let pulse = lock(&self.pulse);
        ConnectionView {
            id: self.about.id.clone(),
            session: self.about.session.id.clone(),
            stream: self.about.stream.as_ref().to_owned(),
            device: self.about.device.clone(),
            transport: self.about.transport,
            opened_at_ms: self.about.opened_at_ms,
            standing: pulse.standing,
            beats: pulse.beats.iter().copied().collect(),
            proven_at_ms: pulse.proven_at_ms,
            failures: pulse.failures,
            this_browser: self.about.session.id == *session,
        }
    }
}

/// A connection's place in the list; dropped, it is gone from there.
pub(super) struct Registered {
    registry: Registry,
    /// Of its account: that a beat came concerns nobody else's connections.
    changes: Changes,
    pub entry: Arc<Entry>,
}

impl Registered {
    /// Ends once the owner has ended it. Whoever polls this hears the bell: whenever it rings, everything
    /// that there may be for the connection is to be looked at.
    pub(super) async fn ended(&self) {
        poll_fn(|context| {
            self.entry.bell.register(context.waker());
            if lock(&self.entry.calls).ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Listed no longer, although it may still have to say why it ends.
    pub(super) fn leave(&self) {
        self.registry.remove(&self.entry);
    }

    /// A challenge was answered, or was not.
    pub(super) fn on_outcome(&self, outcome: Outcome, unix_ms: u64) {
        let before = self.note(outcome, unix_ms);
        let goes_on = matches!((before, outcome), (Standing::Proven, Outcome::Proven { .. }));
        if goes_on { self.changes.count() } else { self.changes.tell() }
    }

    /// Gives back how it stood before.
    fn note(&self, outcome: Outcome, unix_ms: u64) -> Standing {
        let mut pulse = lock(&self.entry.pulse);
        if pulse.beats.len() == BEATS {
            pulse.beats.pop_front();
        }
        let before = pulse.standing;
        match outcome {
            Outcome::Proven { rtt_ms } => {
                pulse.standing = Standing::Proven;
                pulse.proven_at_ms = Some(unix_ms);
                self.entry.proven.notify_one();
                pulse.beats.push_back(Beat::Proven { rtt_ms });
            }
            Outcome::Held(_) | Outcome::Closed(_) => {
                pulse.standing = Standing::Held;
                pulse.failures = pulse.failures.saturating_add(1);
                pulse.beats.push_back(Beat::Failed);
            }
        }
        before
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.leave();
    }
}
