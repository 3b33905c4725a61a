//! The audit trail: an event is recorded in the transaction that it tells of, or not at all. The events of an
//! account form a hash chain ([`chain`]), whose newest hashes are signed outside of the database ([`heads`]).

pub mod chain;
pub mod heads;
mod store;
mod window;
mod witness;

pub(crate) use store::{newest, page, signed_with, since, step_ups};
pub(crate) use window::window;
pub use witness::Witness;

use crate::db::Tx;
use holdfast_protocol::{
    history::{Activity, Device},
    ids::{AccountId, SessionId},
    step_up::{Evidence, Outcome},
};

/// Accounts with something new in a transaction; its commit wakes their connections.
#[derive(Default)]
pub struct Recorded(Vec<AccountId>);

impl Recorded {
    /// Notes that something about the account has changed.
    pub fn note(&mut self, account: &AccountId) {
        if !self.0.contains(account) {
            self.0.push(account.clone());
        }
    }

    pub fn accounts(&self) -> Vec<AccountId> {
        self.0.clone()
    }
}

/// Where an event came from.
pub struct Event<'a> {
    pub account: &'a AccountId,
    pub what: Activity,
    pub device: Option<&'a Device>,
    pub session: Option<&'a SessionId>,
    pub at_ms: i64,
}

/// Whether an event comes with what it must be judged by: a registered passkey with its key, a confirmed
/// step-up with its signature, and everything else with nothing.
pub fn is_evidence_of(what: &Activity, evidence: Option<&Evidence>) -> bool {
    match (what, evidence) {
        (Activity::PasskeyAdded { .. }, evidence) => matches!(evidence, Some(Evidence::Registration { .. })),
        (Activity::StepUp { outcome: Outcome::Confirmed, .. }, evidence) => {
            matches!(evidence, Some(Evidence::StepUp { .. }))
        }
        (_, evidence) => evidence.is_none(),
    }
}

/// Records an event that needs no evidence.
pub async fn record(tx: &mut Tx, event: Event<'_>) -> Result<(), sqlx::Error> {
    tx.recorded().note(event.account);
    store::append(tx, &event, None).await
}

/// Records an event with what it can be judged by.
pub async fn record_with(tx: &mut Tx, event: Event<'_>, evidence: &Evidence) -> Result<(), sqlx::Error> {
    tx.recorded().note(event.account);
    store::append(tx, &event, Some(evidence)).await
}

/// An alarm that repeats says nothing new.
const REPEATS_WITHIN_MS: i64 = 60_000;

/// How many that differ only in what their sender made up are told in that time.
const VARIATIONS: usize = 5;

/// Records an event unless the same one of the same session, or of none, was recorded a moment ago:
/// who has a stolen cookie, or knows a credential's id, shall not be able to fill the trail.
pub async fn record_once(tx: &mut Tx, event: Event<'_>) -> Result<(), sqlx::Error> {
    store::hold(tx, event.account).await?;
    let recent = store::recent(tx, &event, event.at_ms - REPEATS_WITHIN_MS).await?;
    let variations = recent.iter().filter(|before| is_variation(before, &event.what)).count();
    if variations >= VARIATIONS || recent.contains(&event.what) {
        return Ok(());
    }
    record(tx, event).await
}

const DAY_MS: i64 = 86_400_000;

/// Whether the same of the same session, or of none, was recorded on the same day (UTC). Counted
/// from the event before it instead, what never rests would be known for ever. Until the transaction ends nobody
/// else records one.
pub async fn is_known_today(tx: &mut Tx, event: &Event<'_>) -> Result<bool, sqlx::Error> {
    store::hold(tx, event.account).await?;
    store::has(tx, event, event.at_ms - event.at_ms.rem_euclid(DAY_MS)).await
}

/// The sentence of a refused step-up comes from whoever asked for it.
fn is_variation(one: &Activity, other: &Activity) -> bool {
    let about = |event: &Activity| match event {
        Activity::StepUp { action, outcome, code, .. } => Some((*action, *outcome, code.clone())),
        _ => None,
    };
    about(one).is_some_and(|what| Some(what) == about(other))
}
