//! Both ends, the network between them, and everything worth asserting about a run.

use crate::rules::{Expected, Rules};
use holdfast_protocol::{
    ids::{ConnectionId, Thumbprint},
    pop::{
        Binding, Challenge, Close, Fresh, Message, Now, Outcome, Prover, Standing, Step, Timing, Verifier,
        VerifySignature,
    },
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A key whose signatures cost a hash: what is tested is the machines, not ECDSA.
#[derive(Clone, Copy)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn sign(&self, message: &str) -> [u8; 64] {
        let half = Sha256::new_with_prefix(self.0.to_be_bytes()).chain_update(message).finalize();
        core::array::from_fn(|at| half[at % 32])
    }
}

impl VerifySignature for Key {
    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.sign(std::str::from_utf8(message).unwrap()) == *signature
    }
}

/// SplitMix64: small, seeded, good enough to choose schedules.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_of<T, const N: usize>(&mut self, all: [T; N]) -> T {
        let at = usize::try_from(self.below(N as u64)).unwrap();
        all.into_iter().nth(at).unwrap()
    }

    fn fresh(&mut self) -> Fresh {
        let (nonce, jitter) = (self.next(), u32::try_from(self.next() >> 32).unwrap());
        Fresh { nonce: format!("{nonce:016x}"), jitter }
    }
}

/// What a schedule may do.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    /// One way, at most.
    pub(crate) latency_ms: u64,
    /// The browser's process stands still now and then, for at most so long, and is awake for a
    /// while in between.
    pub(crate) sleep_ms: u64,
    /// Of so many messages to the server one is lost, as a request may be; 0: none is.
    pub(crate) loses_one_in: u64,
    /// From here on the answers are made by somebody without the key.
    pub(crate) stolen_after_ms: Option<u64>,
    /// The server's timers are late by so much at most: it has other work.
    pub(crate) timers_late_ms: u64,
    /// The server's wall clock jumps at every step.
    pub(crate) clock_jumps: bool,
}

pub(crate) const CALM: Weather = Weather {
    latency_ms: 2_000,
    sleep_ms: 0,
    loses_one_in: 0,
    stolen_after_ms: None,
    timers_late_ms: 0,
    clock_jumps: false,
};

pub(crate) enum Event {
    ToBrowser(Message),
    ToServer(Message),
    Resume,
}

/// The network between the two, and everything worth asserting about a run.
pub(crate) struct World {
    now_ms: u64,
    verifier: Verifier,
    rules: Rules,
    binding: Binding,
    standing: Standing,
    pub(crate) prover: Prover,
    pub(crate) key: Key,
    random: Random,
    weather: Weather,
    pub(crate) queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    awake_at_ms: u64,
    timer_late_ms: u64,
    /// Nothing overtakes on the way to the browser: TCP.
    last_to_browser_ms: u64,
    old_answers: Vec<Message>,
    pub(crate) proven: Vec<u64>,
    pub(crate) held: Vec<u64>,
    pub(crate) closed: Option<(u64, Close)>,
    sequences: Vec<u64>,
}

impl World {
    pub(crate) fn open(seed: u64, weather: Weather) -> Self {
        let mut random = Random(seed);
        let key = Key(random.next());
        let id = core::array::from_fn(|_| u8::try_from(random.next() & 0xff).unwrap());
        let thumbprint = Thumbprint::from_hash(&[7; 32]);
        let binding =
            Binding::new("https://console.example", ConnectionId::make(id), "client-nonce", thumbprint)
                .unwrap();
        let fresh = random.fresh();
        let now = Now { monotonic_ms: 0, unix_ms: 1_700_000_000_000 };
        let timing = Timing::default();
        let step = Verifier::open(binding.clone(), timing, now, fresh);
        let mut world = World {
            now_ms: 0,
            verifier: Verifier::Closed(Close::GoingAway),
            rules: Rules::new(timing),
            binding: binding.clone(),
            standing: Standing::Unproven,
            prover: Prover::new(binding),
            key,
            random,
            weather,
            queue: BTreeMap::new(),
            queued: 0,
            awake_at_ms: 0,
            timer_late_ms: 0,
            last_to_browser_ms: 0,
            old_answers: Vec::new(),
            proven: Vec::new(),
            held: Vec::new(),
            closed: None,
            sequences: Vec::new(),
        };
        world.take(step, Expected::Nothing);
        world
    }

    fn now(&mut self) -> Now {
        let jump = if self.weather.clock_jumps { self.random.below(10_000_000_000) } else { 0 };
        Now { monotonic_ms: self.now_ms, unix_ms: 1_700_000_000_000 + self.now_ms + jump }
    }

    pub(crate) fn put(&mut self, at_ms: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((at_ms, self.queued), event);
    }

    fn latency(&mut self) -> u64 {
        1 + self.random.below(self.weather.latency_ms)
    }

    fn take(&mut self, step: Step, expected: Expected) {
        let before = self.standing;
        self.rules.agree(&step, expected, self.now_ms);
        self.verifier = step.next;
        self.standing = self.verifier.standing();
        self.timer_late_ms = self.random.below(self.weather.timers_late_ms + 1);
        match step.outcome {
            Some(Outcome::Proven { .. }) => {
                self.proven.push(self.now_ms);
                assert_eq!(self.verifier.standing(), Standing::Proven);
            }
            Some(Outcome::Held(_)) => {
                self.held.push(self.now_ms);
                assert_ne!(before, Standing::Held, "the second failure in a row must close");
                assert_eq!(self.verifier.standing(), Standing::Held);
            }
            Some(Outcome::Closed(_)) => assert_eq!(before, Standing::Held, "one failure must not close"),
            None => assert!(
                self.verifier.standing() != Standing::Proven || before == Standing::Proven,
                "nothing but a right answer makes data flow"
            ),
        }
        if let Verifier::Closed(close) = self.verifier {
            self.closed.get_or_insert((self.now_ms, close));
        }
        for message in step.send {
            if let Message::Challenge(challenge) = &message {
                assert!(self.sequences.last().is_none_or(|last| *last < challenge.sequence));
                self.sequences.push(challenge.sequence);
            }
            let at_ms = (self.now_ms + self.latency()).max(self.last_to_browser_ms);
            self.last_to_browser_ms = at_ms;
            self.put(at_ms, Event::ToBrowser(message));
        }
    }

    fn is_stolen(&self) -> bool {
        self.weather.stolen_after_ms.is_some_and(|after_ms| self.now_ms >= after_ms)
    }

    /// The browser, or whoever sits in its place, is handed a message.
    fn on_browser(&mut self, message: Message) {
        let Message::Challenge(challenge) = &message else {
            self.prover.on_verdict(&message);
            return;
        };
        if self.is_stolen() {
            let answer = match self.random.below(4) {
                0 => return,
                1 if !self.old_answers.is_empty() => {
                    let at = usize::try_from(self.random.below(self.old_answers.len() as u64)).unwrap();
                    self.old_answers[at].clone()
                }
                // An old signature under the new number, or one of another key.
                2 if !self.old_answers.is_empty() => match &self.old_answers[0] {
                    Message::Answer { signature, .. } => {
                        Message::Answer { sequence: challenge.sequence, signature: *signature }
                    }
                    _ => unreachable!(),
                },
                _ => Message::Answer {
                    sequence: challenge.sequence,
                    signature: Key(self.key.0 ^ 1).sign("anything"),
                },
            };
            let at_ms = self.now_ms + self.latency();
            return self.put(at_ms, Event::ToServer(answer));
        }
        let answer = match self.prover.on_challenge(challenge) {
            Ok(to_sign) => to_sign.answer(self.key.sign(&to_sign.transcript)),
            Err(refusal) => refusal,
        };
        self.old_answers.push(answer.clone());
        let at_ms = self.now_ms + self.latency();
        self.put(at_ms, Event::ToServer(answer));
    }

    /// Runs until the time is over or the connection is.
    pub(crate) fn run_until(&mut self, end_ms: u64) {
        while self.closed.is_none() {
            let deadline = self.verifier.deadline_ms().map_or(u64::MAX, |at_ms| at_ms + self.timer_late_ms);
            let arrival = self.queue.first_key_value().map_or(u64::MAX, |((at_ms, _), _)| *at_ms);
            let next = deadline.min(arrival);
            if next > end_ms {
                break;
            }
            self.now_ms = next.max(self.now_ms);
            if arrival <= deadline {
                let ((_, _), event) = self.queue.pop_first().unwrap();
                self.on_event(event);
            } else {
                let (now, fresh) = (self.now(), self.random.fresh());
                let verifier = std::mem::replace(&mut self.verifier, Verifier::Closed(Close::GoingAway));
                let step = verifier.on_deadline(now, fresh);
                let expected = self.rules.on_deadline(self.now_ms);
                self.take(step, expected);
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::ToBrowser(message) if self.now_ms < self.awake_at_ms => {
                self.put(self.awake_at_ms, Event::ToBrowser(message));
            }
            Event::ToBrowser(message) => {
                self.on_browser(message);
                let rested = self.now_ms >= self.awake_at_ms + 12_000;
                if self.weather.sleep_ms > 0 && rested && self.random.below(4) == 0 {
                    self.awake_at_ms = self.now_ms + self.random.below(self.weather.sleep_ms);
                    self.put(self.awake_at_ms, Event::Resume);
                }
            }
            Event::Resume => {
                let ask = self.prover.on_resume();
                let at_ms = self.now_ms + self.latency();
                self.put(at_ms, Event::ToServer(ask));
            }
            Event::ToServer(_)
                if self.weather.loses_one_in > 0 && self.random.below(self.weather.loses_one_in) == 0 => {}
            Event::ToServer(message) => {
                let (now, fresh) = (self.now(), self.random.fresh());
                let verifier = std::mem::replace(&mut self.verifier, Verifier::Closed(Close::GoingAway));
                let step = verifier.on_message(&message, &self.key, now, fresh);
                let right = |challenge: &Challenge, signature: &[u8; 64]| {
                    self.key.verifies(self.binding.transcript(challenge).as_bytes(), signature)
                };
                let expected = self.rules.on_message(&message, right, self.now_ms);
                self.take(step, expected);
            }
        }
    }
}
