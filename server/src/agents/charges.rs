//! Charges: what an agent pays out of its budget. The merchant says what it wants to be paid in; what the
//! budget is counted in, nobody says but the server.

use super::{rules, store};
use crate::{
    access::{self, Agent},
    app::App,
    audit::{self, Event},
    elevation::idempotency_key,
    problem::{Refusal, Result},
    wire::{Json, label},
};
use axum::{extract::State, http::HeaderMap};
use holdfast_protocol::{
    agents::{Charge, ChargeRequest, Merchant},
    history::Activity,
    ids::ChargeId,
    problem::Code,
    wallet::Usd,
};

/// `POST /v1/agents/charges`: recorded whole or not at all, and once under one key, for ever.
pub(super) async fn charge(
    State(app): State<App>,
    agent: Agent,
    headers: HeaderMap,
    Json(request): Json<ChargeRequest>,
) -> Result<axum::Json<Charge>> {
    let key = idempotency_key(&headers)?.ok_or_else(|| {
        let detail =
            "A charge wants the header `Idempotency-Key`, so that it is made once. Nothing was charged.";
        Refusal::with_detail(Code::InvalidRequest, detail)
    })?;
    let ChargeRequest { amount, merchant } = request;
    if amount == Usd::ZERO {
        let detail = "A charge is more than nothing. Nothing was charged.";
        return Err(Refusal::with_detail(Code::InvalidRequest, detail));
    }
    let merchant = Merchant {
        name: label(&merchant.name, "A merchant's name")?,
        settlement_token: label(&merchant.settlement_token, "A settlement token")?,
    };
    // From here on no other charge of this agent is under way.
    let mut tx = access::write_as_agent(&app, &agent).await?;
    let now_ms = app.clock.unix_ms();
    if let Some(earlier) = store::charge(&mut tx, &agent.id, key).await? {
        let earlier = rules::charge(earlier)?;
        let same = earlier.amount == amount && earlier.merchant == merchant;
        return if same { Ok(axum::Json(earlier)) } else { Err(Code::IdempotencyKeyReused.into()) };
    }
    let event = |sentence| Event {
        account: &agent.account,
        what: Activity::Agent { sentence },
        device: None,
        session: None,
        at_ms: now_ms,
    };
    let Some(left_micros) = store::spend(&mut tx, &agent.id, amount.micros()).await? else {
        // Amount and merchant are the agent's to make up: without a limit it could fill its owner's trail.
        if app
            .limits
            .refused_charges
            .check(&app.config.keys.mac("limits/refused", agent.id.as_str().as_bytes()))
            .is_ok()
        {
            let refused = rules::was_refused(&agent.name, &agent.id, amount, &merchant.name);
            audit::record_once(&mut tx, event(refused)).await?;
            tx.commit(&app.live).await?;
        }
        return Err(Code::BudgetExceeded.into());
    };
    let row = store::ChargeRow {
        id: ChargeId::make(app.entropy.make()).as_str().to_owned(),
        amount_micros: amount.micros(),
        left_micros,
        merchant: merchant.name,
        settlement_token: merchant.settlement_token,
        at_ms: now_ms,
    };
    store::insert_charge(&mut tx, &agent.id, key, &row).await?;
    audit::record(&mut tx, event(rules::has_paid(&agent.name, &agent.id, amount, &row.merchant))).await?;
    let charge = rules::charge(row)?;
    tx.commit(&app.live).await?;
    Ok(axum::Json(charge))
}
