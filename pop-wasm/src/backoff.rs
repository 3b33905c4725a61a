/// Exponential backoff with full jitter: the n-th wait is uniform between nothing and
/// `500 ms × 2ⁿ`, at most 30 s, so that clients that lost their server together do not come back
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

const BASE_MS: u64 = 500;
const CAP_MS: u64 = 30_000;

impl Backoff {
    /// One more failure: how long to wait. `random` is uniform over all of `u32`.
    pub(crate) fn next_ms(&mut self, random: u32) -> u64 {
        let ceiling = CAP_MS.min(BASE_MS << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        (ceiling * u64::from(random)) >> 32
    }

    /// It has worked for a while.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let longest: Vec<u64> = (0..9).map(|_| backoff.next_ms(u32::MAX)).collect();
        assert_eq!(longest, [499, 999, 1999, 3999, 7999, 15_999, 29_999, 29_999, 29_999]);
        backoff.reset();
        assert_eq!(backoff.next_ms(u32::MAX), 499);
    }

    #[test]
    fn jitter_is_full() {
        assert_eq!(Backoff { failures: 60 }.next_ms(0), 0);
        assert_eq!(Backoff { failures: 60 }.next_ms(1 << 31), 15_000);
        assert_eq!(Backoff { failures: u32::MAX }.next_ms(u32::MAX), 29_999);
    }
}
