//! Stored credentials. Their owner sets and deletes them by signed actions (the slice `credentials`),
//! agents read them with a token of their own, and whoever tears an agent down deletes its channel here.

mod seal;
mod store;

pub use seal::Vault;
pub use store::remove_channel;
pub(crate) use store::{is_there, readable, remove};

use crate::{
    access::{self, Agent, refuse},
    app::App,
    audit::{self, Event},
    db::Tx,
    me::wire_ms,
    problem::Result,
};
use holdfast_protocol::{
    credentials::{CredentialState, CredentialView, LastRead, Name},
    history::Activity,
    ids::AccountId,
    problem::Code,
};
use seal::Sealed;
use store::Row;
use zeroize::Zeroizing;

/// Where a secret stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub account: &'a AccountId,
    pub channel: &'a Name,
    pub name: &'a Name,
}

/// An agent that has shown its token, and may read.
pub trait Reader: Send + Sync {
    /// Whose agent.
    fn account(&self) -> &AccountId;

    /// The agent's id.
    fn agent(&self) -> &str;

    /// The one whose credentials it may read, beside those of every channel.
    fn channel(&self) -> &Name;

    /// The transaction of what it does, as long as it may do anything.
    fn write(&self, app: &App) -> impl Future<Output = Result<Tx>> + Send;
}

impl Reader for Agent {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn agent(&self) -> &str {
        self.id.as_str()
    }

    fn channel(&self) -> &Name {
        &self.channel
    }

    async fn write(&self, app: &App) -> Result<Tx> {
        access::write_as_agent(app, self).await
    }
}

/// An agent that reads the same secret again and again is told so often, and no more: each telling is an event in the
/// owner's activity.
const TOLD_EVERY_MS: i64 = 60_000;

/// Stores a secret in place of what stood there.
pub(crate) async fn put(app: &App, tx: &mut Tx, place: &Place<'_>, secret: &[u8], now_ms: i64) -> Result<()> {
    let sealed = app.vault.seal(place, secret, &app.entropy);
    let sealed = sealed.map_err(|_| refuse(Code::Internal, "a secret could not be encrypted"))?;
    Ok(store::put(tx, place, &sealed, now_ms).await?)
}

/// What an account has stored, without the values.
pub(crate) async fn list(app: &App, tx: &mut Tx, account: &AccountId) -> Result<Vec<CredentialView>> {
    let view = |row: Row| {
        let readable = app.vault.seal_of(&row.sealed.key_id).is_some();
        let read = row.read_by.zip(row.read_at_ms);
        CredentialView {
            name: row.name,
            channel: row.channel,
            stored_at_ms: wire_ms(row.stored_at_ms),
            read: read.map(|(agent, at_ms)| LastRead { agent, at_ms: wire_ms(at_ms) }),
            state: if readable { CredentialState::Readable } else { CredentialState::Unreadable },
        }
    };
    Ok(store::list(tx, account).await?.into_iter().map(view).collect())
}

/// The secret that an agent asks for: its channel's, or else every channel's. The reading is on record
/// before the secret leaves, once a minute; a refused one is not.
pub async fn read(app: &App, reader: &impl Reader, name: &Name) -> Result<Zeroizing<Vec<u8>>> {
    app.limits.credentials.check(&app.config.keys.mac("limits/credentials", reader.agent().as_bytes()))?;
    let (account, agent, now_ms) = (reader.account(), reader.agent(), app.clock.unix_ms());
    let mut tx = reader.write(app).await?;
    let row = store::find(&mut tx, account, reader.channel(), name).await?.ok_or(Code::NotFound)?;
    let place = row.place();
    let secret = open(app, &place, &row.sealed)?;
    if !row.was_read_by(agent, now_ms.saturating_sub(TOLD_EVERY_MS)) {
        let what = Activity::CredentialRead { name: name.as_str().to_owned(), agent: agent.to_owned() };
        let event = Event { account, what, device: None, session: None, at_ms: now_ms };
        store::note_reading(&mut tx, &place, agent, now_ms).await?;
        audit::record_once(&mut tx, event).await?;
        tx.commit(&app.live).await?;
    }
    Ok(secret)
}

fn open(app: &App, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
    let seal = app.vault.seal_of(&sealed.key_id);
    let seal = seal.ok_or_else(|| refuse(Code::CredentialsUnreadable, "the server has another key"))?;
    seal.open(place, sealed).map_err(|_| {
        let Place { account, channel, name } = place;
        let (channel, name) = (channel.as_str(), name.as_str());
        tracing::error!(%account, channel, name, "a credential is not as it was stored");
        Code::CredentialsUnreadable.into()
    })
}

/// How many are encrypted anew in one transaction.
const AT_ONCE: u32 = 100;

/// Encrypts under the current key what is under the previous one. What does not open stays as it is.
pub(crate) async fn renew(app: &App) -> Result<(), sqlx::Error> {
    let Some(previous) = &app.vault.previous else { return Ok(()) };
    let (mut renewed, mut damaged) = (0_u64, 0_u64);
    let mut after = None;
    loop {
        let mut tx = app.db.write().await?;
        let rows = store::sealed_with(&mut tx, previous, after.as_ref(), AT_ONCE).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let place = row.place();
            let opened = previous.open(&place, &row.sealed);
            match opened.and_then(|secret| app.vault.seal(&place, &secret, &app.entropy)) {
                Ok(sealed) => renewed += store::replace(&mut tx, &place, &row.sealed, &sealed).await?,
                Err(_) => damaged += 1,
            }
            after = Some(row);
        }
        tx.commit(&app.live).await?;
    }
    tracing::info!(renewed, damaged, "credentials are under the current key");
    Ok(())
}
