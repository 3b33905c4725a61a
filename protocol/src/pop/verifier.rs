use super::{
    Close, Standing, VerifySignature,
    message::{Held, Message, Refusal},
    transcript::{Binding, Challenge},
};

/// When challenges come and how long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From a success to the next challenge.
    pub interval_ms: u32,
    /// At most so much is added to or taken from the interval, so that a restart makes no thundering herd.
    pub jitter_ms: u32,
    /// From a challenge to the end of its answer's time.
    pub answer_within_ms: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self { interval_ms: 30_000, jitter_ms: 5_000, answer_within_ms: 10_000 }
    }
}

/// The shortest time from a success to a challenge that the browser asked for.
const ASK_AGAIN_AFTER_MS: u64 = 1_000;

/// The time, twice: deadlines follow the monotonic clock, so that a corrected wall clock ends
/// nothing; what is signed names the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some moment, never going back.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// Fresh randomness for one step.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The next challenge's nonce: at least 128 bits, base64url.
    pub nonce: String,
    /// Uniform over all of `u32`.
    pub jitter: u32,
}

/// The server's half of a connection; see the diagram in [`crate::pop`].
#[derive(Debug)]
pub enum Verifier {
    /// A challenge is out.
    ExpectAnswer(ExpectAnswer),
    /// Proven; the next challenge has its time.
    ExpectDue(ExpectDue),
    /// Over.
    Closed(Close),
}

#[derive(Debug)]
struct Fixed {
    binding: Binding,
    timing: Timing,
}

/// A challenge is out.
#[derive(Debug)]
pub struct ExpectAnswer {
    fixed: Fixed,
    challenge: Challenge,
    sent_at_ms: u64,
    deadline_ms: u64,
    standing: Standing,
}

/// Proven; the next challenge has its time.
#[derive(Debug)]
pub struct ExpectDue {
    fixed: Fixed,
    sequence: u64,
    proven_at_ms: u64,
    due_ms: u64,
}

/// What follows from one input: messages in order, and what is worth recording.
#[derive(Debug)]
pub struct Step {
    /// The machine from now on.
    pub next: Verifier,
    /// To send, in order.
    pub send: Vec<Message>,
    /// What happened, if anything.
    pub outcome: Option<Outcome>,
}

/// What is worth recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A challenge was answered rightly.
    Proven {
        /// From the challenge's sending to the answer's arrival.
        rtt_ms: u32,
    },
    /// The first failure: held back.
    Held(Held),
    /// The second in a row: closed.
    Closed(Held),
}

impl Verifier {
    /// Begins with a challenge; nothing flows until it is answered.
    pub fn open(binding: Binding, timing: Timing, now: Now, fresh: Fresh) -> Step {
        challenge(Fixed { binding, timing }, 1, Standing::Unproven, now, fresh, Vec::new(), None)
    }

    /// Whether application data flows.
    pub fn standing(&self) -> Standing {
        match self {
            Verifier::ExpectAnswer(state) => state.standing,
            Verifier::ExpectDue(_) => Standing::Proven,
            Verifier::Closed(_) => Standing::Held,
        }
    }

    /// When [`Verifier::on_deadline`] wants to be called, by the monotonic clock.
    pub fn deadline_ms(&self) -> Option<u64> {
        match self {
            Verifier::ExpectAnswer(state) => Some(state.deadline_ms),
            Verifier::ExpectDue(state) => Some(state.due_ms),
            Verifier::Closed(_) => None,
        }
    }

    /// The time has come. Called too early, it changes nothing.
    pub fn on_deadline(self, now: Now, fresh: Fresh) -> Step {
        if self.deadline_ms().is_none_or(|deadline_ms| now.monotonic_ms < deadline_ms) {
            return Step::nothing(self);
        }
        match self {
            Verifier::ExpectAnswer(state) => state.fail(Held::Late, now, fresh),
            Verifier::ExpectDue(state) => state.challenge(now, fresh),
            closed @ Verifier::Closed(_) => Step::nothing(closed),
        }
    }

    /// The browser has sent a message.
    pub fn on_message(self, message: &Message, key: &impl VerifySignature, now: Now, fresh: Fresh) -> Step {
        match (self, message) {
            (Verifier::ExpectAnswer(state), Message::Answer { sequence, signature }) => {
                state.on_answer(*sequence, signature, key, now, fresh)
            }
            (Verifier::ExpectAnswer(state), Message::Refuse { sequence, why }) => {
                state.on_refusal(*sequence, *why, now, fresh)
            }
            (Verifier::ExpectDue(state), Message::Ask) => state.on_ask(now, fresh),
            // An answer to a challenge that is past: its failure is counted already, or it was a
            // success. And one who asks while a challenge is out has it before him.
            (same, Message::Answer { .. } | Message::Refuse { .. } | Message::Ask) => Step::nothing(same),
            // Only the server sends these.
            (
                Verifier::ExpectAnswer(_) | Verifier::ExpectDue(_),
                Message::Challenge(_) | Message::Proven { .. } | Message::Held { .. } | Message::End { .. },
            ) => Step::close(Close::BadMessage),
            (closed @ Verifier::Closed(_), _) => Step::nothing(closed),
        }
    }
}

impl ExpectAnswer {
    fn on_answer(
        self,
        sequence: u64,
        signature: &[u8; 64],
        key: &impl VerifySignature,
        now: Now,
        fresh: Fresh,
    ) -> Step {
        if sequence != self.challenge.sequence {
            return self.unless_ahead(sequence);
        }
        if now.monotonic_ms >= self.deadline_ms {
            return self.fail(Held::Late, now, fresh);
        }
        let transcript = self.fixed.binding.transcript(&self.challenge);
        if !key.verifies(transcript.as_bytes(), signature) {
            return self.fail(Held::Wrong, now, fresh);
        }
        let rtt_ms = u32::try_from(now.monotonic_ms.saturating_sub(self.sent_at_ms)).unwrap_or(u32::MAX);
        let due_ms = now.monotonic_ms.saturating_add(self.fixed.timing.next_in_ms(fresh.jitter));
        Step {
            next: Verifier::ExpectDue(ExpectDue {
                fixed: self.fixed,
                sequence,
                proven_at_ms: now.monotonic_ms,
                due_ms,
            }),
            send: vec![Message::Proven { sequence, rtt_ms }],
            outcome: Some(Outcome::Proven { rtt_ms }),
        }
    }

    fn on_refusal(self, sequence: u64, why: Refusal, now: Now, fresh: Fresh) -> Step {
        if sequence != self.challenge.sequence {
            return self.unless_ahead(sequence);
        }
        self.fail(Held::Refused(why), now, fresh)
    }

    /// A number that was never sent is nobody's mistake of timing.
    fn unless_ahead(self, sequence: u64) -> Step {
        if sequence > self.challenge.sequence {
            return Step::close(Close::BadMessage);
        }
        Step::nothing(Verifier::ExpectAnswer(self))
    }

    fn fail(self, why: Held, now: Now, fresh: Fresh) -> Step {
        let sequence = self.challenge.sequence;
        let held = Message::Held { sequence, why };
        match self.standing {
            Standing::Held => {
                let mut step = Step::close(Close::Unproven);
                step.send.insert(0, held);
                step.outcome = Some(Outcome::Closed(why));
                step
            }
            Standing::Unproven | Standing::Proven => challenge(
                self.fixed,
                sequence + 1,
                Standing::Held,
                now,
                fresh,
                vec![held],
                Some(Outcome::Held(why)),
            ),
        }
    }
}

impl ExpectDue {
    fn challenge(self, now: Now, fresh: Fresh) -> Step {
        challenge(self.fixed, self.sequence + 1, Standing::Proven, now, fresh, Vec::new(), None)
    }

    fn on_ask(mut self, now: Now, fresh: Fresh) -> Step {
        let earliest_ms = self.proven_at_ms.saturating_add(ASK_AGAIN_AFTER_MS);
        if now.monotonic_ms >= earliest_ms {
            return self.challenge(now, fresh);
        }
        self.due_ms = self.due_ms.min(earliest_ms);
        Step::nothing(Verifier::ExpectDue(self))
    }
}

fn challenge(
    fixed: Fixed,
    sequence: u64,
    standing: Standing,
    now: Now,
    fresh: Fresh,
    mut send: Vec<Message>,
    outcome: Option<Outcome>,
) -> Step {
    let within_ms = u64::from(fixed.timing.answer_within_ms);
    let challenge = Challenge {
        connection: fixed.binding.connection().clone(),
        sequence,
        nonce: fresh.nonce,
        expires_at_ms: now.unix_ms.saturating_add(within_ms),
    };
    send.push(Message::Challenge(challenge.clone()));
    Step {
        next: Verifier::ExpectAnswer(ExpectAnswer {
            fixed,
            challenge,
            sent_at_ms: now.monotonic_ms,
            deadline_ms: now.monotonic_ms.saturating_add(within_ms),
            standing,
        }),
        send,
        outcome,
    }
}

impl Step {
    fn nothing(next: Verifier) -> Self {
        Self { next, send: Vec::new(), outcome: None }
    }

    fn close(why: Close) -> Self {
        Self { next: Verifier::Closed(why), send: vec![Message::End { code: why.code() }], outcome: None }
    }
}

impl Timing {
    /// The interval, plus or minus the jitter.
    fn next_in_ms(&self, random: u32) -> u64 {
        let spread = u64::from(self.jitter_ms) * 2 + 1;
        let earliest = u64::from(self.interval_ms).saturating_sub(u64::from(self.jitter_ms));
        earliest + u64::from(random) % spread
    }
}
