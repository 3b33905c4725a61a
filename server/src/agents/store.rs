use crate::{
    db::{Tx, execute, row, rows},
    limits::Key,
};
use holdfast_protocol::{
    agents::FileScope,
    ids::{AccountId, AgentId, PairingCode},
};

/// An agent that asks for an owner.
pub(super) struct NewPairing {
    pub code: PairingCode,
    pub agent: AgentId,
    pub secret_hash: [u8; 32],
    pub name: String,
    pub scope: FileScope,
    pub budget_micros: i64,
    /// A keyed hash of the address that it asks from.
    pub source: Key,
    pub asked_at_ms: i64,
    pub expires_at_ms: i64,
}

pub(super) async fn insert_pairing(tx: &mut Tx, new: &NewPairing) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO pairings (code, agent_id, secret_hash, name, scope, budget_micros, source, asked_at_ms,
                               expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.code.as_str(),
        new.agent.as_str(),
        new.secret_hash.as_slice(),
        new.name.as_str(),
        new.scope.as_str(),
        new.budget_micros,
        new.source.as_slice(),
        new.asked_at_ms,
        new.expires_at_ms,
    )?;
    Ok(())
}

/// Who waits with a code.
#[derive(sqlx::FromRow)]
pub(super) struct PairingRow {
    pub agent_id: String,
    pub name: String,
    pub scope: String,
    pub budget_micros: i64,
    pub source: Option<Vec<u8>>,
    pub asked_at_ms: i64,
    pub expires_at_ms: i64,
}

pub(super) async fn open_pairing(
    tx: &mut Tx,
    code: &PairingCode,
    now_ms: i64,
) -> Result<Option<PairingRow>, sqlx::Error> {
    row!(
        tx,
        PairingRow,
        "SELECT agent_id, name, scope, budget_micros, source, asked_at_ms, expires_at_ms FROM pairings
         WHERE code = $1 AND approved_at_ms IS NULL AND expires_at_ms > $2",
        code.as_str(),
        now_ms,
    )
}

/// Claims a pairing for its owner; its token can be fetched as long as the agent lives, and from where it
/// asked is forgotten. False: it waits no more.
pub(super) async fn approve(
    tx: &mut Tx,
    code: &PairingCode,
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<bool, sqlx::Error> {
    let approved = execute!(
        tx,
        "UPDATE pairings SET approved_at_ms = $1, expires_at_ms = $2, source = NULL
         WHERE code = $3 AND approved_at_ms IS NULL AND expires_at_ms > $4",
        now_ms,
        expires_at_ms,
        code.as_str(),
        now_ms,
    )?;
    Ok(approved == 1)
}

/// What has become of a pairing.
pub(super) enum Progress {
    Waits,
    ApprovedBy(AccountId),
}

/// By the hash of its secret.
pub(super) async fn progress(
    tx: &mut Tx,
    secret_hash: &[u8],
    now_ms: i64,
) -> Result<Option<Progress>, sqlx::Error> {
    let found: Option<(Option<i64>, Option<String>)> = row!(
        tx,
        (Option<i64>, Option<String>),
        "SELECT p.approved_at_ms, a.account_id FROM pairings p LEFT JOIN agents a ON a.id = p.agent_id
         WHERE p.secret_hash = $1 AND p.expires_at_ms > $2",
        secret_hash,
        now_ms,
    )?;
    let approved = |account: String| AccountId::parse(&account).map(Progress::ApprovedBy);
    match found {
        None => Ok(None),
        Some((Some(_), Some(account))) => {
            approved(account).map(Some).map_err(|error| sqlx::Error::Decode(Box::new(error)))
        }
        Some(_) => Ok(Some(Progress::Waits)),
    }
}

/// Keeps the token of an approved pairing, in place of one that was not used, until its first use.
pub(super) async fn give_token(
    tx: &mut Tx,
    secret_hash: &[u8],
    token_hash: &[u8],
    now_ms: i64,
) -> Result<Option<AgentId>, sqlx::Error> {
    let given: Option<(String,)> = row!(
        tx,
        (String,),
        "UPDATE pairings SET token_hash = $1
         WHERE secret_hash = $2 AND approved_at_ms IS NOT NULL AND expires_at_ms > $3
         RETURNING agent_id",
        token_hash,
        secret_hash,
        now_ms,
    )?;
    let parse = |(id,): (String,)| AgentId::parse(&id).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    given.map(parse).transpose()
}

/// What an agent may do.
pub(super) struct Limits {
    pub scope: FileScope,
    pub budget_micros: i64,
    pub expires_at_ms: i64,
}

/// An agent that was approved.
pub(super) struct NewAgent<'a> {
    pub id: &'a AgentId,
    pub account: &'a AccountId,
    pub name: &'a str,
    pub at_ms: i64,
}

pub(super) async fn insert(tx: &mut Tx, new: NewAgent<'_>, limits: &Limits) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO agents (id, account_id, name, scope, budget_micros, approved_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.id.as_str(),
        new.account.as_str(),
        new.name,
        limits.scope.as_str(),
        limits.budget_micros,
        new.at_ms,
        limits.expires_at_ms,
    )?;
    Ok(())
}

/// Whether an agent has a token, or can fetch one.
pub(super) async fn can_connect(tx: &mut Tx, agent: &AgentId) -> Result<bool, sqlx::Error> {
    let found: Option<(String,)> = row!(
        tx,
        (String,),
        "SELECT id FROM agents
         WHERE id = $1 AND (token_hash IS NOT NULL OR EXISTS (SELECT 1 FROM pairings WHERE agent_id = $1))",
        agent.as_str(),
    )?;
    Ok(found.is_some())
}

/// Gives an agent other limits; a token that it has not used waits as long as they last. False: it was
/// revoked, or has no token and can fetch none.
pub(super) async fn limit(tx: &mut Tx, agent: &AgentId, limits: &Limits) -> Result<bool, sqlx::Error> {
    // Pairings before agents, as where one is revoked.
    execute!(
        tx,
        "UPDATE pairings SET expires_at_ms = $1 WHERE agent_id = $2",
        limits.expires_at_ms,
        agent.as_str(),
    )?;
    let limited = execute!(
        tx,
        "UPDATE agents SET scope = $1, budget_micros = $2, expires_at_ms = $3
         WHERE id = $4 AND revoked_at_ms IS NULL
               AND (token_hash IS NOT NULL OR EXISTS (SELECT 1 FROM pairings WHERE agent_id = $4))",
        limits.scope.as_str(),
        limits.budget_micros,
        limits.expires_at_ms,
        agent.as_str(),
    )?;
    Ok(limited == 1)
}

/// Of two that hold the same agent, as whoever changes or uses one does, the second waits.
pub(super) async fn hold(tx: &mut Tx, account: &AccountId, agent: &AgentId) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "UPDATE agents SET spent_micros = spent_micros WHERE id = $1 AND account_id = $2",
        agent.as_str(),
        account.as_str(),
    )?;
    Ok(())
}

/// Cuts a budget. One that is smaller already stays.
pub(super) async fn lower(tx: &mut Tx, agent: &AgentId, budget_micros: i64) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "UPDATE agents SET budget_micros = $1 WHERE id = $2 AND budget_micros > $3",
        budget_micros,
        agent.as_str(),
        budget_micros,
    )?;
    Ok(())
}

/// Its token, or the secret that would fetch one, is worth nothing from now on.
pub(super) async fn revoke(tx: &mut Tx, agent: &AgentId, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM pairings WHERE agent_id = $1", agent.as_str())?;
    execute!(
        tx,
        "UPDATE agents SET revoked_at_ms = $1, token_hash = NULL WHERE id = $2 AND revoked_at_ms IS NULL",
        now_ms,
        agent.as_str(),
    )?;
    Ok(())
}

/// It is not listed any more.
pub(super) async fn tear_down(tx: &mut Tx, agent: &AgentId, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "UPDATE agents SET torn_down_at_ms = $1 WHERE id = $2 AND torn_down_at_ms IS NULL",
        now_ms,
        agent.as_str(),
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
pub(super) struct AgentRow {
    pub id: String,
    pub name: String,
    pub scope: String,
    pub budget_micros: i64,
    pub spent_micros: i64,
    /// It has not used its token.
    pub waits: bool,
    pub approved_at_ms: i64,
    pub expires_at_ms: i64,
    pub revoked_at_ms: Option<i64>,
}

/// One of an account, unless it is torn down.
pub(super) async fn find(
    tx: &mut Tx,
    account: &AccountId,
    agent: &AgentId,
) -> Result<Option<AgentRow>, sqlx::Error> {
    row!(
        tx,
        AgentRow,
        "SELECT id, name, scope, budget_micros, spent_micros, token_hash IS NULL AS waits, approved_at_ms,
                expires_at_ms, revoked_at_ms
         FROM agents WHERE id = $1 AND account_id = $2 AND torn_down_at_ms IS NULL",
        agent.as_str(),
        account.as_str(),
    )
}

/// All of an account that are not torn down, the newest first.
pub(super) async fn list(tx: &mut Tx, account: &AccountId) -> Result<Vec<AgentRow>, sqlx::Error> {
    rows!(
        tx,
        AgentRow,
        "SELECT id, name, scope, budget_micros, spent_micros, token_hash IS NULL AS waits, approved_at_ms,
                expires_at_ms, revoked_at_ms
         FROM agents WHERE account_id = $1 AND torn_down_at_ms IS NULL ORDER BY approved_at_ms DESC, id",
        account.as_str(),
    )
}

/// A charge as it was recorded.
#[derive(sqlx::FromRow)]
pub(super) struct ChargeRow {
    pub id: String,
    pub amount_micros: i64,
    /// Of the budget, after it.
    pub left_micros: i64,
    pub merchant: String,
    pub settlement_token: String,
    pub at_ms: i64,
}

/// The charge that an agent has made under a key.
pub(super) async fn charge(
    tx: &mut Tx,
    agent: &AgentId,
    key: &str,
) -> Result<Option<ChargeRow>, sqlx::Error> {
    row!(
        tx,
        ChargeRow,
        "SELECT id, amount_micros, left_micros, merchant, settlement_token, at_ms FROM charges
         WHERE agent_id = $1 AND idempotency_key = $2",
        agent.as_str(),
        key,
    )
}

/// The last five of an agent, the newest first.
pub(super) async fn last_charges(tx: &mut Tx, agent: &AgentId) -> Result<Vec<ChargeRow>, sqlx::Error> {
    rows!(
        tx,
        ChargeRow,
        "SELECT id, amount_micros, left_micros, merchant, settlement_token, at_ms FROM charges
         WHERE agent_id = $1 ORDER BY at_ms DESC, id LIMIT 5",
        agent.as_str(),
    )
}

/// Takes so much of the budget, and says what is left; `None`: there is not so much.
pub(super) async fn spend(
    tx: &mut Tx,
    agent: &AgentId,
    amount_micros: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let left: Option<(i64,)> = row!(
        tx,
        (i64,),
        "UPDATE agents SET spent_micros = spent_micros + $1 WHERE id = $2 AND budget_micros - spent_micros >= $3
         RETURNING budget_micros - spent_micros",
        amount_micros,
        agent.as_str(),
        amount_micros,
    )?;
    Ok(left.map(|(left,)| left))
}

pub(super) async fn insert_charge(
    tx: &mut Tx,
    agent: &AgentId,
    key: &str,
    charge: &ChargeRow,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO charges (id, agent_id, idempotency_key, amount_micros, left_micros, merchant,
                              settlement_token, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        charge.id.as_str(),
        agent.as_str(),
        key,
        charge.amount_micros,
        charge.left_micros,
        charge.merchant.as_str(),
        charge.settlement_token.as_str(),
        charge.at_ms,
    )?;
    Ok(())
}

/// Forgets pairings whose time is over.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM pairings WHERE expires_at_ms < $1", now_ms)?;
    Ok(())
}
