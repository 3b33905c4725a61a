use crate::db::{Tx, execute};
use holdfast_protocol::ids::AccountId;
use std::collections::BTreeSet;

/// False: a list is in force.
pub(super) async fn insert_list(
    tx: &mut Tx,
    account: &AccountId,
    hashes: &BTreeSet<[u8; 32]>,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let inserted = execute!(
        tx,
        "INSERT INTO recovery_code_lists (account_id, total, created_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
        account.as_str(),
        i64::try_from(hashes.len()).unwrap_or_default(),
        now_ms,
    )?;
    if inserted == 0 {
        return Ok(false);
    }
    for hash in hashes {
        execute!(
            tx,
            "INSERT INTO recovery_codes (account_id, verifier_hash) VALUES ($1, $2)",
            account.as_str(),
            hash.as_slice(),
        )?;
    }
    Ok(true)
}

/// The list in force and all of its codes, used ones too: what was used stays in the trail.
pub(super) async fn remove_list(tx: &mut Tx, account: &AccountId) -> Result<(), sqlx::Error> {
    // Of two that replace the list, the second waits for the first.
    execute!(tx, "UPDATE recovery_code_lists SET total = total WHERE account_id = $1", account.as_str())?;
    execute!(tx, "DELETE FROM recovery_codes WHERE account_id = $1", account.as_str())?;
    execute!(tx, "DELETE FROM recovery_code_lists WHERE account_id = $1", account.as_str())?;
    Ok(())
}
