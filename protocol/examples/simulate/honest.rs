use crate::browser::{Browser, Whereabouts};
use crate::link::Link;
use crate::parameters::Parameters;
use crate::random::Random;
use crate::workers::Sum;
use anyhow::{Result, ensure};
use holdfast_protocol::pop::{Close, Timing};

const HOUR_MS: u64 = 3_600_000;
/// A browser that comes back waits for up to this first.
const BACKOFF_MS: u64 = 1_000;

/// What the honest connections of a setting came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Honest {
    /// For how long there was a connection.
    pub connected_ms: u64,
    pub signatures: u64,
    pub bytes: u64,
    /// Held back though the browser was awake and on the network all along.
    pub held: u64,
    /// Ended with 4401 likewise: false terminations.
    pub ended_there: u64,
    /// Ended with 4401 just after an outage, a sleep or a freeze.
    pub ended_just_back: u64,
    /// Ended with 4401 while the browser was awake and without network.
    pub ended_without_network: u64,
    /// Ended with 4401 while the laptop slept or the tab was frozen.
    pub ended_asleep: u64,
}

/// Adds one browser's hours: whenever the server ends its connection, it opens the next one as soon as
/// it is awake and has a network.
pub(crate) fn live(parameters: &Parameters, timing: Timing, index: u32, sum: &mut Honest) -> Result<()> {
    let mut random = Random::new(parameters.seed, u64::from(index));
    let mut browser = Browser::new(&mut random, &parameters.weather);
    let end_ms = u64::from(parameters.hours) * HOUR_MS;
    let mut opened_ms = browser.is_back_at(0);
    while opened_ms < end_ms {
        let mut link = Link::open(&mut browser, &mut random, &parameters.weather, timing, opened_ms)?;
        let now_ms = link.run_until(end_ms);
        let counts = link.counts;
        sum.connected_ms += now_ms - opened_ms;
        sum.signatures += counts.signatures;
        sum.bytes += counts.bytes;
        sum.held += counts.held;
        let Some((close, whereabouts)) = counts.ended else { break };
        ensure!(close == Close::Unproven, "an honest connection was closed with {}", close.code());
        match whereabouts {
            Whereabouts::There => sum.ended_there += 1,
            Whereabouts::JustBack => sum.ended_just_back += 1,
            Whereabouts::NoNetwork => sum.ended_without_network += 1,
            Whereabouts::Asleep => sum.ended_asleep += 1,
        }
        opened_ms = browser.is_back_at(now_ms + random.up_to(BACKOFF_MS));
    }
    Ok(())
}

impl Sum for Honest {
    fn add(&mut self, other: Self) {
        self.connected_ms += other.connected_ms;
        self.signatures += other.signatures;
        self.bytes += other.bytes;
        self.held += other.held;
        self.ended_there += other.ended_there;
        self.ended_just_back += other.ended_just_back;
        self.ended_without_network += other.ended_without_network;
        self.ended_asleep += other.ended_asleep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn run(arguments: &[&str]) -> Honest {
        let parameters = Parameters::parse_from([&["simulate"], arguments].concat());
        let mut sum = Honest::default();
        for index in 0..200 {
            live(&parameters, Timing::default(), index, &mut sum).unwrap();
        }
        sum
    }

    #[test]
    fn without_absences_nothing_ends() {
        let sum = run(&["--asleep", "0", "--throttled", "0", "--outages-a-day", "0"]);
        assert_eq!((sum.connected_ms, sum.ended_there, sum.ended_asleep), (200 * 24 * HOUR_MS, 0, 0));
        assert_eq!(run(&["--asleep", "0", "--throttled", "0", "--outages-a-day", "0"]), sum, "the same seed");
    }

    #[test]
    fn a_sleeping_laptop_is_ended_asleep_and_comes_back() {
        let sum = run(&["--asleep", "1", "--throttled", "0", "--outages-a-day", "0"]);
        // A sleep of 40 minutes and three hours of waking, in turn.
        assert!((1_200..1_400).contains(&sum.ended_asleep), "{sum:?}");
        assert!(sum.ended_without_network == 0 && sum.ended_there < 5, "{sum:?}");
        let awake = 180.0 / 220.0;
        let connected = crate::random::real(sum.connected_ms) / crate::random::real(200 * 24 * HOUR_MS);
        assert!((connected - awake).abs() < 0.02, "{connected} of the time");
    }

    #[test]
    fn a_long_outage_is_told_from_a_sleep() {
        let weather = ["--asleep", "0", "--throttled", "0", "--outages-a-day", "24", "--outage-s", "300"];
        let sum = run(&weather);
        assert!(sum.ended_without_network > 3_500 && sum.ended_asleep == 0, "{sum:?}");
    }
}
