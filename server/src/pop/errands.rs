//! What a connection has to do at the database, one thing after the other, while it goes on reading.

use super::registry::Entry;
use crate::{
    access::{is_alive, touch},
    app::App,
    audit::{self, Event},
};
use futures_util::future::BoxFuture;
use holdfast_protocol::{
    history::Activity,
    pop::{Held, Outcome, Refusal},
};
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// How often a connection notes that its session is used.
const TOUCH_EVERY_MS: i64 = 600_000;

pub(super) struct Errands {
    app: App,
    connection: Arc<Entry>,
    /// Boxed, since most connections are on none most of the time.
    under_way: Option<BoxFuture<'static, Done>>,
    failures: VecDeque<(Outcome, Held)>,
    look: bool,
    used: bool,
    noted_at_ms: i64,
}

/// What came of one.
pub(super) enum Done {
    /// The session lives.
    Alive {
        /// When its use was noted, if it was.
        noted_at_ms: Option<i64>,
    },
    /// It does not.
    Over,
    /// Nobody can say.
    Away,
    /// A failure is recorded, if it could be.
    Recorded,
}

impl Errands {
    pub(super) fn new(app: App, connection: Arc<Entry>) -> Self {
        let noted_at_ms = connection.about.session.last_seen_at_ms;
        Self {
            app,
            connection,
            under_way: None,
            failures: VecDeque::new(),
            look: false,
            used: false,
            noted_at_ms,
        }
    }

    /// Something about the account has changed: whether the session still lives is to be asked.
    pub(super) fn look(&mut self) {
        self.look = true;
    }

    /// A proven answer is a use of the session: a console that only listens is not signed out for it.
    pub(super) fn look_and_note(&mut self) {
        self.look = true;
        self.used = true;
    }

    /// The connection is held or closed whether or not the database takes note of it.
    pub(super) fn record(&mut self, outcome: Outcome, why: Held) {
        self.failures.push_back((outcome, why));
    }

    /// The next that is done. Where `Alive` is what came of it and nothing has happened since, data may
    /// flow: see [`Errands::is_looking`].
    pub(super) async fn done(&mut self) -> Done {
        poll_fn(|context| self.poll(context)).await
    }

    /// Whether the session is still to be looked at.
    pub(super) fn is_looking(&self) -> bool {
        self.look
    }

    /// Records what is left to be recorded.
    pub(super) async fn finish(&mut self) {
        self.look = false;
        while self.under_way.is_some() || !self.failures.is_empty() {
            self.done().await;
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        if self.under_way.is_none() {
            self.under_way = self.next();
        }
        let Some(errand) = &mut self.under_way else { return Poll::Pending };
        let done = ready!(errand.as_mut().poll(context));
        self.under_way = None;
        if let Done::Alive { noted_at_ms: Some(ms) } = done {
            self.noted_at_ms = ms;
        }
        Poll::Ready(done)
    }

    fn next(&mut self) -> Option<BoxFuture<'static, Done>> {
        let (app, connection) = (self.app.clone(), self.connection.clone());
        if let Some((outcome, why)) = self.failures.pop_front() {
            return Some(Box::pin(async move {
                if let Err(error) = record(&app, &connection, outcome, why).await {
                    let connection = &connection.about.id;
                    tracing::error!(%error, %connection, "a failed challenge was not recorded");
                }
                Done::Recorded
            }));
        }
        if !std::mem::take(&mut self.look) {
            return None;
        }
        let used = std::mem::take(&mut self.used);
        let is_due = used && app.clock.unix_ms() - self.noted_at_ms >= TOUCH_EVERY_MS;
        Some(Box::pin(async move {
            match lives(&app, &connection).await {
                Ok(true) if is_due => Done::Alive { noted_at_ms: note(&app, &connection).await },
                Ok(true) => Done::Alive { noted_at_ms: None },
                Ok(false) => Done::Over,
                Err(error) => {
                    tracing::error!(%error, "the database is away; closing a connection");
                    Done::Away
                }
            }
        }))
    }
}

async fn lives(app: &App, connection: &Entry) -> Result<bool, sqlx::Error> {
    let mut tx = app.db.look().await?;
    is_alive(&mut tx, connection.session(), &app.config.lifetimes, app.clock.unix_ms()).await
}

async fn note(app: &App, connection: &Entry) -> Option<i64> {
    let now_ms = app.clock.unix_ms();
    let noted = async {
        let mut tx = app.db.write().await?;
        touch(&mut tx, &connection.about.session, now_ms).await?;
        tx.commit(&app.live).await
    };
    match noted.await {
        Ok(()) => Some(now_ms),
        Err(error) => {
            tracing::warn!(%error, "a session's use was not noted");
            None
        }
    }
}

async fn record(app: &App, connection: &Entry, outcome: Outcome, why: Held) -> Result<(), sqlx::Error> {
    let about = &connection.about;
    let mut happened = vec![match outcome {
        Outcome::Closed(_) => Activity::ConnectionClosed { connection: about.id.clone() },
        Outcome::Held(_) | Outcome::Proven { .. } => {
            Activity::ConnectionHeld { connection: about.id.clone(), why: why.as_str().to_owned() }
        }
    }];
    if why == Held::Refused(Refusal::Relayed) {
        happened.insert(0, Activity::RelayRefused { connection: about.id.clone() });
    }
    let mut tx = app.db.write().await?;
    for what in happened {
        let event = Event {
            account: &about.session.account,
            what,
            device: Some(&about.device),
            session: Some(&about.session.id),
            at_ms: app.clock.unix_ms(),
        };
        // A connection that fails now and then would fill the trail.
        audit::record_once(&mut tx, event).await?;
    }
    tx.commit(&app.live).await
}
