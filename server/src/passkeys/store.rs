use crate::db::{Tx, execute, row, rows};
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

/// One of them.
pub(super) async fn find(
    tx: &mut Tx,
    account: &AccountId,
    id: &PasskeyId,
) -> Result<Option<Row>, sqlx::Error> {
    row!(
        tx,
        Row,
        "SELECT id, aaguid, backup_eligible, backup_state, transports, name, browser, system,
                created_at_ms, last_used_at_ms, suspect_at_ms, disabled_at_ms
         FROM passkeys WHERE account_id = $1 AND id = $2",
        account.as_str(),
        id.as_str(),
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

/// The name of a passkey that can sign in. Of two that remove passkeys of one account the second waits, so
/// that the last one stays.
pub(super) async fn enabled_name(
    tx: &mut Tx,
    account: &AccountId,
    id: &PasskeyId,
) -> Result<Option<String>, sqlx::Error> {
    execute!(tx, "UPDATE passkeys SET name = name WHERE account_id = $1", account.as_str())?;
    let found: Option<(String,)> = row!(
        tx,
        (String,),
        "SELECT name FROM passkeys WHERE id = $1 AND account_id = $2 AND disabled_at_ms IS NULL",
        id.as_str(),
        account.as_str(),
    )?;
    Ok(found.map(|(name,)| name))
}

/// How many passkeys can sign in.
pub(super) async fn count_enabled(tx: &mut Tx, account: &AccountId) -> Result<i64, sqlx::Error> {
    let found: Option<(i64,)> = row!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM passkeys WHERE account_id = $1 AND disabled_at_ms IS NULL",
        account.as_str(),
    )?;
    Ok(found.map_or(0, |(count,)| count))
}

/// False: no passkey of this account that can sign in.
pub(super) async fn disable(
    tx: &mut Tx,
    account: &AccountId,
    id: &PasskeyId,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let changed = execute!(
        tx,
        "UPDATE passkeys SET disabled_at_ms = $1 WHERE id = $2 AND account_id = $3 AND disabled_at_ms IS NULL",
        now_ms,
        id.as_str(),
        account.as_str(),
    )?;
    Ok(changed == 1)
}
