use crate::random::Random;
use std::collections::VecDeque;

/// When something is not there: the network, an awake laptop, a tab that runs. Drawn as far as it is
/// asked for, and the same whatever the machines do.
pub(crate) struct Absences {
    random: Random,
    /// From the end of one to the beginning of the next, on average. `None`: it is always there.
    every_ms: Option<f64>,
    mean_ms: f64,
    spells: VecDeque<Spell>,
    drawn_until_ms: u64,
}

struct Spell {
    from_ms: u64,
    /// The first millisecond at which it is over.
    until_ms: u64,
}

impl Absences {
    /// So many a day, of this length on average; both exponentially distributed.
    pub(crate) fn new(random: Random, a_day: f64, mean_ms: f64) -> Self {
        const DAY_MS: f64 = 86_400_000.0;
        let every_ms = (a_day > 0.0 && mean_ms > 0.0).then(|| DAY_MS / a_day);
        Self { random, every_ms, mean_ms, spells: VecDeque::new(), drawn_until_ms: 0 }
    }

    pub(crate) fn none() -> Self {
        Self::new(Random::new(0, 0), 0.0, 0.0)
    }

    /// When it is there: at once, or at the end of the absence in which `at_ms` lies.
    pub(crate) fn over_at(&mut self, at_ms: u64) -> u64 {
        self.draw_until(at_ms);
        let inside = self.spells.iter().find(|spell| (spell.from_ms..spell.until_ms).contains(&at_ms));
        inside.map_or(at_ms, |spell| spell.until_ms)
    }

    /// Whether it is not there.
    pub(crate) fn lasts_at(&mut self, at_ms: u64) -> bool {
        self.over_at(at_ms) != at_ms
    }

    /// Whether it was not there at some moment from the one to the other.
    pub(crate) fn touch(&mut self, from_ms: u64, to_ms: u64) -> bool {
        self.draw_until(to_ms);
        self.spells.iter().any(|spell| spell.until_ms > from_ms && spell.from_ms <= to_ms)
    }

    /// The first end of an absence after `at_ms`, if there are any.
    pub(crate) fn next_end_ms(&mut self, at_ms: u64) -> Option<u64> {
        self.every_ms?;
        while self.spells.back().is_none_or(|spell| spell.until_ms <= at_ms) {
            self.draw();
        }
        self.spells.iter().map(|spell| spell.until_ms).find(|until_ms| *until_ms > at_ms)
    }

    /// Nobody will ask for a time before this again.
    pub(crate) fn forget_before(&mut self, at_ms: u64) {
        while self.spells.front().is_some_and(|spell| spell.until_ms <= at_ms) {
            self.spells.pop_front();
        }
    }

    fn draw_until(&mut self, at_ms: u64) {
        while self.every_ms.is_some() && self.drawn_until_ms <= at_ms {
            self.draw();
        }
    }

    fn draw(&mut self) {
        let Some(every_ms) = self.every_ms else { return };
        let from_ms = self.drawn_until_ms.saturating_add(self.random.exponential_ms(every_ms));
        let until_ms = from_ms.saturating_add(self.random.exponential_ms(self.mean_ms).max(1));
        self.spells.push_back(Spell { from_ms, until_ms });
        self.drawn_until_ms = until_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absences_have_their_number_and_length() {
        let mut absences = Absences::new(Random::new(3, 3), 24.0, 60_000.0);
        let (mut at_ms, mut count, mut away_ms) = (0, 0, 0);
        while let Some(end_ms) = absences.next_end_ms(at_ms).filter(|end_ms| *end_ms < 86_400_000 * 1_000) {
            let begun_ms = absences.spells.iter().find(|spell| spell.until_ms == end_ms).unwrap().from_ms;
            assert!(absences.lasts_at(begun_ms) && !absences.lasts_at(end_ms));
            assert_eq!(absences.over_at(begun_ms), end_ms);
            assert!(absences.touch(end_ms - 1, end_ms + 5) && !absences.touch(end_ms, end_ms));
            (count, away_ms) = (count + 1, away_ms + end_ms - begun_ms);
            absences.forget_before(end_ms);
            at_ms = end_ms;
        }
        // An hour of presence and a minute of absence, in turn.
        assert!((23_000..24_200).contains(&count), "{count} in a thousand days");
        assert!((58_000..62_000).contains(&(away_ms / count)), "{} ms each", away_ms / count);
    }

    #[test]
    fn what_is_never_absent_is_there() {
        let mut absences = Absences::none();
        assert_eq!((absences.over_at(5), absences.next_end_ms(5)), (5, None));
    }
}
