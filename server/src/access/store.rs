//! Sessions, agents and seen proofs as they are stored.

use super::{Agent, DeviceKey};
use crate::{
    config::Lifetimes,
    db::{Tx, execute, row, rows},
};
use holdfast_protocol::{
    agents::FileScope,
    credentials::Name,
    dpop::PublicKey,
    history::Device,
    ids::{AccountId, AgentId, NotAnId, PasskeyId, SessionId, Thumbprint},
};
use std::time::Duration;

/// A session that is alive: not ended, of its account's epoch, neither idle for too long nor too old.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub passkey: PasskeyId,
    pub jkt: Thumbprint,
    pub device: Device,
    pub created_at_ms: i64,
    pub last_seen_at_ms: i64,
    pub device_key: Option<Box<DeviceKey>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    account_id: String,
    passkey_id: String,
    jkt: String,
    browser: String,
    system: String,
    created_at_ms: i64,
    last_seen_at_ms: i64,
    device_key: Option<Vec<u8>>,
    device_shown_at_ms: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Session, sqlx::Error> {
        let corrupt = |error| sqlx::Error::Decode(Box::new(error));
        let device_key = match self.device_key.as_deref().map(<&[u8; 65]>::try_from).transpose() {
            Ok(point) => point.map(PublicKey::from_sec1),
            Err(error) => return Err(sqlx::Error::Decode(Box::new(error))),
        };
        let shown_at_ms = self.device_shown_at_ms;
        Ok(Session {
            device_key: device_key.map(|key| Box::new(DeviceKey { key, shown_at_ms })),
            id: SessionId::parse(&self.id).map_err(corrupt)?,
            account: AccountId::parse(&self.account_id).map_err(corrupt)?,
            passkey: PasskeyId::parse(&self.passkey_id).map_err(corrupt)?,
            jkt: Thumbprint::parse(&self.jkt).map_err(corrupt)?,
            device: Device { browser: self.browser, system: self.system },
            created_at_ms: self.created_at_ms,
            last_seen_at_ms: self.last_seen_at_ms,
        })
    }
}

fn before(now_ms: i64, lifetime: Duration) -> i64 {
    now_ms.saturating_sub(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX))
}

/// A living session by the hash of its cookie.
pub(super) async fn find(
    tx: &mut Tx,
    token_hash: &[u8],
    lifetimes: &Lifetimes,
    now_ms: i64,
) -> Result<Option<Session>, sqlx::Error> {
    let found: Option<Row> = row!(
        tx,
        Row,
        "SELECT s.id, s.account_id, s.passkey_id, s.jkt, s.browser, s.system, s.created_at_ms, s.last_seen_at_ms,
                s.device_key, s.device_shown_at_ms
         FROM sessions s JOIN accounts a ON a.id = s.account_id AND a.epoch = s.epoch
         WHERE s.token_hash = $1 AND s.ended_at_ms IS NULL AND s.last_seen_at_ms > $2 AND s.created_at_ms > $3",
        token_hash,
        before(now_ms, lifetimes.session_idle),
        before(now_ms, lifetimes.session),
    )?;
    found.map(Row::read).transpose()
}

/// Whether a session still lives, for a connection that was opened with it.
pub(crate) async fn is_alive(
    tx: &mut Tx,
    session: &SessionId,
    lifetimes: &Lifetimes,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let found: Option<(String,)> = row!(
        tx,
        (String,),
        "SELECT s.id FROM sessions s JOIN accounts a ON a.id = s.account_id AND a.epoch = s.epoch
         WHERE s.id = $1 AND s.ended_at_ms IS NULL AND s.last_seen_at_ms > $2 AND s.created_at_ms > $3",
        session.as_str(),
        before(now_ms, lifetimes.session_idle),
        before(now_ms, lifetimes.session),
    )?;
    Ok(found.is_some())
}

/// Whether a session still lives; it then does until the transaction ends.
pub(crate) async fn hold(
    tx: &mut Tx,
    session: &SessionId,
    lifetimes: &Lifetimes,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let held = execute!(
        tx,
        "UPDATE sessions SET last_seen_at_ms = last_seen_at_ms
         WHERE id = $1 AND ended_at_ms IS NULL AND last_seen_at_ms > $2 AND created_at_ms > $3
               AND epoch = (SELECT epoch FROM accounts WHERE id = account_id)",
        session.as_str(),
        before(now_ms, lifetimes.session_idle),
        before(now_ms, lifetimes.session),
    )?;
    Ok(held == 1)
}

/// Holds every living session of an account, whoever asks in the same order.
pub(super) async fn hold_all(
    tx: &mut Tx,
    account: &AccountId,
    lifetimes: &Lifetimes,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let ids: Vec<(String,)> = rows!(
        tx,
        (String,),
        "SELECT id FROM sessions WHERE account_id = $1 AND ended_at_ms IS NULL AND last_seen_at_ms > $2
               AND created_at_ms > $3 ORDER BY id",
        account.as_str(),
        before(now_ms, lifetimes.session_idle),
        before(now_ms, lifetimes.session),
    )?;
    for (id,) in &ids {
        execute!(tx, "UPDATE sessions SET last_seen_at_ms = last_seen_at_ms WHERE id = $1", id)?;
    }
    Ok(())
}

/// Whether a key is or was that of a session of this account.
pub(super) async fn has_had_key(
    tx: &mut Tx,
    account: &AccountId,
    jkt: &Thumbprint,
) -> Result<bool, sqlx::Error> {
    let found: Option<(String,)> = row!(
        tx,
        (String,),
        "SELECT id FROM sessions WHERE account_id = $1 AND jkt = $2 LIMIT 1",
        account.as_str(),
        jkt.as_str(),
    )?;
    Ok(found.is_some())
}

#[derive(sqlx::FromRow)]
struct AgentRow {
    id: String,
    account_id: String,
    name: String,
    scope: String,
}

/// A living agent by the hash of its token.
pub(super) async fn agent(tx: &mut Tx, token_hash: &[u8], now_ms: i64) -> Result<Option<Agent>, sqlx::Error> {
    let found: Option<AgentRow> = row!(
        tx,
        AgentRow,
        "SELECT id, account_id, name, scope FROM agents
         WHERE token_hash = $1 AND revoked_at_ms IS NULL AND expires_at_ms > $2",
        token_hash,
        now_ms,
    )?;
    let corrupt = |error| sqlx::Error::Decode(Box::new(error));
    let read = |row: AgentRow| {
        Ok(Agent {
            channel: Name::parse(&row.id).map_err(|_| corrupt(NotAnId))?,
            id: AgentId::parse(&row.id).map_err(corrupt)?,
            account: AccountId::parse(&row.account_id).map_err(corrupt)?,
            name: row.name,
            scope: FileScope::parse(&row.scope).ok_or(NotAnId).map_err(corrupt)?,
        })
    };
    found.map(read).transpose()
}

/// Whether a token waits for its first use.
pub(super) async fn is_unused(tx: &mut Tx, token_hash: &[u8]) -> Result<bool, sqlx::Error> {
    let found: Option<(String,)> =
        row!(tx, (String,), "SELECT agent_id FROM pairings WHERE token_hash = $1", token_hash)?;
    Ok(found.is_some())
}

/// Makes a token the agent's own, and ends the pairing that would make another in its place. False: of several
/// first uses another came first, or nothing waits any more.
pub(super) async fn use_first(tx: &mut Tx, token_hash: &[u8], now_ms: i64) -> Result<bool, sqlx::Error> {
    let paired: Option<(String,)> = row!(
        tx,
        (String,),
        "DELETE FROM pairings WHERE token_hash = $1 AND expires_at_ms > $2 RETURNING agent_id",
        token_hash,
        now_ms,
    )?;
    let Some((agent,)) = paired else { return Ok(false) };
    execute!(tx, "UPDATE agents SET token_hash = $1 WHERE id = $2", token_hash, agent)?;
    Ok(true)
}

/// Whether an agent still lives; it then does until the transaction ends.
pub(super) async fn hold_agent(tx: &mut Tx, agent: &AgentId, now_ms: i64) -> Result<bool, sqlx::Error> {
    let held = execute!(
        tx,
        "UPDATE agents SET spent_micros = spent_micros
         WHERE id = $1 AND revoked_at_ms IS NULL AND expires_at_ms > $2",
        agent.as_str(),
        now_ms,
    )?;
    Ok(held == 1)
}

/// What remembers a proof, so that it is taken once.
pub struct Seen {
    pub hash: Vec<u8>,
    /// After so long it cannot be taken any more, whatever its nonce.
    pub lives_ms: i64,
}

/// Remembers a proof. False: it was seen before.
pub(crate) async fn remember_proof(tx: &mut Tx, seen: &Seen, now_ms: i64) -> Result<bool, sqlx::Error> {
    let inserted = execute!(
        tx,
        "INSERT INTO proofs_seen (hash, expires_at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        seen.hash.as_slice(),
        now_ms.saturating_add(seen.lives_ms),
    )?;
    Ok(inserted == 1)
}

/// Whether it was seen before.
pub(super) async fn remembers_proof(tx: &mut Tx, seen: &Seen) -> Result<bool, sqlx::Error> {
    let found: Option<(i64,)> =
        row!(tx, (i64,), "SELECT expires_at_ms FROM proofs_seen WHERE hash = $1", seen.hash.as_slice())?;
    Ok(found.is_some())
}

/// Once a minute is exact enough.
pub(super) fn idles(session: &Session, now_ms: i64) -> bool {
    now_ms - session.last_seen_at_ms >= 60_000
}

/// The session was used.
pub(crate) async fn touch(tx: &mut Tx, session: &Session, now_ms: i64) -> Result<(), sqlx::Error> {
    if !idles(session, now_ms) {
        return Ok(());
    }
    execute!(tx, "UPDATE sessions SET last_seen_at_ms = $1 WHERE id = $2", now_ms, session.id.as_str())?;
    Ok(())
}

/// What a new session is made of.
pub(crate) struct NewSession<'a> {
    pub id: &'a SessionId,
    pub token_hash: Vec<u8>,
    pub account: &'a AccountId,
    pub passkey: &'a PasskeyId,
    pub jkt: &'a Thumbprint,
    pub device: &'a Device,
    pub now_ms: i64,
}

/// Makes a session of the account's present epoch.
pub(crate) async fn insert(tx: &mut Tx, new: NewSession<'_>) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO sessions (id, token_hash, account_id, passkey_id, jkt, epoch, browser, system,
                               created_at_ms, last_seen_at_ms)
         SELECT $1, $2, id, $3, $4, epoch, $5, $6, $7, $8 FROM accounts WHERE id = $9",
        new.id.as_str(),
        new.token_hash.as_slice(),
        new.passkey.as_str(),
        new.jkt.as_str(),
        new.device.browser.as_str(),
        new.device.system.as_str(),
        new.now_ms,
        new.now_ms,
        new.account.as_str(),
    )?;
    Ok(())
}

/// Ends one session.
pub(crate) async fn end(tx: &mut Tx, session: &Session, now_ms: i64) -> Result<(), sqlx::Error> {
    tx.recorded().note(&session.account);
    execute!(
        tx,
        "UPDATE sessions SET ended_at_ms = $1 WHERE id = $2 AND ended_at_ms IS NULL",
        now_ms,
        session.id.as_str()
    )?;
    Ok(())
}

/// How many other living sessions each passkey of the account has opened; those that have opened none are left
/// out.
pub(crate) async fn opened_by(
    tx: &mut Tx,
    asking: &Session,
    lifetimes: &Lifetimes,
    now_ms: i64,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    rows!(
        tx,
        (String, i64),
        "SELECT s.passkey_id, COUNT(*)
         FROM sessions s JOIN accounts a ON a.id = s.account_id AND a.epoch = s.epoch
         WHERE s.account_id = $1 AND s.id <> $2 AND s.ended_at_ms IS NULL
               AND s.last_seen_at_ms > $3 AND s.created_at_ms > $4
         GROUP BY s.passkey_id",
        asking.account.as_str(),
        asking.id.as_str(),
        before(now_ms, lifetimes.session_idle),
        before(now_ms, lifetimes.session),
    )
}

/// Ends the sessions that a passkey of the account has opened, but for the one that asks. Gives those that
/// were alive.
pub(crate) async fn end_by_passkey(
    tx: &mut Tx,
    asking: &Session,
    passkey: &PasskeyId,
    lifetimes: &Lifetimes,
    now_ms: i64,
) -> Result<Vec<SessionId>, sqlx::Error> {
    tx.recorded().note(&asking.account);
    let ended: Vec<(String,)> = rows!(
        tx,
        (String,),
        "UPDATE sessions SET ended_at_ms = $1
         WHERE passkey_id = $2 AND account_id = $3 AND id <> $4 AND ended_at_ms IS NULL
               AND last_seen_at_ms > $5 AND created_at_ms > $6
               AND epoch = (SELECT epoch FROM accounts WHERE id = account_id)
         RETURNING id",
        now_ms,
        passkey.as_str(),
        asking.account.as_str(),
        asking.id.as_str(),
        before(now_ms, lifetimes.session_idle),
        before(now_ms, lifetimes.session),
    )?;
    let id = |(id,): (String,)| SessionId::parse(&id).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    ended.into_iter().map(id).collect()
}

/// Ends every session of an account by raising its epoch.
pub(crate) async fn end_all(tx: &mut Tx, account: &AccountId, now_ms: i64) -> Result<(), sqlx::Error> {
    tx.recorded().note(account);
    // Sessions before accounts, as where one ends: in the other order the two could wait for each other.
    // A session that is opened in between carries the old epoch, and is none.
    execute!(
        tx,
        "UPDATE sessions SET ended_at_ms = $1 WHERE account_id = $2 AND ended_at_ms IS NULL",
        now_ms,
        account.as_str()
    )?;
    execute!(tx, "UPDATE accounts SET epoch = epoch + 1 WHERE id = $1", account.as_str())?;
    Ok(())
}

/// Forgets proofs that can no longer be taken.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM proofs_seen WHERE expires_at_ms < $1", now_ms)?;
    Ok(())
}
