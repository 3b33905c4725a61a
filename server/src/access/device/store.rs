use crate::db::{Tx, execute};
use holdfast_protocol::{dpop::PublicKey, ids::SessionId};

/// Keeps the key of a session's device. False: the browser has shown the cookie of one already.
pub(crate) async fn bind_device(
    tx: &mut Tx,
    session: &SessionId,
    key: &PublicKey,
) -> Result<bool, sqlx::Error> {
    let bound = execute!(
        tx,
        "UPDATE sessions SET device_key = $1 WHERE id = $2 AND device_shown_at_ms IS NULL",
        key.to_sec1().as_slice(),
        session.as_str(),
    )?;
    Ok(bound == 1)
}

/// From now on the session is worth nothing without the cookie that this key fetches. False: it has another key, or
/// has shown it before.
pub(super) async fn show_device(
    tx: &mut Tx,
    session: &SessionId,
    key: &PublicKey,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let shown = execute!(
        tx,
        "UPDATE sessions SET device_shown_at_ms = $1
         WHERE id = $2 AND device_key = $3 AND device_shown_at_ms IS NULL",
        now_ms,
        session.as_str(),
        key.to_sec1().as_slice(),
    )?;
    Ok(shown == 1)
}
