//! Dialling, and the wait before it.

use super::{Effects, Machine, PROVE_WITHIN_MS, Phase};
use crate::{State, effect::Effect};

/// Proven for so long: the next loss counts as the first.
const STEADY_AFTER_MS: u64 = 60_000;
/// Whatever the server asks for, a person does not wait longer than this.
const RETRY_AFTER_AT_MOST_MS: u64 = 600_000;

impl Machine {
    /// The person does not want to wait.
    pub(crate) fn retry_now(&mut self, now_ms: u64) -> Effects {
        match self.phase {
            Phase::ExpectRetry { .. } => {
                self.not_before_ms = 0;
                self.mint(now_ms, Vec::new())
            }
            _ => Vec::new(),
        }
    }

    /// Dials, or waits for as long as the server has asked for.
    pub(super) fn mint(&mut self, now_ms: u64, mut effects: Effects) -> Effects {
        if let Some(left_ms @ 1..) = self.not_before_ms.checked_sub(now_ms) {
            effects.append(&mut self.wait(now_ms, left_ms));
            return effects;
        }
        self.attempt = self.attempt.next();
        self.phase = Phase::ExpectTicket { give_up_at_ms: now_ms + PROVE_WITHIN_MS };
        effects.push(Effect::Report(State::Connecting));
        effects.push(Effect::Mint(self.attempt));
        effects
    }

    /// Comes back after this and what backoff adds.
    pub(super) fn wait(&mut self, now_ms: u64, at_least_ms: u64) -> Effects {
        if let Phase::Live(live) = &self.phase
            && now_ms.saturating_sub(live.since_ms) >= STEADY_AFTER_MS
        {
            self.backoff.reset();
        }
        let at_least_ms = at_least_ms.min(RETRY_AFTER_AT_MOST_MS);
        self.not_before_ms = now_ms + at_least_ms;
        let wait_ms = at_least_ms + self.backoff.next_ms((self.random)());
        self.attempt = self.attempt.next();
        self.phase = Phase::ExpectRetry { at_ms: now_ms + wait_ms };
        let retry_in_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        vec![Effect::HangUp, Effect::Report(State::Waiting { retry_in_ms })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        effect::{Line, NotDialled},
        machine::Dialling,
    };

    /// The server has asked for 30 s at 0; backoff adds a quarter of a second to its first waits.
    fn told_to_wait(dialling: Dialling) -> Machine {
        let mut machine = Machine::new(|| 1 << 31, dialling);
        machine.start(0);
        machine.on_leading(0);
        let effects = machine.on_not_dialled(machine.attempt(), NotDialled::Later { after_ms: 30_000 }, 0);
        assert_eq!(effects, [Effect::HangUp, Effect::Report(State::Waiting { retry_in_ms: 30_250 })]);
        machine
    }

    fn dials(machine: &Machine, effects: &[Effect]) -> bool {
        effects.contains(&Effect::Mint(machine.attempt()))
    }

    #[test]
    fn what_the_server_asked_for_holds_whatever_wakes_the_page() {
        for dialling in [Dialling::Alone, Dialling::Shared] {
            let mut machine = told_to_wait(dialling);
            for line in [Line::Up, Line::Down] {
                assert_eq!(machine.on_wake(line, 29_999), []);
            }
            assert_eq!(machine.deadline_ms(), Some(30_250));
            // What backoff has added is only against a crowd.
            let effects = machine.on_wake(Line::Down, 30_000);
            assert!(dials(&machine, &effects), "{effects:?}");
        }
    }

    #[test]
    fn it_holds_through_the_back_forward_cache() {
        let mut machine = told_to_wait(Dialling::Alone);
        machine.on_sleep();
        let waits = [Effect::HangUp, Effect::Report(State::Waiting { retry_in_ms: 10_500 })];
        assert_eq!(machine.on_wake(Line::Down, 20_000), waits);
        assert_eq!(machine.on_deadline(30_499), []);
        let effects = machine.on_deadline(30_500);
        assert!(dials(&machine, &effects), "{effects:?}");
    }

    #[test]
    fn a_person_may_not_want_to_wait() {
        let mut machine = told_to_wait(Dialling::Alone);
        let effects = machine.retry_now(10);
        assert!(dials(&machine, &effects), "{effects:?}");
    }

    #[test]
    fn a_wait_of_its_own_is_over_when_the_page_wakes() {
        let mut machine = told_to_wait(Dialling::Alone);
        machine.on_deadline(30_250);
        machine.on_not_dialled(machine.attempt(), NotDialled::Later { after_ms: 0 }, 30_300);
        let effects = machine.on_wake(Line::Down, 30_301);
        assert!(dials(&machine, &effects), "{effects:?}");
    }

    #[test]
    fn who_leads_next_takes_the_wait_over() {
        let follower = || {
            let mut machine = Machine::new(|| 1 << 31, Dialling::Shared);
            machine.start(0);
            machine.on_led(State::Waiting { retry_in_ms: 30_250 }, false, 0);
            machine
        };
        let mut machine = follower();
        let waits = [Effect::HangUp, Effect::Report(State::Waiting { retry_in_ms: 20_500 })];
        assert_eq!(machine.on_leading(10_000), waits);
        assert_eq!(machine.on_wake(Line::Down, 20_000), []);
        let effects = machine.on_deadline(30_500);
        assert!(dials(&machine, &effects), "{effects:?}");

        // Somebody did not want to wait: there is nothing to take over.
        let mut machine = follower();
        machine.on_led(State::Connecting, false, 10);
        let effects = machine.on_leading(10_000);
        assert!(dials(&machine, &effects), "{effects:?}");
    }
}
