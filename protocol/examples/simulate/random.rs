use std::f64::consts::TAU;
use std::time::Duration;

/// SplitMix64: small, seeded, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
    /// Normal numbers come in pairs.
    spare: Option<f64>,
}

impl Random {
    /// One of many streams that have nothing to do with one another.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self { state: seed, spare: None };
        random.state = random.next() ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93);
        random.state = random.next();
        random
    }

    /// A stream of its own for a part of what this one is for.
    pub(crate) fn split(&mut self) -> Self {
        Self { state: self.next(), spare: None }
    }

    /// Uniform over all of `u64`.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `most`, both included.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        let number = self.next();
        most.checked_add(1).map_or(number, |bound| number % bound)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// Exponentially distributed around `mean_ms`: events that know nothing of one another.
    pub(crate) fn exponential_ms(&mut self, mean_ms: f64) -> u64 {
        whole_ms(-mean_ms * (1.0 - self.unit()).ln())
    }

    /// From 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        real(self.next() >> 11) / real(1 << 53)
    }

    /// Normally distributed around 0 with a deviation of 1: Box and Muller's transform.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let length = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let (sine, cosine) = (TAU * self.unit()).sin_cos();
        self.spare = Some(length * sine);
        length * cosine
    }
}

/// As a real number; exact below 2^53.
pub(crate) fn real(number: u64) -> f64 {
    let (high, low) = (number >> 32, number & u64::from(u32::MAX));
    let real = |half: u64| u32::try_from(half).map_or(0.0, f64::from);
    real(high) * 4_294_967_296.0 + real(low)
}

/// In whole milliseconds.
pub(crate) fn whole_ms(ms: f64) -> u64 {
    let whole = Duration::try_from_secs_f64(ms / 1_000.0).map(|span| span.as_millis());
    whole.ok().and_then(|ms| u64::try_from(ms).ok()).unwrap_or(u64::MAX >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_as_they_should_be() {
        let mut random = Random::new(1, 1);
        let count = 100_000;
        let within = (0..count).filter(|_| random.normal().abs() < 1.0).count();
        assert!((67_700..68_900).contains(&within), "{within} within a deviation");
        let sum: u64 = (0..count).map(|_| random.exponential_ms(1_000.0)).sum();
        assert!((980..1_020).contains(&(sum / 100_000)), "mean {}", sum / 100_000);
        let hits = (0..count).filter(|_| random.chance(0.01)).count();
        assert!((900..1_100).contains(&hits), "{hits} of 1 %");
    }

    #[test]
    fn large_numbers_are_exact() {
        assert_eq!(real(0), 0.0);
        assert_eq!(real((1 << 53) - 1), 9_007_199_254_740_991.0);
    }
}
