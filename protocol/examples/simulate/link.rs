use crate::browser::{Browser, Whereabouts};
use crate::key::Key;
use crate::line::{Line, Network};
use crate::parameters::Weather;
use crate::random::Random;
use anyhow::{Context as _, Result};
use holdfast_protocol::base64url;
use holdfast_protocol::ids::{ConnectionId, Thumbprint};
use holdfast_protocol::pop::{
    Binding, Challenge, Close, Fresh, Message, Now, Outcome, Prover, Standing, Step, Timing, Verifier,
};

/// The server's wall clock when a simulation begins.
const BEGIN_UNIX_MS: u64 = 1_763_697_600_000;

/// One connection from its opening to its end: the verifier, the network, and whoever sits at the
/// browser's end of it.
pub(crate) struct Link<'a> {
    pub counts: Counts,
    browser: &'a mut Browser,
    random: &'a mut Random,
    network: Network<'a>,
    clock_error_ms: u64,
    answer_within_ms: u64,
    key: Key,
    seat: Seat,
    verifier: Verifier,
    to_browser: Line,
    to_server: Line,
    now_ms: u64,
    resumes_ms: u64,
    silent_since_ms: u64,
}

/// Who holds the browser's end.
pub(crate) enum Seat {
    /// Its owner.
    Owner(Prover),
    /// Somebody with the cookie and without the key, who sends nothing: whatever else he sent would
    /// end it sooner.
    Thief,
    /// Somebody who shows each challenge to the victim's browser, which has a connection of its own by
    /// now, and passes on what that says.
    Relay {
        /// The victim's.
        victim: Prover,
        /// He writes the name of the victim's own connection into it, so that it is signed.
        own: Option<ConnectionId>,
    },
}

/// What happened on a connection.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Made by the browser, and verified by the server.
    pub signatures: u64,
    /// Right answers.
    pub proofs: u64,
    /// Control frames in both directions with their WebSocket headers, without TLS and TCP.
    pub bytes: u64,
    /// First failures of a browser that was there all along.
    pub held: u64,
    /// How it ended, if the server ended it, and where the browser was then.
    pub ended: Option<(Close, Whereabouts)>,
}

impl<'a> Link<'a> {
    /// Opened by its owner.
    pub(crate) fn open(
        browser: &'a mut Browser,
        random: &'a mut Random,
        weather: &'a Weather,
        timing: Timing,
        at_ms: u64,
    ) -> Result<Self> {
        let key = Key(random.next());
        let binding = binding(random, key)?;
        let network = Network::new(random.split(), weather);
        let resumes_ms = browser.resumes_at(at_ms).unwrap_or(u64::MAX);
        let mut link = Self {
            counts: Counts::default(),
            browser,
            random,
            network,
            clock_error_ms: u64::from(weather.clock_error_s) * 1_000,
            answer_within_ms: u64::from(timing.answer_within_ms),
            key,
            seat: Seat::Owner(Prover::new(binding.clone())),
            verifier: Verifier::Closed(Close::GoingAway),
            to_browser: Line::default(),
            to_server: Line::default(),
            now_ms: at_ms,
            resumes_ms,
            silent_since_ms: at_ms,
        };
        let (now, fresh) = (link.now(), link.fresh());
        link.follow(Verifier::open(binding, timing, now, fresh));
        Ok(link)
    }

    /// Until the time or the connection is over; gives the time that it is then.
    pub(crate) fn run_until(&mut self, end_ms: u64) -> u64 {
        while self.counts.ended.is_none() {
            let deadline_ms = self.verifier.deadline_ms().unwrap_or(u64::MAX);
            let (up_ms, down_ms) = (self.to_server.next_ms(), self.to_browser.next_ms());
            let next_ms = deadline_ms.min(up_ms).min(down_ms).min(self.resumes_ms);
            if next_ms > end_ms {
                self.now_ms = end_ms;
                break;
            }
            self.now_ms = next_ms.max(self.now_ms);
            if next_ms == up_ms {
                self.on_arrival_at_server();
            } else if next_ms == down_ms {
                self.on_arrival_at_browser();
            } else if next_ms == self.resumes_ms {
                self.on_resume();
            } else {
                let (now, fresh) = (self.now(), self.fresh());
                let step = self.verifier().on_deadline(now, fresh);
                self.follow(step);
                self.browser.forget_before(self.now_ms.saturating_sub(2 * self.answer_within_ms));
            }
        }
        self.now_ms
    }

    /// From now on somebody else holds the browser's end.
    pub(crate) fn is_taken_by(&mut self, seat: Seat) {
        self.seat = seat;
    }

    /// What a relay shows the challenges to.
    pub(crate) fn relay(&mut self, shown: Shown) -> Result<Seat> {
        let binding = binding(self.random, self.key)?;
        let own = matches!(shown, Shown::Renamed).then(|| binding.connection().clone());
        Ok(Seat::Relay { victim: Prover::new(binding), own })
    }

    pub(crate) fn standing(&self) -> Standing {
        self.verifier.standing()
    }

    /// Whether something that its owner sent has not arrived yet.
    pub(crate) fn is_answer_under_way(&self) -> bool {
        !self.to_server.is_empty()
    }

    /// Since when no application data flows.
    pub(crate) fn silent_since_ms(&self) -> u64 {
        self.silent_since_ms
    }

    fn verifier(&mut self) -> Verifier {
        std::mem::replace(&mut self.verifier, Verifier::Closed(Close::GoingAway))
    }

    fn follow(&mut self, step: Step) {
        let Step { next, send, outcome } = step;
        for message in send {
            self.counts.bytes += frame_bytes(&message, Sender::Server);
            let arrived_ms = self.network.arrival_ms(self.now_ms, self.browser);
            let taken_up_ms = self.browser.takes_up_at(arrived_ms, self.random);
            self.to_browser.put(taken_up_ms, message);
        }
        match outcome {
            Some(Outcome::Proven { .. }) => self.counts.proofs += 1,
            Some(Outcome::Held(_)) => {
                self.silent_since_ms = self.now_ms;
                self.counts.held += u64::from(self.whereabouts(1) == Whereabouts::There);
            }
            Some(Outcome::Closed(_)) | None => {}
        }
        if let Verifier::Closed(close) = next {
            self.counts.ended = Some((close, self.whereabouts(2)));
        }
        self.verifier = next;
    }

    /// Where the browser was in the time of the last so many answers.
    fn whereabouts(&mut self, answers: u64) -> Whereabouts {
        let from_ms = self.now_ms.saturating_sub(answers * self.answer_within_ms);
        self.browser.whereabouts(from_ms, self.now_ms)
    }

    fn on_arrival_at_server(&mut self) {
        let Some(message) = self.to_server.take() else { return };
        let (now, fresh, key) = (self.now(), self.fresh(), self.key);
        let step = self.verifier().on_message(&message, &key, now, fresh);
        self.follow(step);
    }

    fn on_arrival_at_browser(&mut self) {
        let Some(message) = self.to_browser.take() else { return };
        let (prover, challenge, detour_ms) = match (&mut self.seat, message) {
            (Seat::Owner(prover), Message::Challenge(challenge)) => (prover, challenge, 0),
            (Seat::Owner(prover), verdict) => {
                prover.on_verdict(&verdict);
                return;
            }
            (Seat::Relay { victim, own }, Message::Challenge(challenge)) => {
                // There and back, from the thief to the victim.
                let seen_ms = self.network.arrival_ms(self.now_ms, self.browser);
                let detour_ms = self.network.arrival_ms(seen_ms, self.browser) - self.now_ms;
                let connection = own.clone().unwrap_or_else(|| challenge.connection.clone());
                (victim, Challenge { connection, ..challenge }, detour_ms)
            }
            (Seat::Relay { .. } | Seat::Thief, _) => return,
        };
        let answer = match prover.on_challenge(&challenge) {
            Ok(to_sign) => {
                self.counts.signatures += 1;
                to_sign.answer(self.key.sign(&to_sign.transcript))
            }
            Err(refusal) => refusal,
        };
        self.send_up(self.now_ms + detour_ms, answer);
    }

    fn on_resume(&mut self) {
        if let Seat::Owner(prover) = &mut self.seat {
            let ask = prover.on_resume();
            self.send_up(self.now_ms, ask);
        }
        self.resumes_ms = self.browser.resumes_at(self.now_ms).unwrap_or(u64::MAX);
    }

    fn send_up(&mut self, at_ms: u64, message: Message) {
        self.counts.bytes += frame_bytes(&message, Sender::Browser);
        let arrived_ms = self.network.arrival_ms(at_ms, self.browser);
        self.to_server.put(arrived_ms, message);
    }

    fn now(&mut self) -> Now {
        let error_ms = self.clock_error_ms;
        let unix_ms = BEGIN_UNIX_MS + self.now_ms + self.random.up_to(2 * error_ms) - error_ms;
        Now { monotonic_ms: self.now_ms, unix_ms }
    }

    fn fresh(&mut self) -> Fresh {
        let nonce = nonce(self.random);
        let jitter = u32::try_from(self.random.next() >> 32).unwrap_or_default();
        Fresh { nonce, jitter }
    }
}

/// How a relay shows a challenge.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    /// It names the stolen connection.
    AsSent,
    /// It names the victim's own.
    Renamed,
}

fn binding(random: &mut Random, key: Key) -> Result<Binding> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&random.next().to_be_bytes());
    id[8..].copy_from_slice(&random.next().to_be_bytes());
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&key.0.to_be_bytes());
    let (connection, thumbprint) = (ConnectionId::make(id), Thumbprint::from_hash(&hash));
    Binding::new("https://console.example", connection, &nonce(random), thumbprint)
        .ok()
        .context("a nonce is no field")
}

fn nonce(random: &mut Random) -> String {
    let mut bytes = [0; 32];
    for eight in bytes.chunks_exact_mut(8) {
        eight.copy_from_slice(&random.next().to_be_bytes());
    }
    base64url::encode(&bytes)
}

#[derive(Clone, Copy)]
enum Sender {
    Server,
    Browser,
}

/// RFC 6455, section 5.2: a header of 2 bytes, 2 more for the length from 126 bytes, 4 of mask from a
/// browser. A WebSocket ends with a close frame of a code.
fn frame_bytes(message: &Message, sender: Sender) -> u64 {
    let payload = match message {
        Message::End { .. } => 2,
        // U+0001 comes first.
        message => 1 + u64::try_from(message.encode().len()).unwrap_or(u64::MAX),
    };
    let length = if payload < 126 { 2 } else { 4 };
    let mask = match sender {
        Sender::Server => 0,
        Sender::Browser => 4,
    };
    length + mask + payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Parameters;
    use clap::Parser as _;

    const HOUR_MS: u64 = 3_600_000;

    /// Runs connections one after another and hands each, with the time that it is, to `look`.
    fn each(arguments: &[&str], end_ms: u64, look: impl Fn(u64, &mut Link<'_>)) {
        let arguments = [&["simulate"], arguments].concat();
        let weather = Parameters::parse_from(arguments).weather;
        for seed in 0..300 {
            let (mut random, mut browser) = (Random::new(seed, 0), Browser::always_there());
            let mut link = Link::open(&mut browser, &mut random, &weather, Timing::default(), 0).unwrap();
            let now_ms = link.run_until(end_ms);
            look(now_ms, &mut link);
        }
    }

    #[test]
    fn an_honest_browser_that_is_there_is_neither_ended_nor_held() {
        let calm = ["--latency-ms", "300", "--latency-spread", "1.5", "--loss", "0"];
        each(&calm, 24 * HOUR_MS, |now_ms, link| {
            assert_eq!((now_ms, link.counts.ended, link.counts.held), (24 * HOUR_MS, None, 0));
            // About one in 31 seconds, the round trip included.
            assert!((2_700..2_900).contains(&link.counts.proofs), "{:?}", link.counts);
        });
    }

    #[test]
    fn a_wrong_wall_clock_changes_nothing() {
        each(&["--clock-error-s", "0"], HOUR_MS, |_, right| {
            assert_eq!(right.counts.ended, None);
        });
        each(&["--clock-error-s", "100000000"], HOUR_MS, |_, wrong| {
            assert_eq!((wrong.counts.ended, wrong.counts.held), (None, 0));
            assert!(wrong.counts.proofs > 100, "{:?}", wrong.counts);
        });
    }

    #[test]
    fn a_relay_is_refused_and_one_that_renames_proves_nothing() {
        for shown in [Shown::AsSent, Shown::Renamed] {
            each(&[], HOUR_MS, |now_ms, link| {
                let (proofs, signatures) = (link.counts.proofs, link.counts.signatures);
                let under_way = link.is_answer_under_way();
                let seat = link.relay(shown).unwrap();
                link.is_taken_by(seat);
                let closed_ms = link.run_until(2 * HOUR_MS);
                assert!(matches!(link.counts.ended, Some((Close::Unproven, _))), "{:?}", link.counts);
                assert!(link.counts.proofs <= proofs + u64::from(under_way));
                assert!(closed_ms < now_ms + 55_000, "after {} ms", closed_ms - now_ms);
                let signed = link.counts.signatures > signatures;
                assert_eq!(signed, matches!(shown, Shown::Renamed));
            });
        }
    }

    #[test]
    fn frames_have_the_length_that_they_have_on_the_wire() {
        let proven = Message::Proven { sequence: 1, rtt_ms: 41 };
        assert_eq!(frame_bytes(&proven, Sender::Server), 2 + 1 + 11);
        let answer = Message::Answer { sequence: 1, signature: [0; 64] };
        assert_eq!(frame_bytes(&answer, Sender::Browser), 2 + 4 + 1 + 95);
        assert_eq!(frame_bytes(&Message::End { code: 4401 }, Sender::Server), 4);
    }
}
