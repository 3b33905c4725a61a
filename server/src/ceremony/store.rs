use crate::db::{Tx, execute, row};
use holdfast_protocol::ids::CeremonyId;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub owner_hash: Vec<u8>,
    pub token_hash: Vec<u8>,
    pub details: String,
    pub expires_at_ms: i64,
}

pub(super) async fn insert(tx: &mut Tx, id: &CeremonyId, row: &Row) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO ceremonies (id, owner_hash, token_hash, details, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5)",
        id.as_str(),
        row.owner_hash.as_slice(),
        row.token_hash.as_slice(),
        row.details.as_str(),
        row.expires_at_ms,
    )?;
    Ok(())
}

/// Spent by removal: of two that race, one gets the row.
pub(super) async fn take(
    tx: &mut Tx,
    id: &CeremonyId,
    owner_hash: &[u8],
) -> Result<Option<Row>, sqlx::Error> {
    row!(
        tx,
        Row,
        "DELETE FROM ceremonies WHERE id = $1 AND owner_hash = $2
         RETURNING owner_hash, token_hash, details, expires_at_ms",
        id.as_str(),
        owner_hash,
    )
}

/// Removes what has expired.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM ceremonies WHERE expires_at_ms < $1", now_ms)?;
    Ok(())
}
