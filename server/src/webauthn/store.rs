use crate::db::{Tx, execute, row, rows};
use holdfast_protocol::{
    history::Device,
    ids::{AccountId, NotAnId, PasskeyId},
};
use holdfast_relying_party::{RegisteredCredential, VerifiedAssertion};

/// A passkey as an assertion needs it, with its account's user handle.
#[derive(sqlx::FromRow)]
pub(crate) struct Stored {
    id: String,
    account_id: String,
    pub user_handle: Vec<u8>,
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    pub sign_count: i64,
    pub backup_eligible: bool,
    pub name: String,
    pub created_at_ms: i64,
    pub disabled_at_ms: Option<i64>,
}

impl Stored {
    pub fn id(&self) -> Result<PasskeyId, sqlx::Error> {
        PasskeyId::parse(&self.id).map_err(corrupt)
    }

    pub fn account(&self) -> Result<AccountId, sqlx::Error> {
        AccountId::parse(&self.account_id).map_err(corrupt)
    }
}

fn corrupt(error: NotAnId) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// A passkey by its credential id. Of two uses at once the second waits, so that each sees the counter
/// that the other has left.
pub(crate) async fn find(tx: &mut Tx, credential_id: &[u8]) -> Result<Option<Stored>, sqlx::Error> {
    execute!(tx, "UPDATE passkeys SET sign_count = sign_count WHERE credential_id = $1", credential_id)?;
    row!(
        tx,
        Stored,
        "SELECT p.id, p.account_id, a.user_handle, p.credential_id, p.public_key, p.sign_count,
                p.backup_eligible, p.name, p.created_at_ms, p.disabled_at_ms
         FROM passkeys p JOIN accounts a ON a.id = p.account_id WHERE p.credential_id = $1",
        credential_id,
    )
}

/// A passkey as authenticators are told of it.
#[derive(sqlx::FromRow)]
pub(crate) struct Known {
    pub id: String,
    pub credential_id: Vec<u8>,
    /// Separated by commas.
    pub transports: String,
    /// The authenticator's model, as it says.
    pub aaguid: Vec<u8>,
}

/// The passkeys of an account that can sign in.
pub(crate) async fn enabled(tx: &mut Tx, account: &AccountId) -> Result<Vec<Known>, sqlx::Error> {
    enabled_before(tx, account, i64::MAX).await
}

/// The same, of those that were made before then.
pub(crate) async fn enabled_before(
    tx: &mut Tx,
    account: &AccountId,
    before_ms: i64,
) -> Result<Vec<Known>, sqlx::Error> {
    rows!(
        tx,
        Known,
        "SELECT id, credential_id, transports, aaguid FROM passkeys
         WHERE account_id = $1 AND disabled_at_ms IS NULL AND created_at_ms < $2 ORDER BY created_at_ms, id",
        account.as_str(),
        before_ms,
    )
}

/// Models of the account's passkeys, by credential id; removed ones too.
pub(crate) async fn models(tx: &mut Tx, account: &AccountId) -> Result<Vec<(Vec<u8>, Vec<u8>)>, sqlx::Error> {
    rows!(
        tx,
        (Vec<u8>, Vec<u8>),
        "SELECT credential_id, aaguid FROM passkeys WHERE account_id = $1",
        account.as_str(),
    )
}

/// Holds every passkey of an account until the transaction ends. All at once: of two that confirm something
/// with one and remove another, each would have what the other waits for. One after the other, in one order
/// for everybody: a single update would take them as they lie in the table.
pub(crate) async fn hold_all(tx: &mut Tx, account: &AccountId) -> Result<(), sqlx::Error> {
    let ids: Vec<(String,)> =
        rows!(tx, (String,), "SELECT id FROM passkeys WHERE account_id = $1 ORDER BY id", account.as_str())?;
    for (id,) in &ids {
        execute!(tx, "UPDATE passkeys SET sign_count = sign_count WHERE id = $1", id)?;
    }
    Ok(())
}

/// What a new passkey is made of.
pub(crate) struct NewPasskey<'a> {
    pub id: &'a PasskeyId,
    pub account: &'a AccountId,
    pub credential: &'a RegisteredCredential,
    pub transports: &'a [String],
    pub name: &'a str,
    pub device: &'a Device,
    pub now_ms: i64,
}

/// Stores a new passkey.
pub(crate) async fn insert(tx: &mut Tx, new: &NewPasskey<'_>) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO passkeys (id, account_id, credential_id, public_key, aaguid, sign_count,
             backup_eligible, backup_state, transports, name, browser, system, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        new.id.as_str(),
        new.account.as_str(),
        new.credential.id.as_slice(),
        new.credential.public_key.as_slice(),
        new.credential.aaguid.as_slice(),
        i64::from(new.credential.sign_count),
        new.credential.backup_eligible,
        new.credential.backup_state,
        new.transports.join(","),
        new.name,
        new.device.browser.as_str(),
        new.device.system.as_str(),
        new.now_ms,
    )?;
    Ok(())
}

/// Notes a use. A counter that went backwards is not taken over.
pub(crate) async fn note_use(
    tx: &mut Tx,
    stored: &Stored,
    used: &VerifiedAssertion,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "UPDATE passkeys SET sign_count = $1, backup_state = $2, last_used_at_ms = $3 WHERE id = $4",
        i64::from(used.sign_count).max(stored.sign_count),
        used.backup_state,
        now_ms,
        stored.id.as_str(),
    )?;
    Ok(())
}

/// Marks a passkey that counted backwards.
pub(crate) async fn suspect(tx: &mut Tx, stored: &Stored, now_ms: i64) -> Result<(), sqlx::Error> {
    execute!(tx, "UPDATE passkeys SET suspect_at_ms = $1 WHERE id = $2", now_ms, stored.id.as_str())?;
    Ok(())
}
