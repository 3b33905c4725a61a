//! Mail: put into the outbox in the transaction of what it tells of, and delivered after its commit, so that a
//! crash loses none. One that is delivered twice has the same Message-ID both times.

mod file;
mod notice;
mod store;

pub(crate) use notice::Notice;
pub(crate) use store::sweep;

use crate::{app::App, db::Tx, me};
use holdfast_protocol::ids::{AccountId, MailId};
use std::path::{Path, PathBuf};

/// Puts mail to the account's owner into the outbox.
pub(crate) async fn post(
    app: &App,
    tx: &mut Tx,
    account: &AccountId,
    notice: &Notice<'_>,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let to = me::account(tx, account).await?.ok_or(sqlx::Error::RowNotFound)?;
    let id = MailId::make(app.entropy.make());
    let text = notice.text(&to.name, &app.config.origin);
    let mail = store::New {
        kind: notice.kind(),
        to_name: &to.name,
        to_address: &to.email,
        subject: &text.subject,
        body: &text.body,
        message_id: format!("<{id}@{}>", app.config.rp_id),
    };
    tx.has_posted();
    store::insert(tx, &id, account, &mail, now_ms).await
}

/// Writes what waits in the outbox into files of the folder, and gives these. What fails is tried again later.
pub async fn deliver(app: &App, folder: &Path) -> Result<Vec<PathBuf>, sqlx::Error> {
    let mut written = Vec::new();
    let now_ms = app.clock.unix_ms();
    for waiting in store::due(&mut app.db.look().await?, now_ms).await? {
        let mut tx = app.db.write().await?;
        // It waits for as long as after a failure: no other instance takes it meanwhile.
        let next_at_ms = now_ms.saturating_add(wait_ms(waiting.attempts));
        let taken = store::take(&mut tx, &waiting, next_at_ms).await?;
        tx.commit(&app.live).await?;
        if !taken {
            continue;
        }
        match file::put(folder, &app.config, &waiting).await {
            Ok(path) => {
                store::sent(&mut app.db.look().await?, &waiting.id, now_ms).await?;
                written.push(path);
            }
            Err(why) => tracing::warn!(mail = waiting.id, %why, "a mail waits for another try"),
        }
    }
    Ok(written)
}

/// After so many attempts: a minute, two, four, and so on up to an hour.
fn wait_ms(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts).map_or(6, |attempts| attempts.min(6));
    (60_000 << doublings).min(3_600_000)
}

#[cfg(test)]
mod tests {
    use super::wait_ms;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let waits = [0, 1, 5, 6, 7, i64::MAX, -1].map(|attempts| wait_ms(attempts) / 60_000);
        assert_eq!(waits, [1, 2, 32, 60, 60, 60, 60]);
    }
}
