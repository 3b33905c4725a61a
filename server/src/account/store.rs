use super::rules::NewAccount;
use crate::db::{Tx, execute, row};

pub(super) async fn is_set_up(tx: &mut Tx) -> Result<bool, sqlx::Error> {
    let found: Option<(i64,)> = row!(tx, (i64,), "SELECT one FROM setup")?;
    Ok(found.is_some())
}

/// Of two that race, one inserts the row; the other waits for it and is told.
pub(super) async fn claim_setup(tx: &mut Tx, now_ms: i64) -> Result<bool, sqlx::Error> {
    let inserted =
        execute!(tx, "INSERT INTO setup (one, done_at_ms) VALUES (1, $1) ON CONFLICT DO NOTHING", now_ms)?;
    Ok(inserted == 1)
}

/// The first account is an admin, and is born Web Locked.
pub(super) async fn insert_account(tx: &mut Tx, new: &NewAccount, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO accounts (id, user_handle, name, email, email_key, role, tier, epoch, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, 'admin', 'web_locked', 1, $6)",
        new.id.as_str(),
        new.user_handle.0.as_slice(),
        new.person.name.as_str(),
        new.person.email.as_str(),
        new.person.email_key.as_str(),
        now_ms,
    )?;
    Ok(())
}
