//! What an account may do now: computed here and nowhere else.

mod store;

pub(crate) use store::facts;

use crate::{
    me::wire_ms,
    problem::{Refusal, Result},
};
use holdfast_protocol::{
    problem::Code,
    step_up::{Power, Readiness, ReadinessState},
};

/// What is known of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// How many passkeys can sign in.
    pub passkeys: i64,
    /// When the oldest of these was made.
    pub oldest_passkey_ms: Option<i64>,
    pub recovery: Option<Hold>,
    pub cooldown: Option<Hold>,
    pub risk_hold: Option<Hold>,
}

/// The account is held back for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    pub from_ms: i64,
    pub until_ms: i64,
}

/// The state, the gravest first.
pub(crate) fn readiness(facts: &Facts, now_ms: i64) -> Readiness {
    match held(facts, now_ms).next() {
        Some((state, hold)) => Readiness { state, until_ms: Some(wire_ms(hold.until_ms)) },
        None if facts.passkeys == 0 => Readiness { state: ReadinessState::NoPasskey, until_ms: None },
        None => Readiness { state: ReadinessState::Ready, until_ms: None },
    }
}

/// Everything that holds the account back, the gravest first.
fn held(facts: &Facts, now_ms: i64) -> impl Iterator<Item = (ReadinessState, Hold)> {
    let lasts = |hold: &Option<Hold>| hold.filter(|hold| now_ms < hold.until_ms);
    // A recovery that is over waits for its owner, who has not cancelled it: it holds until it is ended.
    let recovery = facts.recovery.map(|hold| (ReadinessState::RecoveryPending, hold));
    let cooldown = lasts(&facts.cooldown).map(|hold| (ReadinessState::Cooldown, hold));
    let risk_hold = lasts(&facts.risk_hold).map(|hold| (ReadinessState::RiskHold, hold));
    [recovery, cooldown, risk_hold].into_iter().flatten()
}

/// Refuses an action that the account may not do now. Since when it is held, for those that still work by
/// a passkey that is older than that.
pub(crate) fn admit(facts: &Facts, power: Power, now_ms: i64) -> Result<Option<i64>> {
    let Some((state, hold)) = held(facts, now_ms).next() else { return Ok(None) };
    // A passkey that came after one of several holds is not to be trusted against any.
    let since_ms = held(facts, now_ms).map(|(_, hold)| hold.from_ms).min();
    let has_old_passkey = facts.oldest_passkey_ms.zip(since_ms).is_some_and(|(made, since)| made < since);
    let code = match (power, state) {
        (Power::Takes, _) => return Ok(None),
        (Power::TakesByAnOldPasskey, _) if has_old_passkey => return Ok(since_ms),
        (_, ReadinessState::RecoveryPending) => Code::RecoveryPending,
        (_, ReadinessState::Cooldown) => Code::Cooldown,
        (_, ReadinessState::RiskHold | ReadinessState::NoPasskey | ReadinessState::Ready) => Code::RiskHold,
    };
    Err(Refusal::until(code, wire_ms(hold.until_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Option<Hold> = Some(Hold { from_ms: 100, until_ms: 200 });

    fn state(facts: &Facts, now_ms: i64) -> (ReadinessState, Option<u64>) {
        let readiness = readiness(facts, now_ms);
        (readiness.state, readiness.until_ms)
    }

    #[test]
    fn the_gravest_is_told_and_time_ends_it() {
        let mut facts = Facts { passkeys: 1, ..Facts::default() };
        assert_eq!(state(&facts, 150), (ReadinessState::Ready, None));
        facts.risk_hold = HOLD;
        assert_eq!(state(&facts, 150), (ReadinessState::RiskHold, Some(200)));
        facts.cooldown = HOLD;
        assert_eq!(state(&facts, 199), (ReadinessState::Cooldown, Some(200)));
        assert_eq!(state(&facts, 200), (ReadinessState::Ready, None));
        facts.recovery = HOLD;
        assert_eq!(state(&facts, 200), (ReadinessState::RecoveryPending, Some(200)));
        assert_eq!(state(&Facts::default(), 0), (ReadinessState::NoPasskey, None));
    }

    #[test]
    fn a_hold_refuses_what_gives_power_alone() {
        let refused = |facts: &Facts| admit(facts, Power::Gives, 150).unwrap_err().code();
        let mut facts = Facts { passkeys: 1, risk_hold: HOLD, ..Facts::default() };
        assert_eq!(refused(&facts), Code::RiskHold);
        facts.cooldown = HOLD;
        assert_eq!(refused(&facts), Code::Cooldown);
        facts.recovery = HOLD;
        assert_eq!(refused(&facts), Code::RecoveryPending);
        assert_eq!(admit(&facts, Power::Takes, 150).unwrap(), None);
    }

    #[test]
    fn a_passkey_that_is_older_than_every_hold_can_still_remove_others() {
        let refused = |facts: &Facts| admit(facts, Power::TakesByAnOldPasskey, 150).unwrap_err().code();
        let earlier = Hold { from_ms: 50, until_ms: 200 };
        let mut facts =
            Facts { passkeys: 1, oldest_passkey_ms: Some(60), recovery: HOLD, ..Facts::default() };
        assert_eq!(admit(&facts, Power::TakesByAnOldPasskey, 150).unwrap(), Some(100));
        facts.cooldown = Some(earlier);
        assert_eq!(refused(&facts), Code::RecoveryPending);
        facts.oldest_passkey_ms = Some(49);
        assert_eq!(admit(&facts, Power::TakesByAnOldPasskey, 150).unwrap(), Some(50));
        facts = Facts { passkeys: 1, oldest_passkey_ms: Some(100), cooldown: HOLD, ..Facts::default() };
        assert_eq!(refused(&facts), Code::Cooldown);
        assert_eq!(admit(&facts, Power::TakesByAnOldPasskey, 200).unwrap(), None);
    }
}
