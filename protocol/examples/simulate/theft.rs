use crate::browser::Browser;
use crate::link::{Link, Seat, Shown};
use crate::parameters::Parameters;
use crate::random::{Random, real};
use crate::workers::Sum;
use anyhow::{Result, ensure};
use holdfast_protocol::pop::{Standing, Timing};

/// Who takes a live connection over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// With the cookie and without the key.
    Thief,
    /// With a browser of the victim to show the challenges to.
    Relay,
}

/// How long they lasted, in milliseconds from the theft.
#[derive(Debug, Default)]
pub(crate) struct Thefts {
    /// Until no application data flowed.
    pub silent: Spans,
    /// Until the connection was closed.
    pub cut_off: Spans,
}

/// Many lengths of time.
#[derive(Debug, Default)]
pub(crate) struct Spans(Vec<u64>);

/// So many connections are tried before there is one to steal.
const TRIES: u32 = 100;

/// Adds one theft: at a random moment of a connection that has been live for a while. None where the
/// network is so slow that no connection is.
pub(crate) fn happen(
    parameters: &Parameters,
    timing: Timing,
    who: Who,
    index: u32,
    sum: &mut Thefts,
) -> Result<()> {
    let mut random = Random::new(parameters.seed ^ 0x7e4f, u64::from(index));
    let mut browser = Browser::always_there();
    for _ in 0..TRIES {
        let interval_ms = u64::from(timing.interval_ms);
        let stolen_ms = 2 * interval_ms + random.up_to(2 * interval_ms);
        let mut link = Link::open(&mut browser, &mut random, &parameters.weather, timing, 0)?;
        link.run_until(stolen_ms);
        // On a connection that is held back there is nothing to steal.
        if link.standing() != Standing::Proven {
            continue;
        }
        let most_proofs = link.counts.proofs + u64::from(link.is_answer_under_way());
        let shown = if index.is_multiple_of(2) { Shown::AsSent } else { Shown::Renamed };
        let seat = if who == Who::Thief { Seat::Thief } else { link.relay(shown)? };
        link.is_taken_by(seat);
        let closed_ms = link.run_until(u64::MAX);
        ensure!(link.counts.proofs <= most_proofs, "{who:?} {index} proved what he cannot");
        sum.silent.0.push(link.silent_since_ms() - stolen_ms);
        sum.cut_off.0.push(closed_ms - stolen_ms);
        break;
    }
    Ok(())
}

impl Spans {
    /// The shortest span that so many per cent of all do not exceed, in seconds. Sorted before.
    pub(crate) fn percentile_s(&self, per_cent: usize) -> Option<f64> {
        let rank = (self.0.len() * per_cent).div_ceil(100).max(1);
        self.0.get(rank - 1).map(|ms| real(*ms) / 1_000.0)
    }
}

impl Thefts {
    pub(crate) fn sort(&mut self) {
        self.silent.0.sort_unstable();
        self.cut_off.0.sort_unstable();
    }
}

impl Sum for Thefts {
    fn add(&mut self, other: Self) {
        self.silent.0.extend(other.silent.0);
        self.cut_off.0.extend(other.cut_off.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn run(who: Who, timing: Timing) -> Thefts {
        let parameters = Parameters::parse_from(["simulate"]);
        let mut sum = Thefts::default();
        for index in 0..2_000 {
            happen(&parameters, timing, who, index, &mut sum).unwrap();
        }
        sum.sort();
        sum
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let spans = Spans((1..=200).map(|s| s * 1_000).collect());
        let read = [0, 1, 50, 99, 100].map(|per_cent| spans.percentile_s(per_cent));
        assert_eq!(read, [1.0, 2.0, 100.0, 198.0, 200.0].map(Some));
        assert_eq!(Spans(vec![7_000]).percentile_s(50), Some(7.0));
        assert_eq!(Spans::default().percentile_s(50), None);
    }

    #[test]
    fn a_thief_is_silent_after_a_deadline_and_cut_off_after_one_more() {
        for answer_within_ms in [5_000, 10_000] {
            let timing = Timing { answer_within_ms, ..Timing::default() };
            let thefts = run(Who::Thief, timing);
            let second_deadline_ms = u64::from(timing.answer_within_ms);
            let longest_ms = u64::from(timing.interval_ms + timing.jitter_ms) + second_deadline_ms;
            // An answer of the owner that is under way counts from its arrival, which is soon.
            let arrival_ms = 2_000;
            for (silent_ms, cut_off_ms) in thefts.silent.0.iter().zip(&thefts.cut_off.0) {
                assert!(*silent_ms <= longest_ms + arrival_ms, "silent after {silent_ms}");
                assert_eq!(*cut_off_ms, silent_ms + second_deadline_ms);
            }
        }
    }

    #[test]
    fn where_no_connection_lives_nothing_is_stolen() {
        let parameters = Parameters::parse_from(["simulate", "--latency-ms", "60000"]);
        let mut sum = Thefts::default();
        happen(&parameters, Timing::default(), Who::Thief, 0, &mut sum).unwrap();
        assert_eq!(sum.cut_off.percentile_s(100), None);
    }

    #[test]
    fn a_relay_ends_sooner_than_a_thief_who_is_silent() {
        let (thief, relay) = (run(Who::Thief, Timing::default()), run(Who::Relay, Timing::default()));
        for per_cent in [50, 99, 100] {
            assert!(
                relay.silent.percentile_s(per_cent) < thief.silent.percentile_s(per_cent),
                "{per_cent} %"
            );
            assert!(
                relay.cut_off.percentile_s(per_cent) < thief.cut_off.percentile_s(per_cent),
                "{per_cent} %"
            );
        }
    }
}
