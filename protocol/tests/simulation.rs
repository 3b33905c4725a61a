//! The two machines against each other in simulated time: generated schedules of delay, reordering,
//! sleep, clock jumps and an attacker. Nothing here waits; a day takes microseconds.
//!
//! `HOLDFAST_SCHEDULES` sets how many schedules each property sees.
#![expect(clippy::unwrap_used, clippy::as_conversions, reason = "a test that cannot go on fails")]

use holdfast_protocol::{
    ids::{ConnectionId, Thumbprint},
    pop::{
        Binding, Close, Fresh, Message, Now, Outcome, Prover, Standing, Step, Timing, Verifier,
        VerifySignature,
    },
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A key whose signatures cost a hash: what is tested is the machines, not ECDSA.
#[derive(Clone, Copy)]
struct Key(u64);

impl Key {
    fn sign(&self, message: &str) -> [u8; 64] {
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
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn fresh(&mut self) -> Fresh {
        let (nonce, jitter) = (self.next(), u32::try_from(self.next() >> 32).unwrap());
        Fresh { nonce: format!("{nonce:016x}"), jitter }
    }
}

/// What a schedule may do.
#[derive(Clone, Copy)]
struct Weather {
    /// One way, at most.
    latency_ms: u64,
    /// The browser's process stands still now and then, for at most so long, and is awake for a
    /// while in between.
    sleep_ms: u64,
    /// From here on the answers are made by somebody without the key.
    stolen_after_ms: Option<u64>,
    /// The server's wall clock jumps at every step.
    clock_jumps: bool,
}

const CALM: Weather = Weather { latency_ms: 2_000, sleep_ms: 0, stolen_after_ms: None, clock_jumps: false };

enum Event {
    ToBrowser(Message),
    ToServer(Message),
    Resume,
}

/// The network between the two, and everything worth asserting about a run.
struct World {
    now_ms: u64,
    verifier: Verifier,
    standing: Standing,
    prover: Prover,
    key: Key,
    random: Random,
    weather: Weather,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    awake_at_ms: u64,
    /// Nothing overtakes on the way to the browser: TCP.
    last_to_browser_ms: u64,
    old_answers: Vec<Message>,
    proven: Vec<u64>,
    held: Vec<u64>,
    closed: Option<(u64, Close)>,
    sequences: Vec<u64>,
}

impl World {
    fn open(seed: u64, weather: Weather) -> Self {
        let mut random = Random(seed);
        let key = Key(random.next());
        let id = core::array::from_fn(|_| u8::try_from(random.next() & 0xff).unwrap());
        let thumbprint = Thumbprint::from_hash(&[7; 32]);
        let binding =
            Binding::new("https://console.example", ConnectionId::make(id), "client-nonce", thumbprint)
                .unwrap();
        let fresh = random.fresh();
        let now = Now { monotonic_ms: 0, unix_ms: 1_700_000_000_000 };
        let step = Verifier::open(binding.clone(), Timing::default(), now, fresh);
        let mut world = World {
            now_ms: 0,
            verifier: Verifier::Closed(Close::GoingAway),
            standing: Standing::Unproven,
            prover: Prover::new(binding),
            key,
            random,
            weather,
            queue: BTreeMap::new(),
            queued: 0,
            awake_at_ms: 0,
            last_to_browser_ms: 0,
            old_answers: Vec::new(),
            proven: Vec::new(),
            held: Vec::new(),
            closed: None,
            sequences: Vec::new(),
        };
        world.take(step);
        world
    }

    fn now(&mut self) -> Now {
        let jump = if self.weather.clock_jumps { self.random.below(10_000_000_000) } else { 0 };
        Now { monotonic_ms: self.now_ms, unix_ms: 1_700_000_000_000 + self.now_ms + jump }
    }

    fn put(&mut self, at_ms: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((at_ms, self.queued), event);
    }

    fn latency(&mut self) -> u64 {
        1 + self.random.below(self.weather.latency_ms)
    }

    fn take(&mut self, step: Step) {
        let before = self.standing;
        self.verifier = step.next;
        self.standing = self.verifier.standing();
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
    fn run_until(&mut self, end_ms: u64) {
        while self.closed.is_none() {
            let deadline = self.verifier.deadline_ms().unwrap_or(u64::MAX);
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
                self.take(step);
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
            Event::ToServer(message) => {
                let (now, fresh) = (self.now(), self.random.fresh());
                let verifier = std::mem::replace(&mut self.verifier, Verifier::Closed(Close::GoingAway));
                let step = verifier.on_message(&message, &self.key, now, fresh);
                self.take(step);
            }
        }
    }
}

fn schedules(property: impl Fn(u64)) {
    let count = std::env::var("HOLDFAST_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    for seed in 0..count {
        property(seed);
    }
}

const HOUR_MS: u64 = 3_600_000;

#[test]
fn a_browser_that_is_awake_is_never_held_back() {
    schedules(|seed| {
        let mut world = World::open(seed, CALM);
        world.run_until(HOUR_MS);
        assert_eq!((world.closed, world.held.len()), (None, 0), "seed {seed}");
        assert!(world.proven.len() > 90, "seed {seed}: {} proofs an hour", world.proven.len());
    });
}

#[test]
fn the_servers_wall_clock_may_jump_by_months() {
    schedules(|seed| {
        let mut world = World::open(seed, Weather { clock_jumps: true, ..CALM });
        world.run_until(HOUR_MS);
        assert_eq!((world.closed, world.held.len()), (None, 0), "seed {seed}");
    });
}

#[test]
fn a_short_sleep_holds_back_at_most_and_the_connection_recovers() {
    // Too long for one answer, too short for two: the second challenge is still answered.
    schedules(|seed| {
        let weather = Weather { sleep_ms: 18_000, latency_ms: 400, ..CALM };
        let mut world = World::open(seed, weather);
        world.run_until(HOUR_MS);
        assert_eq!(world.closed, None, "seed {seed}");
        let last_held = world.held.iter().rev().find(|held| **held < HOUR_MS - 20_000).copied().unwrap_or(0);
        assert!(world.proven.last().is_some_and(|proven| *proven >= last_held), "seed {seed}");
    });
}

#[test]
fn a_long_sleep_ends_in_4401_and_never_in_data_for_nobody() {
    schedules(|seed| {
        let weather = Weather { sleep_ms: 4 * HOUR_MS, ..CALM };
        let mut world = World::open(seed, weather);
        world.run_until(24 * HOUR_MS);
        if let Some((_, close)) = world.closed {
            assert_eq!(close, Close::Unproven, "seed {seed}");
            assert!(!world.held.is_empty(), "seed {seed}: held back before it is closed");
        }
    });
}

#[test]
fn a_thief_is_never_proven_and_is_cut_off_by_the_second_deadline() {
    let timing = Timing::default();
    let longest_ms = u64::from(timing.interval_ms + timing.jitter_ms + 2 * timing.answer_within_ms);
    schedules(|seed| {
        let stolen_after_ms = Random(seed ^ 0xdead).below(HOUR_MS);
        let weather = Weather { stolen_after_ms: Some(stolen_after_ms), ..CALM };
        let mut world = World::open(seed, weather);
        world.run_until(2 * HOUR_MS);
        let (closed_at_ms, close) = world.closed.unwrap_or_else(|| panic!("seed {seed}: alive"));
        assert_eq!(close, Close::Unproven, "seed {seed}");
        // An honest answer may still be under way when the theft happens.
        let last_honest_ms = stolen_after_ms + CALM.latency_ms;
        assert!(world.proven.last().is_none_or(|proven| *proven <= last_honest_ms), "seed {seed}");
        assert!(closed_at_ms <= last_honest_ms + longest_ms, "seed {seed}: closed at {closed_at_ms}");
    });
}

#[test]
fn an_answer_for_another_connection_proves_nothing() {
    schedules(|seed| {
        let (mut mine, mut other) = (World::open(seed, CALM), World::open(seed ^ 0xffff_0000, CALM));
        // One key, two connections: the relay hands the challenge of the one to the other's browser.
        other.key = mine.key;
        let Some(Event::ToBrowser(Message::Challenge(challenge))) =
            mine.queue.pop_first().map(|(_, event)| event)
        else {
            panic!("a connection opens with a challenge")
        };
        let refusal = other.prover.on_challenge(&challenge).unwrap_err();
        // Renamed to that connection, it is signed, and the signature is worth nothing here.
        let renamed = match other.queue.pop_first().map(|(_, event)| event) {
            Some(Event::ToBrowser(Message::Challenge(own))) => {
                holdfast_protocol::pop::Challenge { connection: own.connection, ..challenge.clone() }
            }
            _ => panic!("a connection opens with a challenge"),
        };
        let to_sign = other.prover.on_challenge(&renamed).unwrap();
        let answer = to_sign.answer(mine.key.sign(&to_sign.transcript));
        for message in [refusal, answer] {
            let mut fresh = World::open(seed, CALM);
            fresh.put(1, Event::ToServer(message));
            fresh.run_until(1);
            assert_eq!((fresh.proven.len(), fresh.held.len()), (0, 1), "seed {seed}");
        }
    });
}
