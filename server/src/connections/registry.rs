use super::{queue::Incoming, rules::MAX_PER_SESSION};
use holdfast_protocol::{
    connections::{BEATS, Beat, ConnectionList, ConnectionView, Transport},
    history::Device,
    ids::{AccountId, ConnectionId, SessionId},
    pop::{Outcome, Standing},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{mpsc, watch};

/// The live connections of this instance. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(
    // Held for a look-up or a push, never while a connection does anything.
    Arc<Mutex<HashMap<AccountId, Room>>>,
);

/// The connections of one account, the oldest first.
#[derive(Default)]
struct Room {
    entries: Vec<Arc<Entry>>,
    changed: watch::Sender<u64>,
}

/// A live connection.
pub(super) struct Entry {
    about: About,
    pulse: Mutex<Pulse>,
    ended: watch::Sender<bool>,
}

/// What is fixed about a connection.
pub(super) struct About {
    pub id: ConnectionId,
    pub account: AccountId,
    pub session: SessionId,
    /// The path of the stream.
    pub stream: &'static str,
    pub device: Device,
    pub transport: Transport,
    pub opened_at_ms: u64,
    /// Where answers that come by POST go; a WebSocket brings its own.
    pub answers: Option<mpsc::Sender<Incoming>>,
}

/// What changes about it.
struct Pulse {
    standing: Standing,
    beats: VecDeque<Beat>,
    proven_at_ms: Option<u64>,
    failures: u32,
}

impl Registry {
    /// Lists a connection until what is given back is dropped. `None`: the session holds as many as it
    /// may.
    pub(super) fn register(&self, about: About) -> Option<Registered> {
        let mut rooms = self.rooms();
        let room = rooms.entry(about.account.clone()).or_default();
        if count_of(room, &about.session) >= MAX_PER_SESSION {
            return None;
        }
        let entry = Arc::new(Entry {
            about,
            pulse: Mutex::new(Pulse {
                standing: Standing::Unproven,
                beats: VecDeque::with_capacity(BEATS),
                proven_at_ms: None,
                failures: 0,
            }),
            ended: watch::Sender::new(false),
        });
        room.entries.push(entry.clone());
        room.tell();
        let (ended, changed) = (entry.ended.subscribe(), room.changed.subscribe());
        Some(Registered { registry: self.clone(), entry, ended, changed })
    }

    /// An account's connections, as a browser of this session sees them.
    pub(super) fn list(&self, account: &AccountId, session: &SessionId) -> ConnectionList {
        let entries = self.rooms().get(account).map(|room| room.entries.clone()).unwrap_or_default();
        ConnectionList { connections: entries.iter().map(|entry| entry.view(session)).collect() }
    }

    /// One connection of an account.
    pub(super) fn find(&self, account: &AccountId, id: &ConnectionId) -> Option<Arc<Entry>> {
        let rooms = self.rooms();
        rooms.get(account)?.entries.iter().find(|entry| entry.about.id == *id).cloned()
    }

    /// How many connections a session holds.
    pub(super) fn count(&self, account: &AccountId, session: &SessionId) -> usize {
        self.rooms().get(account).map_or(0, |room| count_of(room, session))
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<AccountId, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, account: &AccountId) {
        if let Some(room) = self.rooms().get(account) {
            room.tell();
        }
    }

    fn remove(&self, entry: &Entry) {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&entry.about.account) else { return };
        room.entries.retain(|kept| kept.about.id != entry.about.id);
        room.tell();
        if room.entries.is_empty() {
            rooms.remove(&entry.about.account);
        }
    }
}

fn count_of(room: &Room, session: &SessionId) -> usize {
    room.entries.iter().filter(|entry| entry.about.session == *session).count()
}

impl Room {
    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Entry {
    pub(super) fn session(&self) -> &SessionId {
        &self.about.session
    }

    pub(super) fn answers(&self) -> Option<&mpsc::Sender<Incoming>> {
        self.about.answers.as_ref()
    }

    /// The owner wants it closed.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
    }

    fn view(&self, session: &SessionId) -> ConnectionView {
        let pulse = self.pulse();
        ConnectionView {
            id: self.about.id.clone(),
            session: self.about.session.clone(),
            stream: self.about.stream.to_owned(),
            device: self.about.device.clone(),
            transport: self.about.transport,
            opened_at_ms: self.about.opened_at_ms,
            standing: pulse.standing,
            beats: pulse.beats.iter().copied().collect(),
            proven_at_ms: pulse.proven_at_ms,
            failures: pulse.failures,
            this_browser: self.about.session == *session,
        }
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in the list; dropped, it is gone from there.
pub(super) struct Registered {
    registry: Registry,
    entry: Arc<Entry>,
    /// True once the owner has ended it.
    pub ended: watch::Receiver<bool>,
    /// Changes with every change in the account's connections.
    pub changed: watch::Receiver<u64>,
}

impl Registered {
    /// A challenge was answered, or was not.
    pub(super) fn on_outcome(&self, outcome: Outcome, unix_ms: u64) {
        {
            let mut pulse = self.entry.pulse();
            if pulse.beats.len() == BEATS {
                pulse.beats.pop_front();
            }
            match outcome {
                Outcome::Proven { rtt_ms } => {
                    pulse.standing = Standing::Proven;
                    pulse.proven_at_ms = Some(unix_ms);
                    pulse.beats.push_back(Beat::Proven { rtt_ms });
                }
                Outcome::Held(_) | Outcome::Closed(_) => {
                    pulse.standing = Standing::Held;
                    pulse.failures = pulse.failures.saturating_add(1);
                    pulse.beats.push_back(Beat::Failed);
                }
            }
        }
        self.registry.tell(&self.entry.about.account);
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.remove(&self.entry);
    }
}
