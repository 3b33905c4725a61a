//! Wakes the live connections of an account when something about it has changed: a session ended, an
//! event was recorded. What changed is read from the database, so a wake-up that comes twice or late
//! does no harm, and every instance ends up with the same.

use holdfast_protocol::ids::AccountId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Notify, watch};

/// The PostgreSQL channel on which instances wake one another.
pub const CHANNEL: &str = "holdfast_account";

/// Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    accounts: Mutex<HashMap<AccountId, watch::Sender<u64>>>,
    stopping: watch::Sender<bool>,
    posted: Notify,
    /// Upgraded connections, of which the HTTP server knows nothing any more.
    upgraded: watch::Sender<usize>,
}

/// An upgraded connection that still has something to say; dropped when it has said it.
pub struct Upgraded(Live);

impl Drop for Upgraded {
    fn drop(&mut self) {
        self.0.0.upgraded.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner {
            accounts: Mutex::default(),
            stopping: watch::Sender::new(false),
            posted: Notify::new(),
            upgraded: watch::Sender::new(0),
        }))
    }
}

impl Live {
    /// Changes with every wake-up of the account.
    pub fn watch(&self, account: &AccountId) -> watch::Receiver<u64> {
        let mut accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        // Forget whom nobody watches any more, now and then.
        if accounts.len() % 64 == 63 {
            accounts.retain(|_, sender| sender.receiver_count() > 0);
        }
        accounts.entry(account.clone()).or_default().subscribe()
    }

    /// Something about the account has changed.
    pub fn wake(&self, account: &AccountId) {
        let accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = accounts.get(account) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Wakes everybody: what was missed while the database was away is unknown.
    pub fn wake_all(&self) {
        let accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in accounts.values() {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Mail waits in the outbox.
    pub fn post(&self) {
        self.0.posted.notify_one();
    }

    /// Ends when mail has been put into the outbox since the last time.
    pub async fn posted(&self) {
        self.0.posted.notified().await;
    }

    /// The server is stopping: every connection closes with its code.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Counts an upgraded connection until what it returns is dropped.
    pub fn upgraded(&self) -> Upgraded {
        self.0.upgraded.send_modify(|count| *count += 1);
        Upgraded(self.clone())
    }

    /// Ends when every upgraded connection has said its last.
    pub async fn all_closed(&self) {
        // The sender is ours, so this cannot fail.
        let mut upgraded = self.0.upgraded.subscribe();
        let _closed = upgraded.wait_for(|count| *count == 0).await.is_ok();
    }

    /// True once the server is stopping.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }
}

/// Listens to the other instances, for as long as the program runs.
pub async fn listen(app: &crate::app::App) -> Result<(), sqlx::Error> {
    let Some(mut listener) = app.db.listener(CHANNEL).await? else { return Ok(()) };
    let live = app.live.clone();
    tokio::spawn(async move {
        loop {
            match listener.try_recv().await {
                Ok(Some(notice)) => match AccountId::parse(notice.payload()) {
                    Ok(account) => live.wake(&account),
                    Err(_) => tracing::warn!("another instance sent what is no account"),
                },
                // The connection was lost and is back: what came meanwhile is unknown.
                Ok(None) => live.wake_all(),
                // The program ends. Held any longer, the listener's connection would keep the pool open.
                Err(sqlx::Error::PoolClosed) => return,
                Err(error) => {
                    tracing::warn!(%error, "the other instances are out of hearing");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    live.wake_all();
                }
            }
        }
    });
    Ok(())
}
