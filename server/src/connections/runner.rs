//! Drives one connection: the browser's messages, the clock, the session and the stream's data go in,
//! what is sent comes out. How it travels is the business of `websocket.rs` and `sse.rs`.

use super::{
    queue::{Data, Incoming, Outbound, Outgoing, Sent},
    registry::Registered,
    rules::{HeldBack, Owed},
};
use crate::{
    access::{Session, is_alive, touch},
    app::App,
    audit::{self, Event},
    secrets::p256_verifies,
};
use holdfast_protocol::{
    dpop::PublicKey,
    history::{Activity, Device},
    pop::{
        Binding, Close, Fresh, Held, Message, Now, Outcome, Refusal, Standing, Step, Verifier,
        VerifySignature,
    },
};
use serde::Serialize;
use std::convert::Infallible;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

/// Data is queued only where there is room for a batch of it and for control messages behind it.
const ROOM: usize = 48;
/// Events in a batch.
const BATCH: u32 = 32;
/// A reader who makes no room for so long is too slow.
const ROOM_WITHIN_MS: u64 = 10_000;

/// How often a connection notes that its session is used.
const TOUCH_EVERY_MS: i64 = 600_000;

/// One connection.
pub(super) struct Runner {
    pub app: App,
    pub session: Session,
    pub device: Device,
    pub binding: Binding,
    pub key: BoundKey,
    pub registered: Registered,
    pub owed: Owed,
    pub held_back: HeldBack,
    /// Something about the account has changed.
    pub wake: watch::Receiver<u64>,
    pub stopping: watch::Receiver<bool>,
    pub inbound: mpsc::Receiver<Incoming>,
    pub outbound: Outbound,
    /// Since when data has waited for a slow reader.
    pub no_room_since_ms: Option<u64>,
}

/// The key that a connection is bound to.
pub(super) struct BoundKey(pub PublicKey);

impl VerifySignature for BoundKey {
    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        p256_verifies(&self.0, message, signature)
    }
}

/// How a connection ends.
#[derive(Debug)]
enum Ending {
    Close(Close),
    /// The browser has left.
    Gone,
}

impl From<Close> for Ending {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// What happens next.
enum Next {
    End(Ending),
    Woken,
    Sent(Incoming),
    Deadline,
    ConnectionsChanged,
    /// Data is owed, and there is room for it.
    Room,
}

impl Runner {
    /// Until the connection is over.
    pub(super) async fn run(mut self) {
        // Room for the last message is kept from the start, so that a full queue cannot swallow it.
        let Some(last) = self.outbound.reserve_last().await else { return };
        let Err(ending) = self.drive().await;
        tracing::info!(connection = %self.binding.connection(), ?ending, "a connection is over");
        self.outbound.void();
        if let Ending::Close(close) = ending {
            last.send(Outgoing::Close(close));
        }
    }

    async fn drive(&mut self) -> Result<Infallible, Ending> {
        let (now, fresh) = (self.app.clock.now(), self.fresh());
        let opened = Verifier::open(self.binding.clone(), self.app.config.pop, now, fresh);
        let mut verifier = self.follow(opened, now).await?;
        loop {
            match self.next(&verifier).await {
                Next::End(ending) => return Err(ending),
                Next::Woken => {
                    self.require_session().await?;
                    self.owed.activity = true;
                }
                Next::Sent(incoming) => verifier = self.on_sent(verifier, incoming).await?,
                Next::Deadline => verifier = self.on_time(verifier, self.app.clock.now()).await?,
                Next::ConnectionsChanged => self.owed.on_connections_changed(),
                Next::Room => self.pay(&verifier).await?,
            }
        }
    }

    /// What ends a connection comes first, then the browser's messages, then the clock: each message
    /// carries its own time, so whoever floods the connection gains none.
    async fn next(&mut self, verifier: &Verifier) -> Next {
        let (clock, outbound, now) = (&self.app.clock, &self.outbound, self.app.clock.now());
        let deadline_ms = verifier.deadline_ms().unwrap_or(now.monotonic_ms);
        let due_ms = self.owed.due_ms().filter(|_| flows(verifier, now));
        let has_room = outbound.room() >= ROOM;
        self.no_room_since_ms = match due_ms {
            Some(due_ms) if due_ms <= now.monotonic_ms && !has_room => {
                self.no_room_since_ms.or(Some(now.monotonic_ms))
            }
            _ => None,
        };
        let too_slow_ms = self.no_room_since_ms.map(|since_ms| since_ms + ROOM_WITHIN_MS);
        let room = async {
            clock.sleep_until(due_ms.unwrap_or_default()).await;
            outbound.has_room(ROOM).await
        };
        tokio::select! {
            biased;
            Ok(_) = self.stopping.wait_for(|stopping| *stopping) => Next::End(Close::GoingAway.into()),
            Ok(_) = self.registered.ended.wait_for(|ended| *ended) => Next::End(Close::EndedByOwner.into()),
            () = outbound.closed() => Next::End(Ending::Gone),
            Ok(()) = self.wake.changed() => Next::Woken,
            Some(incoming) = self.inbound.recv() => Next::Sent(incoming),
            () = clock.sleep_until(deadline_ms) => Next::Deadline,
            Ok(()) = self.registered.changed.changed() => Next::ConnectionsChanged,
            true = room, if due_ms.is_some() => Next::Room,
            () = clock.sleep_until(too_slow_ms.unwrap_or_default()), if too_slow_ms.is_some() => {
                Next::End(Close::TooMuchHeld.into())
            }
        }
    }

    async fn on_sent(&mut self, verifier: Verifier, incoming: Incoming) -> Result<Verifier, Ending> {
        let Incoming { at, what } = incoming;
        // A deadline that had passed when the message arrived comes first.
        let verifier = self.on_time(verifier, at).await?;
        match what {
            Sent::Control(message) => {
                let step = verifier.on_message(&message, &self.key, at, self.fresh());
                self.follow(step, at).await
            }
            Sent::Application { .. } if verifier.standing() == Standing::Proven => {
                Err(Close::BadMessage.into())
            }
            Sent::Application { bytes } => {
                self.held_back.hold(bytes)?;
                Ok(verifier)
            }
            Sent::Unreadable => Err(Close::BadMessage.into()),
        }
    }

    async fn on_time(&mut self, verifier: Verifier, now: Now) -> Result<Verifier, Ending> {
        let step = verifier.on_deadline(now, self.fresh());
        self.follow(step, now).await
    }

    /// Does what a step of the machine says.
    async fn follow(&mut self, step: Step, now: Now) -> Result<Verifier, Ending> {
        let Step { next, send, outcome } = step;
        if matches!(outcome, Some(Outcome::Held(_) | Outcome::Closed(_))) {
            // What no reader has taken yet is sent again once the connection is proven.
            self.owed.after_id = self.outbound.void();
        }
        for message in send {
            // The close carries the code; how, is the transport's business.
            if !matches!(message, Message::End { .. }) {
                self.send(Outgoing::Control(message))?;
            }
        }
        if let Some(outcome) = outcome {
            self.registered.on_outcome(outcome, now.unix_ms);
            match outcome {
                Outcome::Proven { .. } => {
                    self.held_back.release()?;
                    self.touch().await;
                    // The session is looked at again before anything flows.
                    self.owed.activity = true;
                }
                Outcome::Held(why) | Outcome::Closed(why) => self.record(outcome, why).await,
            }
        }
        match next {
            Verifier::Closed(close) => Err(close.into()),
            open @ (Verifier::ExpectAnswer(_) | Verifier::ExpectDue(_)) => Ok(open),
        }
    }

    /// Sends what is owed, if the session still lives and the connection is still proven when it has
    /// been read; else it stays owed.
    async fn pay(&mut self, verifier: &Verifier) -> Result<(), Ending> {
        if self.owed.activity {
            let mut tx = self.app.db.read().await.map_err(away)?;
            let now_ms = self.app.clock.unix_ms();
            let lifetimes = &self.app.config.lifetimes;
            if !is_alive(&mut tx, &self.session.id, lifetimes, now_ms).await.map_err(away)? {
                return Err(Close::SessionEnded.into());
            }
            let after_id = self.owed.after_id;
            let events = audit::since(&mut tx, &self.session.account, after_id, BATCH).await.map_err(away)?;
            drop(tx);
            if !flows(verifier, self.app.clock.now()) {
                return Ok(());
            }
            for event in &events {
                self.send(data("activity", event, Some(event.id)))?;
                self.owed.after_id = event.id;
            }
            self.owed.activity = u32::try_from(events.len()).is_ok_and(|sent| sent == BATCH);
        }
        if self.owed.take_connections(self.app.clock.now().monotonic_ms) {
            let list = self.app.registry.list(&self.session.account, &self.session.id);
            self.send(data("connections", &list, None))?;
        }
        Ok(())
    }

    /// A proven answer is a use of the session: a console that only listens is not signed out for it.
    async fn touch(&mut self) {
        let now_ms = self.app.clock.unix_ms();
        if now_ms - self.session.last_seen_at_ms < TOUCH_EVERY_MS {
            return;
        }
        match self.try_touch(now_ms).await {
            Ok(()) => self.session.last_seen_at_ms = now_ms,
            Err(error) => tracing::warn!(%error, "a session's use was not noted"),
        }
    }

    async fn try_touch(&self, now_ms: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.app.db.write().await?;
        touch(&mut tx, &self.session, now_ms).await?;
        tx.commit(&self.app.live).await
    }

    /// Whether the session still lives is asked however the connection stands.
    async fn require_session(&mut self) -> Result<(), Ending> {
        let mut tx = self.app.db.read().await.map_err(away)?;
        let (now_ms, lifetimes) = (self.app.clock.unix_ms(), &self.app.config.lifetimes);
        if is_alive(&mut tx, &self.session.id, lifetimes, now_ms).await.map_err(away)? {
            Ok(())
        } else {
            Err(Close::SessionEnded.into())
        }
    }

    fn send(&mut self, outgoing: Outgoing) -> Result<(), Ending> {
        self.outbound.try_send(outgoing).map_err(|error| match error {
            TrySendError::Full(_) => Close::TooMuchHeld.into(),
            TrySendError::Closed(_) => Ending::Gone,
        })
    }

    /// The connection is held or closed whether or not the database takes note of it.
    async fn record(&mut self, outcome: Outcome, why: Held) {
        if let Err(error) = self.try_record(outcome, why).await {
            tracing::error!(%error, connection = %self.binding.connection(), "a failed challenge was not recorded");
        }
    }

    async fn try_record(&mut self, outcome: Outcome, why: Held) -> Result<(), sqlx::Error> {
        let connection = self.binding.connection();
        let mut happened = vec![match outcome {
            Outcome::Closed(_) => Activity::ConnectionClosed { connection: connection.clone() },
            Outcome::Held(_) | Outcome::Proven { .. } => {
                Activity::ConnectionHeld { connection: connection.clone(), why: why.as_str().to_owned() }
            }
        }];
        if why == Held::Refused(Refusal::Relayed) {
            happened.insert(0, Activity::RelayRefused { connection: connection.clone() });
        }
        let mut tx = self.app.db.write().await?;
        for what in happened {
            let event = Event {
                account: &self.session.account,
                what,
                device: Some(&self.device),
                session: Some(&self.session.id),
                at_ms: self.app.clock.unix_ms(),
            };
            // A connection that fails now and then would fill the trail.
            audit::record_once(&mut tx, event).await?;
        }
        tx.commit(&self.app.live).await
    }

    fn fresh(&self) -> Fresh {
        let nonce = self.app.entropy.make_text();
        Fresh { nonce, jitter: u32::from_be_bytes(self.app.entropy.make()) }
    }
}

/// Whether application data may be sent. An answer that is overdue is as good as a failed one, even
/// where the machine has not been told yet.
fn flows(verifier: &Verifier, now: Now) -> bool {
    let in_time = verifier.deadline_ms().is_some_and(|deadline_ms| now.monotonic_ms < deadline_ms);
    verifier.standing() == Standing::Proven && in_time
}

/// A session that cannot be looked up opens nothing: the browser shall come back.
fn away(error: sqlx::Error) -> Ending {
    tracing::error!(%error, "the database is away; closing a connection");
    Close::GoingAway.into()
}

fn data(name: &'static str, value: &impl Serialize, event: Option<i64>) -> Outgoing {
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    Outgoing::Data(Data { name, json, event })
}

#[cfg(test)]
mod tests;
