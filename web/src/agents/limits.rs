//! What an owner fills in before they sign: money, time, files.

use crate::money;
use holdfast_protocol::{
    agents::{AgentView, FileScope},
    wallet::Usd,
};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What is filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub(super) budget: String,
    pub(super) until: Until,
    pub(super) scope: FileScope,
    pub(super) fault: Option<Fault>,
    /// How often it was submitted: each time the focus goes to what is wrong.
    pub(super) tries: u32,
}

/// What the owner filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Budget(String),
    Until(Until),
    Scope(FileScope),
}

/// How long an agent may work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// As it was signed: milliseconds since 1970.
    Signed(u64),
    Hour,
    Day,
    Week,
    Month,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) budget: Usd,
    pub(super) expires_at_ms: u64,
    pub(super) scope: FileScope,
}

/// How an agent that is paired gets other limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It may spend less, and all else stays: at once.
    Cut(Usd),
    /// Anything else: by another signature.
    Sign(Limits),
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    NoBudget,
    /// What stands there is no amount.
    Budget,
    /// The limits are what they were.
    Same,
    /// The time that was signed is over.
    Over,
}

impl Until {
    /// What can be chosen for anybody.
    pub(super) const LENGTHS: [Until; 4] = [Until::Hour, Until::Day, Until::Week, Until::Month];

    /// The whole minute at which it ends, as the server wants it.
    pub(super) fn at_ms(self, now_ms: u64) -> u64 {
        let length_ms = match self {
            Until::Signed(at_ms) => return at_ms,
            Until::Hour => HOUR_MS,
            Until::Day => DAY_MS,
            Until::Week => 7 * DAY_MS,
            Until::Month => 30 * DAY_MS,
        };
        now_ms.saturating_add(length_ms).next_multiple_of(MINUTE_MS)
    }
}

impl Form {
    /// For an agent that asks for this: its wish for money, and no more than the least of the rest.
    pub(super) fn wished(budget: Usd) -> Self {
        let (until, scope) = (Until::Day, FileScope::Workspace);
        Self { budget: budget.to_string(), until, scope, fault: None, tries: 0 }
    }

    /// For one that is paired: as it stands.
    pub(super) fn of(agent: &AgentView, now_ms: u64) -> Self {
        let lives = agent.expires_at_ms > now_ms;
        let until = if lives { Until::Signed(agent.expires_at_ms) } else { Until::Day };
        Self { until, scope: agent.scope, ..Self::wished(agent.budget) }
    }

    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Budget(budget) => self.budget = budget,
            Change::Until(until) => self.until = until,
            Change::Scope(scope) => self.scope = scope,
        }
        self.fault = None;
    }

    /// Submitted, and found to be wrong.
    pub(super) fn refuse(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.tries = self.tries.saturating_add(1);
    }

    /// All of it, for an agent that has nothing yet.
    pub(super) fn limits(&self, now_ms: u64) -> Result<Limits, Fault> {
        let typed = money::amount(&self.budget);
        let none = if self.budget.trim().is_empty() { Fault::NoBudget } else { Fault::Budget };
        let budget = typed.ok_or(none)?;
        let expires_at_ms = self.until.at_ms(now_ms);
        if expires_at_ms <= now_ms {
            return Err(Fault::Over);
        }
        Ok(Limits { budget, expires_at_ms, scope: self.scope })
    }

    /// What has to be done so that this agent has them.
    pub(super) fn way(&self, agent: &AgentView, now_ms: u64) -> Result<Way, Fault> {
        let limits = self.limits(now_ms)?;
        let rest_stays = (limits.expires_at_ms, limits.scope) == (agent.expires_at_ms, agent.scope);
        if rest_stays && limits.budget == agent.budget {
            Err(Fault::Same)
        } else if rest_stays && limits.budget < agent.budget {
            Ok(Way::Cut(limits.budget))
        } else {
            Ok(Way::Sign(limits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const NOW_MS: u64 = 1_000 * MINUTE_MS;

    /// 20.00 USD for the workspace, until a day from now.
    fn agent() -> AgentView {
        AgentView { expires_at_ms: NOW_MS + DAY_MS, ..sample::agent(1) }
    }

    fn after(changes: impl IntoIterator<Item = Change>) -> Form {
        let mut form = Form::of(&agent(), NOW_MS);
        changes.into_iter().for_each(|change| form.change(change));
        form
    }

    fn budget(text: &str) -> Change {
        Change::Budget(text.to_owned())
    }

    #[test]
    fn only_less_money_and_nothing_else_goes_without_a_signature() {
        let way = |changes: &[Change]| after(changes.to_vec()).way(&agent(), NOW_MS);
        let usd = |text| Usd::parse(text).unwrap();
        assert_eq!(way(&[]), Err(Fault::Same));
        assert_eq!(way(&[budget("20")]), Err(Fault::Same));
        assert_eq!(way(&[budget("19.99")]), Ok(Way::Cut(usd("19.99"))));
        assert_eq!(way(&[budget("0")]), Ok(Way::Cut(Usd::ZERO)));
        for changes in [
            vec![budget("20.000001")],
            vec![Change::Until(Until::Hour)],
            vec![budget("1"), Change::Until(Until::Week)],
            vec![budget("1"), Change::Scope(FileScope::Full)],
        ] {
            assert!(matches!(way(&changes), Ok(Way::Sign(_))), "{changes:?}");
        }
        assert_eq!(way(&[budget("much")]), Err(Fault::Budget));
        assert_eq!(way(&[budget(" ")]), Err(Fault::NoBudget));
    }

    #[test]
    fn a_time_ends_at_a_whole_minute_and_never_earlier_than_it_says() {
        for (now_ms, ends_at_ms) in [(NOW_MS, NOW_MS + HOUR_MS), (NOW_MS + 1, NOW_MS + HOUR_MS + MINUTE_MS)] {
            assert_eq!(Until::Hour.at_ms(now_ms), ends_at_ms);
        }
        assert_eq!(Until::Signed(7).at_ms(NOW_MS), 7);
        assert!(Until::LENGTHS.iter().all(|until| until.at_ms(NOW_MS + 1) <= NOW_MS + 366 * DAY_MS));
    }

    #[test]
    fn an_agent_whose_time_is_over_gets_another_one() {
        let late_ms = NOW_MS + DAY_MS;
        assert_eq!(Form::of(&agent(), late_ms).until, Until::Day);
        assert_eq!(Form::of(&agent(), late_ms - 1).until, Until::Signed(late_ms));
        // It ran out while the form was open.
        assert_eq!(after([budget("30")]).way(&agent(), late_ms), Err(Fault::Over));
    }

    #[test]
    fn a_wish_gives_no_more_than_the_least() {
        let form = Form::wished(Usd::parse("50.00").unwrap());
        let limits = form.limits(NOW_MS).unwrap();
        assert_eq!((limits.budget.to_string().as_str(), limits.scope), ("50.00", FileScope::Workspace));
        assert_eq!(limits.expires_at_ms, NOW_MS + DAY_MS);
    }
}
