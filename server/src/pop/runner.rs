//! Drives one connection: the browser's messages, the clock, the session and the application's data go in,
//! what is sent comes out. How it travels is the business of `websocket.rs` and `sse.rs`.

mod line;

use self::line::Line;
use super::{
    errands::{Done, Errands},
    mailbox::{Left, Over},
    opening::Opened,
    registry::Registered,
};
use crate::{app::App, clock::Clock, secrets::p256_verifies};
use axum::extract::ws::{CloseFrame, Message};
use futures_util::future::BoxFuture;
use holdfast_protocol::{
    dpop::PublicKey,
    pop::{
        self, Binding, Close, Fresh, Now, Outcome, Standing, Step, Timing, Verifier, VerifySignature,
        is_applications,
    },
};
use std::{
    convert::Infallible,
    future::poll_fn,
    task::{Context, Poll},
};
use tokio::sync::watch;

/// What fits behind the code of a close frame (RFC 6455 section 5.5).
const REASON_BYTES: usize = 123;

/// How a connection travels, with the application at its other end.
pub(super) trait Carrier: Send + 'static {
    /// The next from the browser; none: it has left.
    fn poll_receive(&mut self, context: &mut Context<'_>, clock: &Clock) -> Poll<Option<Received>>;

    /// To the application, once the connection is proven.
    fn deliver(&mut self, message: Message) -> Result<(), Ending>;

    /// Nothing is received because the application takes nothing.
    fn is_stuffed(&self) -> bool;

    /// Whether data flows, in either direction.
    fn flow(&mut self, flow: Flow);

    /// To the browser, before any data.
    fn control(&mut self, message: &pop::Message);

    /// Sends what there is to send: control messages, and the application's data if it flows.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Sending;

    /// Whether the reader has taken something since this was asked last.
    fn took(&mut self) -> bool;

    /// Nothing flows any more, and the application knows.
    fn stop(&mut self, over: Over);

    /// Says why it ends, if there is anybody to say it to. Boxed, since it is for once.
    fn say_goodbye(&mut self, goodbye: Option<CloseFrame>, clock: Clock) -> BoxFuture<'_, ()>;
}

/// Something from the browser, and when it came.
pub(super) struct Received {
    pub at: Now,
    pub what: Sent,
}

/// What a browser sends.
pub(super) enum Sent {
    Control(pop::Message),
    Application(Message),
    /// Neither.
    Unreadable,
}

/// Whether data flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The connection is not proven.
    Held,
    /// It is, and its session is being looked at.
    Looking,
    /// Until this time, whatever is heard until then.
    Until(u64),
}

impl Flow {
    /// 0 where nothing flows.
    pub(super) fn until_ms(self) -> u64 {
        match self {
            Flow::Held | Flow::Looking => 0,
            Flow::Until(ms) => ms,
        }
    }
}

/// How far sending has come.
pub(super) enum Sending {
    /// All is sent.
    Idle,
    /// Something waits for the reader.
    Blocked,
    Over(Ending),
}

/// How a connection ends.
#[derive(Debug)]
pub(super) enum Ending {
    Close(Close),
    /// The browser has left.
    Gone,
    /// The application has closed it, and says how.
    Application(CloseFrame),
}

impl From<Close> for Ending {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl From<Left> for Ending {
    fn from(left: Left) -> Self {
        // RFC 6455 section 7.4.1.
        let (code, reason) = match left {
            Left::Done => (1000, ""),
            Left::Failed => (1011, "the application failed"),
        };
        Self::Application(CloseFrame { code, reason: reason.into() })
    }
}

impl Ending {
    /// A code that is not the application's to say, or more than a close frame holds, is its failure: the
    /// browser would take the one for this protocol's and the other for none.
    pub(super) fn by_application(frame: Option<CloseFrame>) -> Self {
        let Some(frame) = frame else { return Left::Done.into() };
        if is_applications(frame.code) && frame.reason.len() <= REASON_BYTES {
            return Self::Application(frame);
        }
        tracing::error!(code = frame.code, "an application closes in a way that is not its own");
        Left::Failed.into()
    }

    fn goodbye(self) -> Option<CloseFrame> {
        match self {
            Ending::Close(close) => Some(CloseFrame { code: close.code(), reason: reason(close).into() }),
            Ending::Gone => None,
            Ending::Application(frame) => Some(frame),
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

/// The key that a connection is bound to.
struct BoundKey(PublicKey);

/// On the thread that the answer came to. A verification takes 65 µs; to hand it to a thread that may block
/// and to hear of it again takes 25 µs more, and the cores are as many as the threads that this one is of, so
/// that whatever runs beside them takes their time all the same.
impl VerifySignature for BoundKey {
    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        p256_verifies(&self.0, message, signature)
    }
}

/// One connection.
struct Runner<C> {
    app: App,
    key: BoundKey,
    registered: Registered,
    errands: Errands,
    /// The session was alive when it was last looked at, and nothing has happened since.
    lives: bool,
    /// What the carrier was told last.
    flow: Flow,
    /// Something about the account has changed.
    wake: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    line: Line<C>,
}

/// What happens next.
enum Next {
    End(Ending),
    Woken,
    Done(Done),
    Received(Received),
    Deadline,
}

/// Until the connection is over. What it needs is put together before it begins, and nothing moves after that:
/// a future keeps room for what has moved through it.
pub(super) fn run<C: Carrier>(opened: Opened, carrier: C) -> impl Future<Output = ()> + Send {
    let Opened { app, registered, binding, timing, key, wake } = opened;
    let mut runner = Runner::new(app, registered, BoundKey(key), wake, carrier);
    async move {
        let Err(ending) = runner.drive(binding, timing).await;
        // From here on nothing flows, whatever the database still has to be told.
        let now_ms = runner.app.clock.now().monotonic_ms;
        let proven = matches!(runner.flow, Flow::Until(until_ms) if now_ms < until_ms);
        let left = proven && matches!(ending, Ending::Gone);
        runner.line.carrier.stop(if left { Over::Left } else { Over::Void });
        runner.errands.finish().await;
        tracing::info!(connection = %runner.registered.entry.about.id, ?ending, "a connection is over");
        runner.registered.leave();
        let clock = runner.app.clock.clone();
        runner.line.carrier.say_goodbye(ending.goodbye(), clock).await;
    }
}

impl<C: Carrier> Runner<C> {
    fn new(app: App, registered: Registered, key: BoundKey, wake: watch::Receiver<u64>, carrier: C) -> Self {
        let clock = app.clock.clone();
        Self {
            errands: Errands::new(app.clone(), registered.entry.clone()),
            stopping: app.live.stopping(),
            line: Line::new(carrier, clock),
            app,
            key,
            registered,
            lives: false,
            flow: Flow::Held,
            wake,
        }
    }

    async fn drive(&mut self, binding: Binding, timing: Timing) -> Result<Infallible, Ending> {
        let now = self.app.clock.now();
        let mut verifier = self.follow(Verifier::open(binding, timing, now, self.fresh()), now)?;
        loop {
            match self.next(verifier.deadline_ms().unwrap_or_default()).await {
                // Whether what it sent before counts is what the look will say.
                Next::End(Ending::Gone) if self.flow == Flow::Looking => self.line.gone = true,
                Next::End(ending) => return Err(ending),
                Next::Woken => {
                    self.lives = false;
                    self.errands.look();
                }
                Next::Done(done) => self.on_done(done)?,
                Next::Received(received) => verifier = self.on_received(verifier, received)?,
                Next::Deadline => verifier = self.on_time(verifier, self.app.clock.now())?,
            }
            self.let_flow(&verifier);
            if self.line.gone && self.flow != Flow::Looking {
                return Err(Ending::Gone);
            }
        }
    }

    /// What ends a connection comes first, then the browser's messages, then the clock: each message
    /// carries its own time, so whoever floods the connection gains none.
    async fn next(&mut self, deadline_ms: u64) -> Next {
        let Self { stopping, registered, wake, errands, line, .. } = self;
        tokio::select! {
            biased;
            Ok(_) = stopping.wait_for(|stopping| *stopping) => Next::End(Close::GoingAway.into()),
            () = registered.ended() => Next::End(Close::EndedByOwner.into()),
            Ok(()) = wake.changed() => Next::Woken,
            done = errands.done() => Next::Done(done),
            next = poll_fn(|context| line.poll_next(context, deadline_ms)) => next,
        }
    }

    /// A session that cannot be looked up opens nothing: the browser shall come back.
    fn on_done(&mut self, done: Done) -> Result<(), Ending> {
        match done {
            Done::Alive { .. } => self.lives = !self.errands.is_looking(),
            Done::Over => return Err(Close::SessionEnded.into()),
            Done::Away => return Err(Close::GoingAway.into()),
            Done::Recorded => {}
        }
        Ok(())
    }

    fn on_received(&mut self, verifier: Verifier, received: Received) -> Result<Verifier, Ending> {
        let Received { at, what } = received;
        // A deadline that had passed when the message arrived comes first.
        let verifier = self.on_time(verifier, at)?;
        match what {
            Sent::Control(message) => {
                let step = verifier.on_message(&message, &self.key, at, self.fresh());
                self.follow(step, at)
            }
            Sent::Application(message) => {
                self.line.carrier.deliver(message)?;
                Ok(verifier)
            }
            Sent::Unreadable => Err(Close::BadMessage.into()),
        }
    }

    fn on_time(&mut self, verifier: Verifier, now: Now) -> Result<Verifier, Ending> {
        if verifier.deadline_ms().is_some_and(|deadline_ms| now.monotonic_ms < deadline_ms) {
            return Ok(verifier);
        }
        if matches!(verifier, Verifier::ExpectAnswer(_)) && self.line.carrier.is_stuffed() {
            // The answer may have come and cannot be read: that is nobody's failure to prove anything.
            return Err(Close::TooMuchHeld.into());
        }
        let step = verifier.on_deadline(now, self.fresh());
        self.follow(step, now)
    }

    /// Does what a step of the machine says.
    fn follow(&mut self, step: Step, now: Now) -> Result<Verifier, Ending> {
        let Step { next, send, outcome } = step;
        if let Some(outcome) = outcome {
            self.registered.on_outcome(outcome, now.unix_ms);
            // The session is looked at again before anything flows.
            self.lives = false;
            match outcome {
                Outcome::Proven { .. } => self.errands.look_and_note(),
                Outcome::Held(why) | Outcome::Closed(why) => self.errands.record(outcome, why),
            }
        }
        // Stopped before it is said.
        self.let_flow(&next);
        for message in &send {
            // The close carries the code; how, is the carrier's business.
            if !matches!(message, pop::Message::End { .. }) {
                self.line.carrier.control(message);
            }
        }
        match next {
            Verifier::Closed(close) => Err(close.into()),
            open @ (Verifier::ExpectAnswer(_) | Verifier::ExpectDue(_)) => Ok(open),
        }
    }

    /// Data flows while the connection is proven and its session lives. An answer that is overdue is as
    /// good as a failed one, even where the machine has not been told yet.
    fn let_flow(&mut self, verifier: &Verifier) {
        let flow = match verifier.deadline_ms() {
            Some(until_ms) if verifier.standing() == Standing::Proven => {
                if self.lives {
                    Flow::Until(until_ms)
                } else {
                    Flow::Looking
                }
            }
            _ => Flow::Held,
        };
        if std::mem::replace(&mut self.flow, flow) != flow {
            self.line.carrier.flow(flow);
        }
    }

    fn fresh(&self) -> Fresh {
        let nonce = self.app.entropy.make_text();
        Fresh { nonce, jitter: u32::from_be_bytes(self.app.entropy.make()) }
    }
}

#[cfg(test)]
mod tests;
