use super::store::{AgentRow, ChargeRow, PairingRow};
use crate::{
    limits::Key,
    me::wire_ms,
    problem::{Refusal, Result},
};
use holdfast_protocol::{
    agents::{
        AgentState, AgentView, Charge, Currency, FileScope, Merchant, PairingView, REFUSED, Source, named,
    },
    ids::{AgentId, ChargeId, PairingCode},
    problem::Code,
    step_up::quoted,
    wallet::Usd,
};

/// Nobody signs for longer.
const LIVES_AT_MOST_MS: i64 = 366 * 24 * 3600 * 1000;

/// Until when an agent may work: exactly the minute that the sentence names.
pub(super) fn expiry(expires_at_ms: u64, now_ms: i64) -> Result<i64> {
    let expires_at_ms = i64::try_from(expires_at_ms).unwrap_or(i64::MAX);
    let lives_ms = expires_at_ms.saturating_sub(now_ms);
    if expires_at_ms % 60_000 == 0 && (1..=LIVES_AT_MOST_MS).contains(&lives_ms) {
        Ok(expires_at_ms)
    } else {
        let detail = "An agent expires at a whole minute that is to come, at most 366 days from now.";
        Err(Refusal::with_detail(Code::InvalidRequest, detail))
    }
}

/// An agent as it is shown.
pub(super) fn view(row: AgentRow, now_ms: i64) -> Result<AgentView> {
    let state = match () {
        () if row.revoked_at_ms.is_some() => AgentState::Revoked,
        () if row.expires_at_ms <= now_ms => AgentState::Expired,
        () if row.waits => AgentState::Waiting,
        () => AgentState::Active,
    };
    let (budget, spent) = (usd(row.budget_micros)?, usd(row.spent_micros)?);
    Ok(AgentView {
        id: AgentId::parse(&row.id).map_err(|_| Code::Internal)?,
        name: row.name,
        scope: FileScope::parse(&row.scope).ok_or(Code::Internal)?,
        budget,
        spent,
        // The budget may have been cut below what is spent.
        left: budget.minus(spent).unwrap_or(Usd::ZERO),
        currency: Currency::Usd,
        approved_at_ms: wire_ms(row.approved_at_ms),
        expires_at_ms: wire_ms(row.expires_at_ms),
        state,
    })
}

/// Who waits with a code, as it is shown to somebody at `source`.
pub(super) fn pairing_view(code: PairingCode, row: PairingRow, source: &Key) -> Result<PairingView> {
    let same = row.source.as_deref() == Some(source.as_slice());
    Ok(PairingView {
        code,
        agent: AgentId::parse(&row.agent_id).map_err(|_| Code::Internal)?,
        name: row.name,
        scope: FileScope::parse(&row.scope).ok_or(Code::Internal)?,
        budget: usd(row.budget_micros)?,
        currency: Currency::Usd,
        source: if same { Source::Same } else { Source::Another },
        asked_at_ms: wire_ms(row.asked_at_ms),
        expires_at_ms: wire_ms(row.expires_at_ms),
    })
}

/// A charge as it is answered, now and whenever it is asked for again.
pub(super) fn charge(row: ChargeRow) -> Result<Charge> {
    Ok(Charge {
        id: ChargeId::parse(&row.id).map_err(|_| Code::Internal)?,
        amount: usd(row.amount_micros)?,
        currency: Currency::Usd,
        merchant: Merchant { name: row.merchant, settlement_token: row.settlement_token },
        left: usd(row.left_micros)?,
        at_ms: wire_ms(row.at_ms),
    })
}

fn usd(micros: i64) -> Result<Usd> {
    Ok(Usd::from_micros(micros).map_err(|_| Code::Internal)?)
}

/// An agent has paid.
pub(super) fn has_paid(name: &str, agent: &AgentId, amount: Usd, merchant: &str) -> String {
    format!("The agent {} paid {amount} USD to {}.", named(name, agent), quoted(merchant))
}

/// An agent wanted to pay more than what is left.
pub(super) fn was_refused(name: &str, agent: &AgentId, amount: Usd, merchant: &str) -> String {
    let (agent, merchant) = (named(name, agent), quoted(merchant));
    format!("The agent {agent} wanted to pay {amount} USD to {merchant}{REFUSED}")
}

/// The owner has cut a budget.
pub(super) fn was_cut(name: &str, agent: &AgentId, budget: Usd) -> String {
    format!("The agent {} may spend {budget} USD in all from now on.", named(name, agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    #[test]
    fn an_agent_expires_at_a_whole_minute_to_come() {
        let (now_ms, year) = (1_000 * MINUTE_MS, 366 * 24 * 60);
        let at = |minutes: i64| expiry(u64::try_from(minutes * MINUTE_MS).unwrap(), now_ms);
        assert_eq!(at(1_001).unwrap(), 1_001 * MINUTE_MS);
        assert_eq!(at(1_000 + year).unwrap(), (1_000 + year) * MINUTE_MS);
        for minutes in [0, 999, 1_000, 1_001 + year] {
            assert_eq!(at(minutes).unwrap_err().code(), Code::InvalidRequest, "{minutes}");
        }
        for ms in [60_060_001, u64::MAX, 1 << 53] {
            assert_eq!(expiry(ms, now_ms).unwrap_err().code(), Code::InvalidRequest, "{ms}");
        }
    }

    #[test]
    fn no_name_makes_another_sentence_end_like_a_refusal() {
        let (name, id) = (["x", REFUSED].concat(), AgentId::make([1; 16]));
        let amount = usd(1).unwrap();
        assert!(was_refused(&name, &id, amount, &name).ends_with(REFUSED));
        let others = [has_paid(&name, &id, amount, &name), was_cut(&name, &id, amount)];
        assert!(others.iter().all(|sentence| !sentence.ends_with(REFUSED)), "{others:?}");
    }

    fn row() -> AgentRow {
        AgentRow {
            id: "agt_0000-0000-0000-0000".to_owned(),
            name: "Shopper".to_owned(),
            scope: "workspace".to_owned(),
            budget_micros: 5_000_000,
            spent_micros: 2_000_000,
            waits: false,
            approved_at_ms: 0,
            expires_at_ms: 100,
            revoked_at_ms: None,
        }
    }

    #[test]
    fn the_state_is_the_last_word() {
        let state = |row: AgentRow, now_ms| view(row, now_ms).unwrap().state;
        assert_eq!(state(row(), 99), AgentState::Active);
        assert_eq!(state(AgentRow { waits: true, ..row() }, 99), AgentState::Waiting);
        assert_eq!(state(AgentRow { waits: true, ..row() }, 100), AgentState::Expired);
        let revoked = AgentRow { waits: true, revoked_at_ms: Some(1), ..row() };
        assert_eq!(state(revoked, 100), AgentState::Revoked);
    }

    #[test]
    fn nothing_is_left_of_a_budget_below_what_is_spent() {
        let left = |budget_micros| view(AgentRow { budget_micros, ..row() }, 0).unwrap().left.to_string();
        assert_eq!(left(5_000_000), "3.00");
        assert_eq!(left(2_000_000), "0.00");
        assert_eq!(left(1_999_999), "0.00");
    }
}
