use crate::db::{Tx, execute, row};
use holdfast_protocol::ids::{AccountId, CeremonyId, SessionId};

/// A step-up that was asked for.
#[derive(sqlx::FromRow)]
pub(super) struct Asked {
    pub token_hash: Vec<u8>,
    pub expires_at_ms: i64,
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: &CeremonyId,
    session: &SessionId,
    asked: &Asked,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO step_ups (id, session_id, token_hash, expires_at_ms) VALUES ($1, $2, $3, $4)",
        id.as_str(),
        session.as_str(),
        asked.token_hash.as_slice(),
        asked.expires_at_ms,
    )?;
    Ok(())
}

/// Spent by removal: of many that race, one gets the row.
pub(super) async fn take(
    tx: &mut Tx,
    id: &CeremonyId,
    session: &SessionId,
) -> Result<Option<Asked>, sqlx::Error> {
    row!(
        tx,
        Asked,
        "DELETE FROM step_ups WHERE id = $1 AND session_id = $2 RETURNING token_hash, expires_at_ms",
        id.as_str(),
        session.as_str(),
    )
}

/// From here on everything can be taken back.
pub(super) async fn set_out(tx: &mut Tx) -> Result<(), sqlx::Error> {
    execute!(tx, "SAVEPOINT action")?;
    Ok(())
}

/// Takes back what was done since [`set_out`], whatever has failed; what was locked before stays so.
pub(super) async fn turn_back(tx: &mut Tx) -> Result<(), sqlx::Error> {
    execute!(tx, "ROLLBACK TO SAVEPOINT action")?;
    Ok(())
}

/// Step-ups that were begun do not outlive a start of the server.
pub(crate) async fn void_all(tx: &mut Tx) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM step_ups")?;
    Ok(())
}

/// What was answered under a key.
#[derive(sqlx::FromRow)]
pub(super) struct Reply {
    pub request_hash: Vec<u8>,
    pub answer: Option<String>,
}

/// False: the key has been used.
pub(super) async fn claim(
    tx: &mut Tx,
    account: &AccountId,
    key: &str,
    request_hash: &[u8],
    expires_at_ms: i64,
) -> Result<bool, sqlx::Error> {
    let inserted = execute!(
        tx,
        "INSERT INTO replies (account_id, idempotency_key, request_hash, expires_at_ms)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        account.as_str(),
        key,
        request_hash,
        expires_at_ms,
    )?;
    Ok(inserted == 1)
}

pub(super) async fn reply(tx: &mut Tx, account: &AccountId, key: &str) -> Result<Option<Reply>, sqlx::Error> {
    row!(
        tx,
        Reply,
        "SELECT request_hash, answer FROM replies WHERE account_id = $1 AND idempotency_key = $2",
        account.as_str(),
        key,
    )
}

/// Keeps the answer under its key.
pub(super) async fn answer(
    tx: &mut Tx,
    account: &AccountId,
    key: &str,
    answer: &str,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "UPDATE replies SET answer = $1 WHERE account_id = $2 AND idempotency_key = $3",
        answer,
        account.as_str(),
        key,
    )?;
    Ok(())
}

/// Removes what has expired.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM step_ups WHERE expires_at_ms < $1", now_ms)?;
    execute!(tx, "DELETE FROM replies WHERE expires_at_ms < $1", now_ms)?;
    Ok(())
}
