use super::{
    Place,
    seal::{Seal, Sealed},
};
use crate::db::{Tx, execute, row, rows};
use holdfast_protocol::{
    credentials::{DEFAULT, Name},
    ids::AccountId,
};

/// A credential as it is stored.
pub(super) struct Row {
    pub account: AccountId,
    pub name: Name,
    pub channel: Name,
    pub sealed: Sealed,
    pub stored_at_ms: i64,
    pub read_by: Option<String>,
    pub read_at_ms: Option<i64>,
}

impl Row {
    pub fn place(&self) -> Place<'_> {
        Place { account: &self.account, channel: &self.channel, name: &self.name }
    }

    /// Whether this agent was the last to read it, and later than then.
    pub fn was_read_by(&self, agent: &str, since_ms: i64) -> bool {
        self.read_by.as_deref() == Some(agent) && self.read_at_ms.is_some_and(|at_ms| at_ms > since_ms)
    }
}

#[derive(sqlx::FromRow)]
struct Unread {
    account_id: String,
    name: String,
    channel: String,
    #[sqlx(flatten)]
    sealed: Sealed,
    stored_at_ms: i64,
    read_by: Option<String>,
    read_at_ms: Option<i64>,
}

impl Unread {
    fn read(self) -> Result<Row, sqlx::Error> {
        let name = |text: &str| Name::parse(text).map_err(|error| sqlx::Error::Decode(Box::new(error)));
        let account = AccountId::parse(&self.account_id);
        Ok(Row {
            account: account.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            name: name(&self.name)?,
            channel: name(&self.channel)?,
            sealed: self.sealed,
            stored_at_ms: self.stored_at_ms,
            read_by: self.read_by,
            read_at_ms: self.read_at_ms,
        })
    }
}

/// In place of what stood there; nobody has read it yet.
pub(super) async fn put(
    tx: &mut Tx,
    place: &Place<'_>,
    sealed: &Sealed,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO credentials (account_id, channel, name, key_id, nonce, sealed, stored_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, name, channel) DO UPDATE
         SET key_id = excluded.key_id, nonce = excluded.nonce, sealed = excluded.sealed,
             stored_at_ms = excluded.stored_at_ms, read_by = NULL, read_at_ms = NULL",
        place.account.as_str(),
        place.channel.as_str(),
        place.name.as_str(),
        sealed.key_id.as_str(),
        sealed.nonce.as_slice(),
        sealed.bytes.as_slice(),
        now_ms,
    )?;
    Ok(())
}

/// Whether something stands there.
pub(crate) async fn is_there(tx: &mut Tx, place: &Place<'_>) -> Result<bool, sqlx::Error> {
    let found: Option<(String,)> = row!(
        tx,
        (String,),
        "SELECT name FROM credentials WHERE account_id = $1 AND channel = $2 AND name = $3",
        place.account.as_str(),
        place.channel.as_str(),
        place.name.as_str(),
    )?;
    Ok(found.is_some())
}

/// False: nothing stood there.
pub(crate) async fn remove(tx: &mut Tx, place: &Place<'_>) -> Result<bool, sqlx::Error> {
    let removed = execute!(
        tx,
        "DELETE FROM credentials WHERE account_id = $1 AND channel = $2 AND name = $3",
        place.account.as_str(),
        place.channel.as_str(),
        place.name.as_str(),
    )?;
    Ok(removed == 1)
}

/// Deletes every credential of a channel, and says how many there were.
pub async fn remove_channel(tx: &mut Tx, account: &AccountId, channel: &Name) -> Result<u64, sqlx::Error> {
    execute!(
        tx,
        "DELETE FROM credentials WHERE account_id = $1 AND channel = $2",
        account.as_str(),
        channel.as_str(),
    )
}

/// By name and channel.
pub(super) async fn list(tx: &mut Tx, account: &AccountId) -> Result<Vec<Row>, sqlx::Error> {
    let found = rows!(
        tx,
        Unread,
        "SELECT account_id, name, channel, key_id, nonce, sealed, stored_at_ms, read_by, read_at_ms
         FROM credentials WHERE account_id = $1 ORDER BY name, channel",
        account.as_str(),
    )?;
    found.into_iter().map(Unread::read).collect()
}

/// What a channel can read: its own, and every channel's.
pub(crate) async fn readable(
    tx: &mut Tx,
    account: &AccountId,
    channel: &Name,
) -> Result<Vec<Name>, sqlx::Error> {
    let found = rows!(
        tx,
        (String,),
        "SELECT DISTINCT name FROM credentials
         WHERE account_id = $1 AND (channel = $2 OR channel = $3) ORDER BY name",
        account.as_str(),
        channel.as_str(),
        DEFAULT,
    )?;
    let name = |(text,): (String,)| Name::parse(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)));
    found.into_iter().map(name).collect()
}

/// The channel's own, or else every channel's.
pub(super) async fn find(
    tx: &mut Tx,
    account: &AccountId,
    channel: &Name,
    name: &Name,
) -> Result<Option<Row>, sqlx::Error> {
    let found = row!(
        tx,
        Unread,
        "SELECT account_id, name, channel, key_id, nonce, sealed, stored_at_ms, read_by, read_at_ms
         FROM credentials WHERE account_id = $1 AND name = $2 AND (channel = $3 OR channel = $4)
         ORDER BY CASE WHEN channel = $3 THEN 0 ELSE 1 END LIMIT 1",
        account.as_str(),
        name.as_str(),
        channel.as_str(),
        DEFAULT,
    )?;
    found.map(Unread::read).transpose()
}

/// Who read it last, and when.
pub(super) async fn note_reading(
    tx: &mut Tx,
    place: &Place<'_>,
    agent: &str,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "UPDATE credentials SET read_by = $1, read_at_ms = $2
         WHERE account_id = $3 AND channel = $4 AND name = $5",
        agent,
        now_ms,
        place.account.as_str(),
        place.channel.as_str(),
        place.name.as_str(),
    )?;
    Ok(())
}

/// What is sealed with a key, of all accounts, after that one.
pub(super) async fn sealed_with(
    tx: &mut Tx,
    seal: &Seal,
    after: Option<&Row>,
    limit: u32,
) -> Result<Vec<Row>, sqlx::Error> {
    let (account, name, channel) = match after {
        None => ("", "", ""),
        Some(row) => (row.account.as_str(), row.name.as_str(), row.channel.as_str()),
    };
    let found = rows!(
        tx,
        Unread,
        "SELECT account_id, name, channel, key_id, nonce, sealed, stored_at_ms, read_by, read_at_ms
         FROM credentials WHERE key_id = $1 AND (account_id, name, channel) > ($2, $3, $4)
         ORDER BY account_id, name, channel LIMIT $5",
        seal.id.as_str(),
        account,
        name,
        channel,
        i64::from(limit),
    )?;
    found.into_iter().map(Unread::read).collect()
}

/// The same secret under another key; none of it, if another secret stands there by now.
pub(super) async fn replace(
    tx: &mut Tx,
    place: &Place<'_>,
    old: &Sealed,
    new: &Sealed,
) -> Result<u64, sqlx::Error> {
    execute!(
        tx,
        "UPDATE credentials SET key_id = $1, nonce = $2, sealed = $3
         WHERE account_id = $4 AND channel = $5 AND name = $6 AND key_id = $7 AND nonce = $8",
        new.key_id.as_str(),
        new.nonce.as_slice(),
        new.bytes.as_slice(),
        place.account.as_str(),
        place.channel.as_str(),
        place.name.as_str(),
        old.key_id.as_str(),
        old.nonce.as_slice(),
    )
}
