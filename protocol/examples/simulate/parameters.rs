use clap::builder::RangedU64ValueParser;
use holdfast_protocol::pop::Timing;
use std::path::PathBuf;

/// Run the two machines of the proof of possession for many connections in simulated time, and compare
/// intervals and timeouts: what they cost an honest browser, and how long they leave a thief.
///
/// Verifier and prover are the real ones; a signature is a hash, since ECDSA would take weeks.
#[derive(Debug, Clone, clap::Parser)]
#[command(bin_name = "cargo xtask simulate")]
pub(crate) struct Parameters {
    /// Honest connections, each in a browser of its own.
    #[arg(long, value_name = "COUNT", default_value_t = 2_000, value_parser = count())]
    pub connections: u32,
    /// How long each is watched; a million take a minute and a half for each hour and setting on two cores.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = RangedU64ValueParser::<u32>::new().range(1..=87_600))]
    pub hours: u32,
    /// Live connections taken over by somebody with the cookie and without the key.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, value_parser = count())]
    pub thieves: u32,
    /// The same, by somebody who shows each challenge to the victim's browser.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, value_parser = count())]
    pub relays: u32,
    /// The whole run follows from it.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// From a success to the next challenge; each is combined with each timeout.
    #[arg(long, value_name = "SECONDS,…", value_delimiter = ',', default_value = "10,30,60", value_parser = seconds())]
    pub interval_s: Vec<u32>,
    /// From a challenge to the end of its answer's time.
    #[arg(long, value_name = "SECONDS,…", value_delimiter = ',', default_value = "5,10,20", value_parser = seconds())]
    pub timeout_s: Vec<u32>,
    /// At most so much is added to or taken from the interval [default: a sixth of it]
    #[arg(long, value_name = "SECONDS", value_parser = seconds())]
    pub jitter_s: Option<u32>,
    /// Where the plot goes.
    #[arg(long, value_name = "FILE", default_value = "target/simulate/plot.svg")]
    pub plot: PathBuf,
    #[command(flatten)]
    pub weather: Weather,
}

/// What networks, browsers and clocks do.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Networks, browsers, clocks")]
pub(crate) struct Weather {
    /// One way, median of a log-normal distribution.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 50.0, value_parser = amount)]
    pub latency_ms: f64,
    /// Two thirds of the latencies lie within this factor of the median.
    #[arg(long, value_name = "FACTOR", default_value_t = 2.5, value_parser = factor)]
    pub latency_spread: f64,
    /// How long a slow network stays slow: after this, a third of it is left.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = amount)]
    pub slow_for_s: f64,
    /// Share of packets that are lost and sent again, as TCP does: after 200 ms, then 400, 800, …
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    pub loss: f64,
    /// How often the network is gone, exponentially distributed.
    #[arg(long, value_name = "NUMBER", default_value_t = 4.0, value_parser = amount)]
    pub outages_a_day: f64,
    /// For how long it is gone, mean of an exponential distribution.
    #[arg(long, value_name = "SECONDS", default_value_t = 15.0, value_parser = amount)]
    pub outage_s: f64,
    /// Share of browsers on laptops that go to sleep.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub asleep: f64,
    /// How often such a laptop sleeps, exponentially distributed.
    #[arg(long, value_name = "NUMBER", default_value_t = 8.0, value_parser = amount)]
    pub sleeps_a_day: f64,
    /// For how long, mean of an exponential distribution.
    #[arg(long, value_name = "MINUTES", default_value_t = 40.0, value_parser = amount)]
    pub sleep_min: f64,
    /// Share of browsers whose tab is hidden: it answers up to a second late, and is frozen now and then.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
    pub throttled: f64,
    /// How often such a tab is frozen, exponentially distributed.
    #[arg(long, value_name = "NUMBER", default_value_t = 4.0, value_parser = amount)]
    pub freezes_a_day: f64,
    /// For how long, mean of an exponential distribution.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = amount)]
    pub freeze_s: f64,
    /// The server's wall clock is off by up to this, anew at each look.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = RangedU64ValueParser::<u32>::new().range(..=100_000_000))]
    pub clock_error_s: u32,
}

impl Parameters {
    /// Every interval with every timeout.
    pub(crate) fn timings(&self) -> Vec<Timing> {
        let pairs =
            self.interval_s.iter().flat_map(|interval| self.timeout_s.iter().map(move |t| (*interval, *t)));
        pairs
            .map(|(interval_s, timeout_s)| Timing {
                interval_ms: interval_s * 1_000,
                jitter_ms: self.jitter_s.map_or(interval_s * 1_000 / 6, |jitter_s| jitter_s * 1_000),
                answer_within_ms: timeout_s * 1_000,
            })
            .collect()
    }
}

fn count() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

fn seconds() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=86_400)
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 0.0, 1.0)
}

fn amount(text: &str) -> Result<f64, String> {
    within(text, 0.0, 1e6)
}

fn factor(text: &str) -> Result<f64, String> {
    within(text, 1.0, 100.0)
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(format!("from {least} to {most}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_flags_fit_together_and_hold_the_codes_own_timing() {
        Parameters::command().debug_assert();
        let timings = Parameters::parse_from(["simulate"]).timings();
        assert_eq!(timings.len(), 9);
        assert!(timings.contains(&Timing::default()), "{timings:?}");
    }

    #[test]
    fn a_share_is_at_most_one() {
        assert!(Parameters::try_parse_from(["simulate", "--loss", "1"]).is_ok());
        for bad in [["--loss", "1.1"], ["--asleep", "NaN"], ["--connections", "1000001"]] {
            assert!(Parameters::try_parse_from([["simulate"].as_slice(), &bad].concat()).is_err(), "{bad:?}");
        }
    }
}
