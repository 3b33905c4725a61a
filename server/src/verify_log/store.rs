use super::{PasskeyRow, Row};
use crate::db::{Tx, each};
use sqlx::{
    Decode, Postgres, Sqlite, Type, ValueRef as _,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueRef},
    sqlite::{SqliteTypeInfo, SqliteValueRef},
};

/// The bytes of a text, whatever they are: what somebody altered need not be text any more. And SQLite keeps a
/// BLOB in a column of TEXT, too, where the same bytes equal nothing that the server looks for.
struct Text {
    bytes: Vec<u8>,
    is_text: bool,
}

impl Type<Sqlite> for Text {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }

    fn compatible(of: &SqliteTypeInfo) -> bool {
        <[u8] as Type<Sqlite>>::compatible(of)
    }
}

impl Decode<'_, Sqlite> for Text {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        let is_text = *value.type_info() == <str as Type<Sqlite>>::type_info();
        Ok(Self { bytes: <&[u8] as Decode<Sqlite>>::decode(value)?.to_vec(), is_text })
    }
}

impl Type<Postgres> for Text {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn compatible(of: &PgTypeInfo) -> bool {
        <str as Type<Postgres>>::compatible(of)
    }
}

impl Decode<'_, Postgres> for Text {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self { bytes: value.as_bytes()?.to_vec(), is_text: true })
    }
}

/// A number or bytes; nothing where somebody has put another kind of thing in their place, as SQLite lets them.
struct Kept<T>(Option<T>);

impl<T: Type<Sqlite>> Type<Sqlite> for Kept<T> {
    fn type_info() -> SqliteTypeInfo {
        T::type_info()
    }

    fn compatible(_: &SqliteTypeInfo) -> bool {
        true
    }
}

impl<'r, T: Type<Sqlite> + Decode<'r, Sqlite>> Decode<'r, Sqlite> for Kept<T> {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        let is_kept = T::compatible(&value.type_info());
        is_kept.then(|| T::decode(value)).transpose().map(Self)
    }
}

impl<T: Type<Postgres>> Type<Postgres> for Kept<T> {
    fn type_info() -> PgTypeInfo {
        T::type_info()
    }

    fn compatible(of: &PgTypeInfo) -> bool {
        T::compatible(of)
    }
}

impl<'r, T: Decode<'r, Postgres>> Decode<'r, Postgres> for Kept<T> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        T::decode(value).map(|kept| Self(Some(kept)))
    }
}

/// In the place of a number that is none any more: no event has it.
const NO_NUMBER: i64 = -1;

#[derive(sqlx::FromRow)]
struct Stored {
    account_id: Text,
    id: Kept<i64>,
    at_ms: Kept<i64>,
    what: Text,
    browser: Option<Text>,
    system: Option<Text>,
    session_id: Option<Text>,
    evidence: Option<Text>,
    step_up: Option<Text>,
    hash: Option<Kept<Vec<u8>>>,
    activity_count: Option<Kept<i64>>,
}

impl From<Stored> for Row {
    fn from(stored: Stored) -> Self {
        let mut not_text = None;
        let mut bytes = |column: &'static str, text: Text| {
            if !text.is_text {
                not_text = Some(column);
            }
            text.bytes
        };
        Self {
            account: bytes("account_id", stored.account_id),
            id: stored.id.0.unwrap_or(NO_NUMBER),
            at_ms: stored.at_ms.0.unwrap_or(NO_NUMBER),
            what: bytes("what", stored.what),
            browser: stored.browser.map(|text| bytes("browser", text)),
            system: stored.system.map(|text| bytes("system", text)),
            session: stored.session_id.map(|text| bytes("session_id", text)),
            evidence: stored.evidence.map(|text| bytes("evidence", text)),
            step_up: stored.step_up.map(|text| bytes("step_up", text)),
            hash: stored.hash.map(|Kept(hash)| hash.unwrap_or_default()),
            count: stored.activity_count.map(|Kept(count)| count.unwrap_or(NO_NUMBER)),
            not_text,
        }
    }
}

/// Every event, account by account; one statement, so that all are of one moment.
pub async fn rows(tx: &mut Tx, mut take: impl FnMut(Row)) -> Result<(), sqlx::Error> {
    each!(
        tx,
        Stored,
        |stored: Stored| take(stored.into()),
        "SELECT a.account_id, a.id, a.at_ms, a.what, a.browser, a.system, a.session_id, a.evidence, a.step_up,
                a.hash, c.activity_count
         FROM activity a LEFT JOIN accounts c ON c.id = a.account_id ORDER BY a.account_id, a.id",
    )
}

/// The accounts that say to have events, and have none.
pub(super) async fn empty(tx: &mut Tx, mut take: impl FnMut(Vec<u8>, i64)) -> Result<(), sqlx::Error> {
    each!(
        tx,
        (Text, Kept<i64>),
        |(account, Kept(count)): (Text, Kept<i64>)| take(account.bytes, count.unwrap_or(NO_NUMBER)),
        "SELECT c.id, c.activity_count FROM accounts c
         WHERE c.activity_count <> 0 AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.account_id = c.id)",
    )
}

type PasskeyColumns = (Text, Text, Kept<Vec<u8>>, Kept<Vec<u8>>, bool);

/// Every passkey by which somebody can, or could, sign in.
pub async fn passkeys(tx: &mut Tx, mut take: impl FnMut(PasskeyRow)) -> Result<(), sqlx::Error> {
    each!(
        tx,
        PasskeyColumns,
        |(account, id, Kept(credential_id), Kept(public_key), enabled): PasskeyColumns| {
            let columns = [("account_id", account.is_text), ("id", id.is_text)];
            let not_text = columns.into_iter().find_map(|(column, is_text)| (!is_text).then_some(column));
            let (account, id) = (account.bytes, id.bytes);
            let (credential_id, public_key) =
                (credential_id.unwrap_or_default(), public_key.unwrap_or_default());
            take(PasskeyRow { account, id, credential_id, public_key, enabled, not_text });
        },
        "SELECT account_id, id, credential_id, public_key, disabled_at_ms IS NULL FROM passkeys
         ORDER BY account_id, id",
    )
}
