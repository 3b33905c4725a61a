//! The table of deadlines and failures in pop.md, said a second time: what the server holds against a browser,
//! and when. It knows nothing of the machine but what goes in and what comes out.

use holdfast_protocol::pop::{Challenge, Message, Outcome, Step, Timing, Verifier};

/// What an input leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Nothing,
    Proven,
    /// The first failure since the last success.
    Held,
    /// The second in a row.
    Ended,
}

pub(crate) struct Rules {
    timing: Timing,
    /// The challenge that waits for its answer, and the end of its time.
    out: Option<(Challenge, u64)>,
    failures: u32,
}

impl Rules {
    pub(crate) fn new(timing: Timing) -> Self {
        Self { timing, out: None, failures: 0 }
    }

    pub(crate) fn on_deadline(&mut self, now_ms: u64) -> Expected {
        match &self.out {
            Some((_, until_ms)) if now_ms >= *until_ms => self.fail(),
            _ => Expected::Nothing,
        }
    }

    pub(crate) fn on_message(
        &mut self,
        message: &Message,
        is_right: impl Fn(&Challenge, &[u8; 64]) -> bool,
        now_ms: u64,
    ) -> Expected {
        let Some((challenge, until_ms)) = &self.out else { return Expected::Nothing };
        match message {
            Message::Answer { sequence, signature } if *sequence == challenge.sequence => {
                if now_ms >= *until_ms || !is_right(challenge, signature) {
                    return self.fail();
                }
                self.failures = 0;
                self.out = None;
                Expected::Proven
            }
            Message::Refuse { sequence, .. } if *sequence == challenge.sequence => self.fail(),
            _ => Expected::Nothing,
        }
    }

    fn fail(&mut self) -> Expected {
        self.out = None;
        self.failures += 1;
        if self.failures == 2 { Expected::Ended } else { Expected::Held }
    }

    /// Holds what the machine did against what it had to do, and learns what it sent.
    pub(crate) fn agree(&mut self, step: &Step, expected: Expected, now_ms: u64) {
        let found = match step.outcome {
            None => Expected::Nothing,
            Some(Outcome::Proven { .. }) => Expected::Proven,
            Some(Outcome::Held(_)) => Expected::Held,
            Some(Outcome::Closed(_)) => Expected::Ended,
        };
        assert_eq!(found, expected, "at {now_ms} ms");
        let is_over = matches!(step.next, Verifier::Closed(_));
        assert_eq!(
            is_over,
            expected == Expected::Ended,
            "it ends for two failures in a row, and for nothing else"
        );
        let mut challenges = step.send.iter().filter_map(|message| match message {
            Message::Challenge(challenge) => Some(challenge),
            _ => None,
        });
        let challenge = challenges.next();
        assert!(expected != Expected::Held || challenge.is_some(), "who failed once is challenged at once");
        if let Some(challenge) = challenge {
            assert!(self.out.is_none(), "one challenge at a time");
            self.out = Some((challenge.clone(), now_ms + u64::from(self.timing.answer_within_ms)));
        }
        assert!(challenges.next().is_none(), "one challenge at a time");
    }
}
