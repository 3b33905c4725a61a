use crate::db::{Tx, row, rows};
use holdfast_protocol::{account::Role, ids::AccountId, recovery::RecoveryCodesView};

/// An account.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub id: String,
    pub user_handle: Vec<u8>,
    pub name: String,
    pub email: String,
    pub role: String,
    pub created_at_ms: i64,
}

impl Row {
    pub fn role(&self) -> Role {
        if self.role == "admin" { Role::Admin } else { Role::Member }
    }
}

pub(crate) async fn account(tx: &mut Tx, id: &AccountId) -> Result<Option<Row>, sqlx::Error> {
    row!(
        tx,
        Row,
        "SELECT id, user_handle, name, email, role, created_at_ms FROM accounts WHERE id = $1",
        id.as_str()
    )
}

/// Complete, or the authenticator deletes the rest.
pub(super) async fn accepted_credentials(tx: &mut Tx, id: &AccountId) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    let found: Vec<(Vec<u8>,)> = rows!(
        tx,
        (Vec<u8>,),
        "SELECT credential_id FROM passkeys WHERE account_id = $1 AND disabled_at_ms IS NULL
         ORDER BY created_at_ms, id",
        id.as_str(),
    )?;
    Ok(found.into_iter().map(|(credential_id,)| credential_id).collect())
}

/// What an account may do; `None`: there is no such account.
pub(crate) async fn role(tx: &mut Tx, id: &AccountId) -> Result<Option<Role>, sqlx::Error> {
    Ok(account(tx, id).await?.map(|row| row.role()))
}

/// The address of an account.
pub(crate) async fn email(tx: &mut Tx, id: &AccountId) -> Result<Option<String>, sqlx::Error> {
    Ok(account(tx, id).await?.map(|row| row.email))
}

/// How the list of recovery codes in force stands.
pub(crate) async fn recovery_codes(
    tx: &mut Tx,
    account: &AccountId,
) -> Result<Option<RecoveryCodesView>, sqlx::Error> {
    let found: Option<(i64, i64, i64)> = row!(
        tx,
        (i64, i64, i64),
        "SELECT l.total, l.created_at_ms,
                (SELECT COUNT(*) FROM recovery_codes c
                 WHERE c.account_id = l.account_id AND c.used_at_ms IS NULL)
         FROM recovery_code_lists l WHERE l.account_id = $1",
        account.as_str(),
    )?;
    Ok(found.map(|(total, created_at_ms, left)| RecoveryCodesView {
        left: u32::try_from(left).unwrap_or_default(),
        total: u32::try_from(total).unwrap_or_default(),
        created_at_ms: super::wire_ms(created_at_ms),
    }))
}
