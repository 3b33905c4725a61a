//! One connection, as its handle sees it: over all reconnections. Pure: time and randomness come
//! in, effects go out.
//!
//! ```text
//!            mint                dialled             proven
//!   start ──────▶ ExpectTicket ─────────▶ ExpectProof ─────▶ Live
//!                  ▲    │ failed            │ lost, late      │ lost, silent
//!            due,  │    ▼                   ▼                 ▼
//!            asked └─ ExpectRetry ◀────────────────────────────
//!
//!   Live, and the application has said its last word ──▶ Ended
//!   4403, or 401 for a ticket ──▶ ExpectNewKey ──▶ ExpectKeyCheck ──▶ ExpectTicket if another tab
//!                                                                └─▶ Ended        has signed in anew
//!   page into the back/forward cache ──▶ Asleep ──▶ start when it is shown again
//!
//!   shared by all tabs: start ──▶ Following ──▶ ExpectTicket once this tab leads
//! ```

mod input;
mod sharing;
mod waiting;

use crate::{
    End, State,
    backoff::Backoff,
    effect::{Attempt, Effect, KeyCheck, Line, NotDialled},
};
use holdfast_protocol::pop::{Binding, Challenge, Close, Message, Prover, Standing, ToSign, is_last_word};
pub(crate) use input::Input;

/// From the wish for a ticket to the first proof.
const PROVE_WITHIN_MS: u64 = 15_000;
/// From `ask` after a sleep to a verdict.
const CHECK_WITHIN_MS: u64 = 5_000;
/// Not proven anew for so long: ask. Challenges come every 30 s unless the operator says otherwise.
const SILENT_AFTER_MS: u64 = 90_000;
/// A tab that signs in anew ends this one's session a moment before it can say so.
const NEW_KEY_WITHIN_MS: u64 = 1_500;

#[derive(Debug)]
pub(crate) struct Machine {
    phase: Phase,
    backoff: Backoff,
    attempt: Attempt,
    random: fn() -> u32,
    dialling: Dialling,
    /// The server has asked to be left alone until then, or the tab that led waits for as long.
    not_before_ms: u64,
}

/// Who dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialling {
    /// This connection, for itself.
    Alone,
    /// One tab for all of them.
    Shared,
}

#[derive(Debug)]
enum Phase {
    Idle,
    /// Another tab leads, or nobody yet.
    Following {
        silence: Silence,
    },
    ExpectTicket {
        give_up_at_ms: u64,
    },
    ExpectProof {
        prover: Prover,
        give_up_at_ms: u64,
    },
    Live(Live),
    ExpectRetry {
        at_ms: u64,
    },
    ExpectNewKey {
        look_at_ms: u64,
    },
    ExpectKeyCheck {
        give_up_at_ms: u64,
    },
    Asleep,
    Ended,
}

#[derive(Debug)]
struct Live {
    prover: Prover,
    since_ms: u64,
    /// When to ask because nothing was heard, or to give up because nothing was answered.
    silence: Silence,
}

#[derive(Debug, Clone, Copy)]
enum Silence {
    AskAt(u64),
    GiveUpAt(u64),
}

type Effects = Vec<Effect>;

impl Machine {
    pub(crate) fn new(random: fn() -> u32, dialling: Dialling) -> Self {
        let (backoff, attempt) = (Backoff::default(), Attempt::default());
        Self { phase: Phase::Idle, backoff, attempt, random, dialling, not_before_ms: 0 }
    }

    /// The try that is under way.
    pub(crate) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Whether application data flows.
    pub(crate) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Live(live) => live.prover.standing(),
            _ => Standing::Unproven,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    pub(crate) fn is_following(&self) -> bool {
        matches!(self.phase, Phase::Following { .. })
    }

    /// When [`Machine::on_deadline`] wants to be called.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::ExpectTicket { give_up_at_ms } | Phase::ExpectProof { give_up_at_ms, .. } => {
                Some(*give_up_at_ms)
            }
            Phase::Live(Live { silence: Silence::AskAt(at_ms) | Silence::GiveUpAt(at_ms), .. })
            | Phase::Following { silence: Silence::AskAt(at_ms) | Silence::GiveUpAt(at_ms) }
            | Phase::ExpectRetry { at_ms }
            | Phase::ExpectNewKey { look_at_ms: at_ms }
            | Phase::ExpectKeyCheck { give_up_at_ms: at_ms } => Some(*at_ms),
            Phase::Idle | Phase::Asleep | Phase::Ended => None,
        }
    }

    /// Begins.
    pub(crate) fn start(&mut self, now_ms: u64) -> Effects {
        match self.phase {
            Phase::Idle => self.begin(now_ms, Vec::new()),
            _ => Vec::new(),
        }
    }

    /// A ticket was minted and its address dialled. False: too late, hang up.
    pub(crate) fn on_dialled(&mut self, attempt: Attempt, binding: Binding) -> bool {
        match self.phase {
            Phase::ExpectTicket { give_up_at_ms } if attempt == self.attempt => {
                self.phase = Phase::ExpectProof { prover: Prover::new(binding), give_up_at_ms };
                true
            }
            _ => false,
        }
    }

    /// The transport stands; the first challenge is on its way.
    pub(crate) fn on_opened(&self) -> Effects {
        match self.phase {
            Phase::ExpectProof { .. } => vec![Effect::Report(State::Proving)],
            _ => Vec::new(),
        }
    }

    /// No ticket, or no transport.
    pub(crate) fn on_not_dialled(&mut self, attempt: Attempt, why: NotDialled, now_ms: u64) -> Effects {
        if attempt != self.attempt || !matches!(self.phase, Phase::ExpectTicket { .. }) {
            return Vec::new();
        }
        match why {
            NotDialled::Later { after_ms } => self.wait(now_ms, after_ms),
            NotDialled::SignedOut => self.expect_new_key(now_ms),
            NotDialled::NoKey => self.end(End::NoKey),
            NotDialled::Refused => self.end(End::Refused),
        }
    }

    /// The server asks for a proof: sign it, or send the refusal. It takes neither time nor list: this is the
    /// path that is measured.
    pub(crate) fn on_challenge(&mut self, challenge: &Challenge) -> Option<Result<ToSign, Message>> {
        Some(self.prover()?.on_challenge(challenge))
    }

    /// The server says something else about the connection.
    pub(crate) fn on_control(&mut self, message: &Message, now_ms: u64) -> Effects {
        let Some(prover) = self.prover() else { return Vec::new() };
        match message {
            Message::Proven { rtt_ms, .. } => {
                prover.on_verdict(message);
                let proven = prover.standing() == Standing::Proven;
                if !proven {
                    return Vec::new();
                }
                self.become_live(now_ms);
                // Told before anything flows, and again with each heartbeat.
                vec![Effect::Report(State::Open { rtt_ms: *rtt_ms }), Effect::Release]
            }
            Message::Held { .. } => {
                prover.on_verdict(message);
                vec![Effect::Report(State::Held)]
            }
            Message::End { code } => self.on_lost(*code, now_ms),
            // Only a browser says the last three; the first is for `on_challenge`.
            Message::Challenge(_) | Message::Answer { .. } | Message::Refuse { .. } | Message::Ask => {
                self.on_nonsense(now_ms)
            }
        }
    }

    /// The server does not speak this protocol; perhaps another instance does.
    pub(crate) fn on_nonsense(&mut self, now_ms: u64) -> Effects {
        self.wait(now_ms, 0)
    }

    /// The transport is gone, with a WebSocket close code; 1006 where there is none.
    pub(crate) fn on_lost(&mut self, code: u16, now_ms: u64) -> Effects {
        if !matches!(self.phase, Phase::ExpectProof { .. } | Phase::Live(_)) {
            return Vec::new();
        }
        match Close::from_code(code) {
            Some(Close::SessionEnded) => self.expect_new_key(now_ms),
            Some(Close::EndedByOwner) => self.end(End::EndedByOwner),
            Some(close) if !close.may_reconnect() => self.end(End::Refused),
            // Its words count as its data does: of a proven connection. Server-sent events have no such word;
            // as of any `EventSource`, their end is a loss.
            None if self.dialling == Dialling::Alone
                && self.standing() == Standing::Proven
                && is_last_word(code) =>
            {
                self.end(End::EndedByApplication)
            }
            Some(_) | None => self.wait(now_ms, 0),
        }
    }

    /// What the look into the key store found.
    pub(crate) fn on_key_checked(&mut self, attempt: Attempt, found: KeyCheck, now_ms: u64) -> Effects {
        if attempt != self.attempt || !matches!(self.phase, Phase::ExpectKeyCheck { .. }) {
            return Vec::new();
        }
        match found {
            KeyCheck::Newer => self.mint(now_ms, Vec::new()),
            KeyCheck::Same => self.end(End::SignedOut),
        }
    }

    /// Another tab has signed in anew, and its key is this client's now.
    pub(crate) fn on_key_replaced(&mut self, now_ms: u64) -> Effects {
        match (&self.phase, self.dialling) {
            (Phase::Idle | Phase::Asleep | Phase::Ended, _) => vec![Effect::Drop],
            // Only tabs of one key share a connection.
            (_, Dialling::Shared) => self.begin(now_ms, vec![Effect::HangUp, Effect::Drop]),
            (Phase::ExpectNewKey { .. } | Phase::ExpectKeyCheck { .. }, Dialling::Alone) => {
                self.mint(now_ms, vec![Effect::Drop])
            }
            (_, Dialling::Alone) => vec![Effect::Drop],
        }
    }

    /// The time has come. Called too early, it changes nothing.
    pub(crate) fn on_deadline(&mut self, now_ms: u64) -> Effects {
        if self.deadline_ms().is_none_or(|deadline_ms| now_ms < deadline_ms) {
            return Vec::new();
        }
        match &mut self.phase {
            Phase::ExpectTicket { .. } | Phase::ExpectProof { .. } => self.wait(now_ms, 0),
            Phase::Live(live) => match live.silence {
                Silence::AskAt(_) => live.ask(now_ms),
                Silence::GiveUpAt(_) => self.mint(now_ms, vec![Effect::HangUp]),
            },
            Phase::Following { silence: Silence::AskAt(_) } => self.ask_leader(now_ms),
            Phase::Following { silence: Silence::GiveUpAt(_) } => self.take_lead(now_ms),
            Phase::ExpectRetry { .. } => self.mint(now_ms, Vec::new()),
            Phase::ExpectNewKey { .. } => {
                self.phase = Phase::ExpectKeyCheck { give_up_at_ms: now_ms + CHECK_WITHIN_MS };
                vec![Effect::CheckKey(self.attempt)]
            }
            Phase::ExpectKeyCheck { .. } => self.end(End::SignedOut),
            Phase::Idle | Phase::Asleep | Phase::Ended => Vec::new(),
        }
    }

    /// The page is visible again, thawed, shown again, or back on the network.
    pub(crate) fn on_wake(&mut self, line: Line, now_ms: u64) -> Effects {
        match &mut self.phase {
            Phase::Live(_) if line == Line::Down => self.mint(now_ms, vec![Effect::HangUp]),
            Phase::Live(live) => match live.silence {
                // These events come in bursts: one round trip serves them all.
                Silence::GiveUpAt(_) => Vec::new(),
                Silence::AskAt(_) => live.ask(now_ms),
            },
            // What the server has asked for holds, whatever wakes the page.
            Phase::ExpectRetry { .. } if now_ms < self.not_before_ms => Vec::new(),
            Phase::ExpectRetry { .. } => self.mint(now_ms, Vec::new()),
            Phase::Asleep => self.begin(now_ms, Vec::new()),
            Phase::Following { silence: Silence::AskAt(_) } => self.wake_leader(now_ms),
            Phase::Following { .. }
            | Phase::Idle
            | Phase::ExpectTicket { .. }
            | Phase::ExpectProof { .. }
            | Phase::ExpectNewKey { .. }
            | Phase::ExpectKeyCheck { .. }
            | Phase::Ended => Vec::new(),
        }
    }

    /// The page goes into the back/forward cache, which takes no page with an open connection.
    pub(crate) fn on_sleep(&mut self) -> Effects {
        match self.phase {
            Phase::Idle | Phase::Ended | Phase::Asleep => Vec::new(),
            _ => {
                self.phase = Phase::Asleep;
                self.attempt = self.attempt.next();
                vec![Effect::HangUp, Effect::Leave, Effect::Report(State::Connecting)]
            }
        }
    }

    /// Over.
    pub(crate) fn end(&mut self, why: End) -> Effects {
        if self.has_ended() {
            return Vec::new();
        }
        self.phase = Phase::Ended;
        self.attempt = self.attempt.next();
        vec![Effect::HangUp, Effect::Drop, Effect::Report(State::Ended(why)), Effect::Leave]
    }

    fn prover(&mut self) -> Option<&mut Prover> {
        match &mut self.phase {
            Phase::ExpectProof { prover, .. } | Phase::Live(Live { prover, .. }) => Some(prover),
            _ => None,
        }
    }

    fn expect_new_key(&mut self, now_ms: u64) -> Effects {
        self.attempt = self.attempt.next();
        self.phase = Phase::ExpectNewKey { look_at_ms: now_ms + NEW_KEY_WITHIN_MS };
        vec![Effect::HangUp, Effect::Report(State::Connecting)]
    }

    /// The newest challenge was answered rightly.
    fn become_live(&mut self, now_ms: u64) {
        let silence = Silence::AskAt(now_ms + SILENT_AFTER_MS);
        match core::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::ExpectProof { prover, .. } => {
                self.phase = Phase::Live(Live { prover, since_ms: now_ms, silence });
            }
            Phase::Live(live) => self.phase = Phase::Live(Live { silence, ..live }),
            other => self.phase = other,
        }
    }
}

impl Live {
    fn ask(&mut self, now_ms: u64) -> Effects {
        self.silence = Silence::GiveUpAt(now_ms + CHECK_WITHIN_MS);
        self.prover.on_resume();
        match self.prover.standing() {
            Standing::Held => vec![Effect::Ask],
            Standing::Unproven | Standing::Proven => vec![Effect::Ask, Effect::Report(State::Proving)],
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
