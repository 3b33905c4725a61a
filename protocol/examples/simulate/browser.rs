use crate::absences::Absences;
use crate::parameters::Weather;
use crate::random::Random;

/// A browser that answers from a hidden tab does so with the next tick of its clock, at the latest.
const HIDDEN_TICK_MS: u64 = 1_000;

/// When the prover's code runs, and when packets get through to its machine.
pub(crate) struct Browser {
    outages: Absences,
    sleeps: Absences,
    freezes: Absences,
    answers_within_ms: u64,
}

/// Where a browser is while the server waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// Awake and on the network all along.
    There,
    /// There at last, but not all along.
    JustBack,
    /// Awake, without network.
    NoNetwork,
    /// The laptop sleeps, or the tab is frozen.
    Asleep,
}

impl Browser {
    /// Draws whether it is on a laptop that sleeps, and whether its tab is hidden.
    pub(crate) fn new(random: &mut Random, weather: &Weather) -> Self {
        let sleeps_a_day = if random.chance(weather.asleep) { weather.sleeps_a_day } else { 0.0 };
        let hidden = random.chance(weather.throttled);
        let freezes_a_day = if hidden { weather.freezes_a_day } else { 0.0 };
        Self {
            outages: Absences::new(random.split(), weather.outages_a_day, weather.outage_s * 1_000.0),
            sleeps: Absences::new(random.split(), sleeps_a_day, weather.sleep_min * 60_000.0),
            freezes: Absences::new(random.split(), freezes_a_day, weather.freeze_s * 1_000.0),
            answers_within_ms: if hidden { HIDDEN_TICK_MS } else { 0 },
        }
    }

    /// Awake and on the network for ever.
    pub(crate) fn always_there() -> Self {
        Self {
            outages: Absences::none(),
            sleeps: Absences::none(),
            freezes: Absences::none(),
            answers_within_ms: 0,
        }
    }

    /// In the time that it had for an answer, and at its end.
    pub(crate) fn whereabouts(&mut self, from_ms: u64, at_ms: u64) -> Whereabouts {
        if self.sleeps.lasts_at(at_ms) || self.freezes.lasts_at(at_ms) {
            Whereabouts::Asleep
        } else if self.outages.lasts_at(at_ms) {
            Whereabouts::NoNetwork
        } else if [&mut self.outages, &mut self.sleeps, &mut self.freezes]
            .into_iter()
            .any(|absences| absences.touch(from_ms, at_ms))
        {
            Whereabouts::JustBack
        } else {
            Whereabouts::There
        }
    }

    /// Whether a packet to or from it gets through. The network of a frozen tab goes on.
    pub(crate) fn is_reachable(&mut self, at_ms: u64) -> bool {
        !self.outages.lasts_at(at_ms) && !self.sleeps.lasts_at(at_ms)
    }

    /// When its code takes up a message that has arrived.
    pub(crate) fn takes_up_at(&mut self, arrived_ms: u64, random: &mut Random) -> u64 {
        self.runs_at(arrived_ms + random.up_to(self.answers_within_ms))
    }

    /// When it runs and has a network, to come back.
    pub(crate) fn is_back_at(&mut self, at_ms: u64) -> u64 {
        let mut back_ms = at_ms;
        loop {
            let runs_ms = self.runs_at(back_ms);
            let next_ms = self.outages.over_at(runs_ms);
            if next_ms == back_ms {
                return back_ms;
            }
            back_ms = next_ms;
        }
    }

    /// The next end of a sleep or a freeze after which its code runs.
    pub(crate) fn resumes_at(&mut self, after_ms: u64) -> Option<u64> {
        let ends = [self.sleeps.next_end_ms(after_ms), self.freezes.next_end_ms(after_ms)];
        ends.into_iter().flatten().min().map(|end_ms| self.runs_at(end_ms))
    }

    pub(crate) fn forget_before(&mut self, at_ms: u64) {
        for absences in [&mut self.outages, &mut self.sleeps, &mut self.freezes] {
            absences.forget_before(at_ms);
        }
    }

    fn runs_at(&mut self, at_ms: u64) -> u64 {
        let mut runs_ms = at_ms;
        loop {
            let next_ms = self.freezes.over_at(self.sleeps.over_at(runs_ms));
            if next_ms == runs_ms {
                return runs_ms;
            }
            runs_ms = next_ms;
        }
    }
}
