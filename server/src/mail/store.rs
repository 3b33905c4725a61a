use crate::db::{Tx, execute, rows};
use holdfast_protocol::ids::{AccountId, MailId};

/// What a new mail is made of.
pub(super) struct New<'a> {
    pub kind: &'a str,
    pub to_name: &'a str,
    pub to_address: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub message_id: String,
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: &MailId,
    account: &AccountId,
    new: &New<'_>,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO outbox (id, account_id, kind, to_name, to_address, subject, body, message_id,
                             created_at_ms, next_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.as_str(),
        account.as_str(),
        new.kind,
        new.to_name,
        new.to_address,
        new.subject,
        new.body,
        new.message_id.as_str(),
        now_ms,
        now_ms,
    )?;
    Ok(())
}

/// A mail that was not sent yet.
#[derive(Clone, sqlx::FromRow)]
pub(super) struct Waiting {
    pub id: String,
    pub to_name: String,
    pub to_address: String,
    pub subject: String,
    pub body: String,
    pub message_id: String,
    pub created_at_ms: i64,
    pub attempts: i64,
}

/// Those whose turn it is, the oldest first.
pub(super) async fn due(tx: &mut Tx, now_ms: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    rows!(
        tx,
        Waiting,
        "SELECT id, to_name, to_address, subject, body, message_id, created_at_ms, attempts FROM outbox
         WHERE sent_at_ms IS NULL AND next_at_ms <= $1 ORDER BY created_at_ms, id LIMIT 100",
        now_ms,
    )
}

/// Of several instances that see the same mail, one takes it.
pub(super) async fn take(tx: &mut Tx, mail: &Waiting, next_at_ms: i64) -> Result<bool, sqlx::Error> {
    let taken = execute!(
        tx,
        "UPDATE outbox SET attempts = attempts + 1, next_at_ms = $1
         WHERE id = $2 AND attempts = $3 AND sent_at_ms IS NULL",
        next_at_ms,
        mail.id.as_str(),
        mail.attempts,
    )?;
    Ok(taken == 1)
}

pub(super) async fn sent(tx: &mut Tx, id: &str, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "UPDATE outbox SET sent_at_ms = $1 WHERE id = $2", now_ms, id)?;
    Ok(())
}

/// How long a mail that was sent is kept.
const KEPT_MS: i64 = 30 * 24 * 3600 * 1000;

/// Removes what was sent long ago.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "DELETE FROM outbox WHERE sent_at_ms < $1", now_ms.saturating_sub(KEPT_MS))?;
    Ok(())
}
