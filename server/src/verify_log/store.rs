use super::{PasskeyRow, Row};
use crate::db::{Tx, each};
use sqlx::{
    Decode, Postgres, Sqlite, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueRef},
    sqlite::{SqliteTypeInfo, SqliteValueRef},
};

/// The bytes of a text, whatever they are: what somebody altered need not be text any more.
struct Text(Vec<u8>);

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
        Ok(Self(<&[u8] as Decode<Sqlite>>::decode(value)?.to_vec()))
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
        Ok(Self(value.as_bytes()?.to_vec()))
    }
}

#[derive(sqlx::FromRow)]
struct Stored {
    account_id: Text,
    id: i64,
    at_ms: i64,
    what: Text,
    browser: Option<Text>,
    system: Option<Text>,
    session_id: Option<Text>,
    evidence: Option<Text>,
    step_up: Option<Text>,
    hash: Option<Vec<u8>>,
    activity_count: Option<i64>,
}

impl From<Stored> for Row {
    fn from(stored: Stored) -> Self {
        let bytes = |text: Option<Text>| text.map(|Text(bytes)| bytes);
        Self {
            account: stored.account_id.0,
            id: stored.id,
            at_ms: stored.at_ms,
            what: stored.what.0,
            browser: bytes(stored.browser),
            system: bytes(stored.system),
            session: bytes(stored.session_id),
            evidence: bytes(stored.evidence),
            step_up: bytes(stored.step_up),
            hash: stored.hash,
            count: stored.activity_count,
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
        (Text, i64),
        |(Text(account), count)| take(account, count),
        "SELECT c.id, c.activity_count FROM accounts c
         WHERE c.activity_count <> 0 AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.account_id = c.id)",
    )
}

/// Every passkey by which somebody can, or could, sign in.
pub async fn passkeys(tx: &mut Tx, mut take: impl FnMut(PasskeyRow)) -> Result<(), sqlx::Error> {
    each!(
        tx,
        (Text, Text, Vec<u8>, Vec<u8>, bool),
        |(Text(account), Text(id), credential_id, public_key, enabled)| {
            take(PasskeyRow { account, id, credential_id, public_key, enabled });
        },
        "SELECT account_id, id, credential_id, public_key, disabled_at_ms IS NULL FROM passkeys
         ORDER BY account_id, id",
    )
}
