use super::{Facts, Hold};
use crate::db::{Tx, row};
use holdfast_protocol::ids::AccountId;

#[derive(sqlx::FromRow)]
struct Row {
    passkeys: i64,
    oldest_passkey_ms: Option<i64>,
    recovery_from_ms: Option<i64>,
    recovery_until_ms: Option<i64>,
    cooldown_from_ms: Option<i64>,
    cooldown_until_ms: Option<i64>,
    risk_hold_from_ms: Option<i64>,
    risk_hold_until_ms: Option<i64>,
}

/// What is known of an account.
pub(crate) async fn facts(tx: &mut Tx, account: &AccountId) -> Result<Facts, sqlx::Error> {
    let row: Option<Row> = row!(
        tx,
        Row,
        "SELECT (SELECT COUNT(*) FROM passkeys p WHERE p.account_id = a.id AND p.disabled_at_ms IS NULL)
                    AS passkeys,
                (SELECT MIN(created_at_ms) FROM passkeys p
                    WHERE p.account_id = a.id AND p.disabled_at_ms IS NULL) AS oldest_passkey_ms,
                recovery_from_ms, recovery_until_ms, cooldown_from_ms, cooldown_until_ms,
                risk_hold_from_ms, risk_hold_until_ms
         FROM accounts a WHERE a.id = $1",
        account.as_str(),
    )?;
    let row = row.ok_or(sqlx::Error::RowNotFound)?;
    let hold = |from: Option<i64>, until: Option<i64>| {
        from.zip(until).map(|(from_ms, until_ms)| Hold { from_ms, until_ms })
    };
    Ok(Facts {
        passkeys: row.passkeys,
        oldest_passkey_ms: row.oldest_passkey_ms,
        recovery: hold(row.recovery_from_ms, row.recovery_until_ms),
        cooldown: hold(row.cooldown_from_ms, row.cooldown_until_ms),
        risk_hold: hold(row.risk_hold_from_ms, row.risk_hold_until_ms),
    })
}
