use super::rules::Minted;
use crate::db::{Tx, execute, row};
use holdfast_protocol::{
    dpop::PublicKey,
    ids::{ConnectionId, SessionId},
};

#[derive(sqlx::FromRow)]
struct Row {
    session_id: String,
    connection_id: String,
    stream: String,
    client_nonce: String,
    key: Vec<u8>,
    expires_at_ms: i64,
}

impl Row {
    fn read(self) -> Result<Minted, sqlx::Error> {
        let key = <[u8; 65]>::try_from(self.key.as_slice());
        Ok(Minted {
            session: SessionId::parse(&self.session_id).map_err(corrupt)?,
            connection: ConnectionId::parse(&self.connection_id).map_err(corrupt)?,
            stream: self.stream,
            client_nonce: self.client_nonce,
            key: PublicKey::from_sec1(&key.map_err(corrupt)?),
            expires_at_ms: self.expires_at_ms,
        })
    }
}

fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

pub(super) async fn insert(tx: &mut Tx, hash: &[u8], minted: &Minted) -> Result<(), sqlx::Error> {
    let key = minted.key.to_sec1();
    execute!(
        tx,
        "INSERT INTO tickets (hash, session_id, connection_id, stream, client_nonce, key, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        hash,
        minted.session.as_str(),
        minted.connection.as_str(),
        minted.stream.as_str(),
        minted.client_nonce.as_str(),
        key.as_slice(),
        minted.expires_at_ms,
    )?;
    Ok(())
}

/// Spent by removal: of two that race, one gets it.
pub(super) async fn take(tx: &mut Tx, hash: &[u8]) -> Result<Option<Minted>, sqlx::Error> {
    let found: Option<Row> = row!(
        tx,
        Row,
        "DELETE FROM tickets WHERE hash = $1
         RETURNING session_id, connection_id, stream, client_nonce, key, expires_at_ms",
        hash,
    )?;
    found.map(Row::read).transpose()
}

/// Tickets of a session that could still be spent.
pub(super) async fn outstanding(tx: &mut Tx, session: &SessionId, now_ms: i64) -> Result<usize, sqlx::Error> {
    let found: Option<(i64,)> = row!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM tickets WHERE session_id = $1 AND expires_at_ms > $2",
        session.as_str(),
        now_ms,
    )?;
    Ok(found.and_then(|(count,)| usize::try_from(count).ok()).unwrap_or_default())
}

/// One ticket for a stream; twice is once.
pub(super) async fn grant(
    tx: &mut Tx,
    session: &SessionId,
    stream: &str,
    expires_at_ms: i64,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO ticket_grants (session_id, stream, expires_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (session_id, stream) DO UPDATE SET expires_at_ms = excluded.expires_at_ms",
        session.as_str(),
        stream,
        expires_at_ms,
    )?;
    Ok(())
}

/// Spent by removal. False: there is none.
pub(super) async fn take_grant(
    tx: &mut Tx,
    session: &SessionId,
    stream: &str,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let taken = execute!(
        tx,
        "DELETE FROM ticket_grants WHERE session_id = $1 AND stream = $2 AND expires_at_ms > $3",
        session.as_str(),
        stream,
        now_ms,
    )?;
    Ok(taken == 1)
}

/// Removes what has expired.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM ticket_grants WHERE expires_at_ms <= $1", now_ms)?;
    execute!(tx, "DELETE FROM tickets WHERE expires_at_ms <= $1", now_ms)?;
    Ok(())
}
