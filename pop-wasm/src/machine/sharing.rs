//! One connection for all tabs of a browser: the tab that leads dials, the others follow what it tells.

use super::{Dialling, Effects, Machine, Phase, SILENT_AFTER_MS, Silence};
use crate::{End, State, effect::Effect};

/// A tab that leads answers at once, unless it is frozen.
const LEADER_WITHIN_MS: u64 = 5_000;

impl Machine {
    /// This tab leads now, or there is no way to share.
    pub(crate) fn on_leading(&mut self, now_ms: u64) -> Effects {
        match self.phase {
            Phase::Following { .. } => self.mint(now_ms, Vec::new()),
            _ => Vec::new(),
        }
    }

    /// Another tab has taken the lead: this one had not answered it.
    pub(crate) fn on_lead_lost(&mut self, now_ms: u64) -> Effects {
        match self.phase {
            Phase::Idle | Phase::Asleep | Phase::Ended => Vec::new(),
            _ => self.begin(now_ms, vec![Effect::HangUp, Effect::Drop]),
        }
    }

    /// How the connection of the tab that leads stands. Asked for: only who asked takes it.
    pub(crate) fn on_led(&mut self, state: State, asked_for: bool, now_ms: u64) -> Effects {
        if state == State::Ended(End::EndedByOwner)
            && matches!(self.phase, Phase::ExpectTicket { .. } | Phase::ExpectProof { .. })
        {
            // The lead came before the news.
            return self.end(End::EndedByOwner);
        }
        let Phase::Following { silence } = &mut self.phase else { return Vec::new() };
        if asked_for && matches!(silence, Silence::AskAt(_)) {
            return Vec::new();
        }
        let mut wait_ms = 0;
        let silent_at_ms = match state {
            State::Ended(why @ (End::EndedByOwner | End::SignedOut)) => return self.end(why),
            // What fails in one tab may work in the next that leads.
            State::Ended(End::Closed | End::Refused | End::NoKey | End::EndedByApplication) => {
                return Vec::new();
            }
            // Timers of hidden tabs come late: who asks reminds them.
            State::Waiting { retry_in_ms } => {
                wait_ms = u64::from(retry_in_ms);
                now_ms + wait_ms + 1_000
            }
            State::Connecting | State::Proving | State::Open { .. } | State::Held => now_ms + SILENT_AFTER_MS,
        };
        *silence = Silence::AskAt(silent_at_ms);
        // Whoever leads next takes the wait over.
        self.not_before_ms = now_ms + wait_ms;
        vec![Effect::Report(state)]
    }

    pub(super) fn begin(&mut self, now_ms: u64, mut effects: Effects) -> Effects {
        if self.dialling == Dialling::Alone {
            return self.mint(now_ms, effects);
        }
        self.attempt = self.attempt.next();
        // Joining asks.
        self.phase = self.expect_leader(now_ms);
        effects.push(Effect::Report(State::Connecting));
        effects.push(Effect::Join);
        effects
    }

    /// Not all at the same moment, since they would take the lead from one another.
    fn expect_leader(&self, now_ms: u64) -> Phase {
        let jitter_ms = u64::from((self.random)() >> 21);
        Phase::Following { silence: Silence::GiveUpAt(now_ms + LEADER_WITHIN_MS + jitter_ms) }
    }

    pub(super) fn ask_leader(&mut self, now_ms: u64) -> Effects {
        self.phase = self.expect_leader(now_ms);
        vec![Effect::AskLeader]
    }

    pub(super) fn wake_leader(&mut self, now_ms: u64) -> Effects {
        self.phase = self.expect_leader(now_ms);
        vec![Effect::WakeLeader]
    }

    pub(super) fn take_lead(&mut self, now_ms: u64) -> Effects {
        // It tells of itself; until then there is nothing to ask.
        self.phase = Phase::Following { silence: Silence::AskAt(now_ms + SILENT_AFTER_MS) };
        vec![Effect::TakeLead]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Line;

    fn following() -> Machine {
        let mut machine = Machine::new(|| 0, Dialling::Shared);
        assert_eq!(machine.start(0), [Effect::Report(State::Connecting), Effect::Join]);
        assert!(machine.is_following());
        machine
    }

    const OPEN: State = State::Open { rtt_ms: 7 };

    #[test]
    fn whoever_leads_dials() {
        let mut machine = following();
        let effects = machine.on_leading(10);
        assert_eq!(effects, [Effect::Report(State::Connecting), Effect::Mint(machine.attempt())]);
        assert_eq!(machine.on_leading(11), []);
        assert_eq!(machine.on_led(OPEN, false, 12), []);
    }

    #[test]
    fn a_follower_tells_what_the_leader_tells() {
        let mut machine = following();
        assert_eq!(machine.on_led(OPEN, true, 10), [Effect::Report(OPEN)]);
        // Another tab has asked.
        assert_eq!(machine.on_led(OPEN, true, 20), []);
        assert_eq!(machine.on_led(State::Held, false, 30), [Effect::Report(State::Held)]);
        for one_tabs in [End::Closed, End::Refused, End::NoKey, End::EndedByApplication] {
            assert_eq!(machine.on_led(State::Ended(one_tabs), false, 40), []);
            assert!(machine.is_following());
        }
        let effects = machine.on_led(State::Ended(End::EndedByOwner), false, 50);
        assert!(effects.contains(&Effect::Report(State::Ended(End::EndedByOwner))), "{effects:?}");
        assert!(machine.has_ended());
    }

    #[test]
    fn an_end_that_comes_after_the_lead_is_an_end() {
        let mut machine = following();
        machine.on_leading(10);
        assert_eq!(machine.on_led(State::Ended(End::SignedOut), false, 20), []);
        machine.on_led(State::Ended(End::EndedByOwner), false, 20);
        assert!(machine.has_ended());
    }

    #[test]
    fn a_leader_whose_timers_come_late_is_reminded() {
        let mut machine = following();
        machine.on_led(State::Waiting { retry_in_ms: 2_000 }, false, 0);
        assert_eq!(machine.on_deadline(2_999), []);
        assert_eq!(machine.on_deadline(3_000), [Effect::AskLeader]);
    }

    #[test]
    fn a_silent_leader_is_asked_and_then_replaced() {
        let mut machine = following();
        machine.on_led(OPEN, false, 0);
        assert_eq!(machine.on_deadline(89_999), []);
        assert_eq!(machine.on_deadline(90_000), [Effect::AskLeader]);
        assert_eq!(machine.on_deadline(94_999), []);
        assert_eq!(machine.on_deadline(95_000), [Effect::TakeLead]);
        assert_eq!(machine.on_deadline(95_000), []);
        assert!(machine.is_following());

        // An answer is enough.
        let mut machine = following();
        machine.on_led(OPEN, false, 0);
        machine.on_deadline(90_000);
        assert_eq!(machine.on_led(OPEN, true, 90_010), [Effect::Report(OPEN)]);
        assert_eq!(machine.on_deadline(95_000), []);

        // Whoever joins finds a frozen leader.
        assert_eq!(following().on_deadline(5_000), [Effect::TakeLead]);
    }

    #[test]
    fn after_a_sleep_the_leader_is_asked_once() {
        let mut machine = following();
        machine.on_led(OPEN, false, 0);
        assert_eq!(machine.on_wake(Line::Down, 10), [Effect::WakeLeader]);
        assert_eq!(machine.on_wake(Line::Down, 11), []);
        assert_eq!(machine.on_sleep(), [Effect::HangUp, Effect::Leave, Effect::Report(State::Connecting)]);
        assert_eq!(machine.on_wake(Line::Down, 20), [Effect::Report(State::Connecting), Effect::Join]);
    }

    #[test]
    fn a_lost_lead_and_another_key_begin_anew() {
        let anew = [Effect::HangUp, Effect::Drop, Effect::Report(State::Connecting), Effect::Join];
        let mut leading = following();
        leading.on_leading(1);
        assert_eq!(leading.on_lead_lost(2), anew);
        assert!(leading.is_following());
        leading.on_leading(3);
        assert_eq!(leading.on_key_replaced(4), anew);
        assert_eq!(following().on_key_replaced(4), anew);
        leading.end(End::Closed);
        assert_eq!(leading.on_lead_lost(5), []);
    }
}
