use crate::browser::Browser;
use crate::parameters::Weather;
use crate::random::{Random, real, whole_ms};
use holdfast_protocol::pop::Message;
use std::collections::VecDeque;

/// TCP sends a lost packet again after this, then after twice as long, and so on.
const FIRST_RETRY_MS: u64 = 200;
const LONGEST_RETRY_MS: u64 = 120_000;

/// One direction of a connection: TCP, so nothing overtakes and nothing is lost for good.
#[derive(Default)]
pub(crate) struct Line {
    under_way: VecDeque<(u64, Message)>,
    last_arrival_ms: u64,
}

impl Line {
    /// When the next message arrives; never, if none is under way.
    pub(crate) fn next_ms(&self) -> u64 {
        self.under_way.front().map_or(u64::MAX, |(at_ms, _)| *at_ms)
    }

    pub(crate) fn take(&mut self) -> Option<Message> {
        self.under_way.pop_front().map(|(_, message)| message)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// `arrival_ms` is what [`Network::arrival_ms`] said, or later.
    pub(crate) fn put(&mut self, arrival_ms: u64, message: Message) {
        self.last_arrival_ms = arrival_ms.max(self.last_arrival_ms);
        self.under_way.push_back((self.last_arrival_ms, message));
    }
}

/// The network between a browser and the server.
pub(crate) struct Network<'a> {
    weather: &'a Weather,
    random: Random,
    /// How slow it is: normally distributed, and soon after much the same.
    slowness: f64,
    at_ms: u64,
}

impl<'a> Network<'a> {
    pub(crate) fn new(mut random: Random, weather: &'a Weather) -> Self {
        let slowness = random.normal();
        Self { weather, random, slowness, at_ms: 0 }
    }

    /// When a packet that is sent now arrives, after as many tries as it takes.
    pub(crate) fn arrival_ms(&mut self, sent_ms: u64, browser: &mut Browser) -> u64 {
        let (mut at_ms, mut retry_ms) = (sent_ms, FIRST_RETRY_MS);
        // A network that loses everything delivers nothing within the day.
        while at_ms < sent_ms + 86_400_000
            && (!browser.is_reachable(at_ms) || self.random.chance(self.weather.loss))
        {
            at_ms += retry_ms;
            retry_ms = (retry_ms * 2).min(LONGEST_RETRY_MS);
        }
        at_ms + self.latency_ms(at_ms)
    }

    /// Log-normally distributed. Of one packet's slowness the next keeps the more, the sooner it comes.
    fn latency_ms(&mut self, at_ms: u64) -> u64 {
        let elapsed_ms = at_ms.saturating_sub(self.at_ms);
        let kept = (-real(elapsed_ms) / (self.weather.slow_for_s * 1_000.0).max(1.0)).exp();
        self.slowness = kept * self.slowness + (1.0 - kept * kept).sqrt() * self.random.normal();
        self.at_ms = self.at_ms.max(at_ms);
        whole_ms(self.weather.latency_ms * self.weather.latency_spread.powf(self.slowness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Parameters;
    use clap::Parser as _;

    fn latencies(arguments: &[&str], every_ms: u64) -> Vec<u64> {
        let weather = Parameters::parse_from([&["simulate"], arguments].concat()).weather;
        let mut network = Network::new(Random::new(5, 5), &weather);
        let mut browser = Browser::always_there();
        let sent = (1..=100_000).map(|at| at * every_ms);
        sent.map(|sent_ms| network.arrival_ms(sent_ms, &mut browser) - sent_ms).collect()
    }

    #[test]
    fn latencies_have_their_median_and_spread() {
        for every_ms in [15_000, 600_000] {
            let mut spans =
                latencies(&["--latency-ms", "50", "--latency-spread", "2", "--loss", "0"], every_ms);
            spans.sort_unstable();
            assert!((48..=52).contains(&spans[50_000]), "median {}", spans[50_000]);
            let within = spans.iter().filter(|ms| (25..=100).contains(*ms)).count();
            assert!((66_000..71_000).contains(&within), "{within} within a factor of two");
        }
    }

    #[test]
    fn a_slow_network_stays_slow_for_a_while() {
        let follow = |every_ms| {
            let spans = latencies(&["--loss", "0"], every_ms);
            let slow = |ms: &u64| *ms > 200;
            let pairs = spans.windows(2).filter(|pair| pair.iter().all(slow)).count();
            pairs * 100 / spans.iter().filter(|ms| slow(ms)).count()
        };
        let (soon, late) = (follow(5_000), follow(600_000));
        assert!(soon > 60 && late < 10, "{soon} % soon, {late} % late");
    }

    #[test]
    fn a_lost_packet_comes_later_and_each_loss_doubles_the_wait() {
        let spans = latencies(&["--loss", "0.5", "--latency-ms", "0"], 1_000_000);
        let count = |ms: u64| spans.iter().filter(|span| **span == ms).count();
        for (ms, expected) in [(0, 50_000), (200, 25_000), (600, 12_500), (1_400, 6_250)] {
            assert!(count(ms).abs_diff(expected) < 700, "{} after {ms} ms", count(ms));
        }
    }
}
