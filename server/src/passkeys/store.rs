use crate::db::{Tx, execute, rows};
use holdfast_protocol::ids::{AccountId, PasskeyId};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: String,
    pub aaguid: Vec<u8>,
    pub backup_eligible: bool,
    pub backup_state: bool,
    pub transports: String,
    pub name: String,
    pub browser: String,
    pub system: String,
    pub created_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
    pub suspect_at_ms: Option<i64>,
    pub disabled_at_ms: Option<i64>,
}

/// The oldest first.
pub(super) async fn list(tx: &mut Tx, account: &AccountId) -> Result<Vec<Row>, sqlx::Error> {
    rows!(
        tx,
        Row,
        "SELECT id, aaguid, backup_eligible, backup_state, transports, name, browser, system,
                created_at_ms, last_used_at_ms, suspect_at_ms, disabled_at_ms
         FROM passkeys WHERE account_id = $1 ORDER BY created_at_ms, id",
        account.as_str(),
    )
}

/// False: no such passkey of this account.
pub(super) async fn rename(
    tx: &mut Tx,
    account: &AccountId,
    id: &PasskeyId,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let changed = execute!(
        tx,
        "UPDATE passkeys SET name = $1 WHERE id = $2 AND account_id = $3",
        name,
        id.as_str(),
        account.as_str(),
    )?;
    Ok(changed == 1)
}
