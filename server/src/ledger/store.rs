use super::Transfer;
use crate::{
    app::App,
    db::{Tx, execute, row, rows},
    me::wire_ms,
};
use holdfast_protocol::{
    ids::{AccountId, TransferId, WalletId},
    wallet::{Direction, Party, TransferView, Usd},
};

fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// The wallet of an account; `None`: it has never been looked at.
pub(crate) async fn wallet_of(tx: &mut Tx, account: &AccountId) -> Result<Option<WalletId>, sqlx::Error> {
    let found: Option<(String,)> =
        row!(tx, (String,), "SELECT id FROM wallets WHERE account_id = $1", account.as_str())?;
    found.map(|(id,)| WalletId::parse(&id).map_err(corrupt)).transpose()
}

/// The wallet of an account, opened if it has none.
pub(crate) async fn open(app: &App, tx: &mut Tx, account: &AccountId) -> Result<WalletId, sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO wallets (id, account_id, created_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (account_id) DO NOTHING",
        WalletId::make(app.entropy.make()).as_str(),
        account.as_str(),
        app.clock.unix_ms(),
    )?;
    wallet_of(tx, account).await?.ok_or(sqlx::Error::RowNotFound)
}

/// The name of the account that a wallet belongs to; `None`: it is nobody's, or there is no such wallet.
pub(crate) async fn owner(tx: &mut Tx, wallet: &WalletId) -> Result<Option<String>, sqlx::Error> {
    let found: Option<(String,)> = row!(
        tx,
        (String,),
        "SELECT a.name FROM wallets w JOIN accounts a ON a.id = w.account_id WHERE w.id = $1",
        wallet.as_str(),
    )?;
    Ok(found.map(|(name,)| name))
}

/// What is in somebody's wallet.
pub(crate) async fn balance(tx: &mut Tx, wallet: &WalletId) -> Result<Usd, sqlx::Error> {
    Usd::from_micros(newest(tx, wallet).await?.after_micros).map_err(corrupt)
}

/// The newest entry of a wallet.
#[derive(sqlx::FromRow, Default)]
pub(super) struct Newest {
    /// 0: there is none.
    pub number: i64,
    pub after_micros: i64,
}

pub(super) async fn newest(tx: &mut Tx, wallet: &WalletId) -> Result<Newest, sqlx::Error> {
    let found: Option<Newest> = row!(
        tx,
        Newest,
        "SELECT number, after_micros FROM ledger_entries WHERE wallet_id = $1 ORDER BY number DESC LIMIT 1",
        wallet.as_str(),
    )?;
    Ok(found.unwrap_or_default())
}

/// Whoever wants to change the same wallet waits until the transaction ends. False: there is none.
pub(super) async fn hold(tx: &mut Tx, wallet: &WalletId) -> Result<bool, sqlx::Error> {
    let held =
        execute!(tx, "UPDATE wallets SET created_at_ms = created_at_ms WHERE id = $1", wallet.as_str())?;
    Ok(held == 1)
}

/// Both entries at once: neither is valid without the other.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &TransferId,
    what: &Transfer<'_>,
    payer: &Newest,
    payee: &Newest,
) -> Result<(), sqlx::Error> {
    execute!(
        tx,
        "INSERT INTO transfers (id, note, at_ms) VALUES ($1, $2, $3)",
        id.as_str(),
        what.note,
        what.at_ms,
    )?;
    execute!(
        tx,
        "INSERT INTO ledger_entries (transfer_id, side, change_micros, counter_micros, wallet_id,
                                     previous, number, before_micros, after_micros)
         VALUES ($1, 1, -$2, $2, $3, NULLIF($4, 0), $4 + 1, $5, $5 - $2),
                ($1, 2, $2, -$2, $6, NULLIF($7, 0), $7 + 1, $8, $8 + $2)",
        id.as_str(),
        what.amount.micros(),
        what.from.as_str(),
        payer.number,
        payer.after_micros,
        what.to.as_str(),
        payee.number,
        payee.after_micros,
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    transfer_id: String,
    number: i64,
    at_ms: i64,
    change_micros: i64,
    after_micros: i64,
    other_id: String,
    other_name: Option<String>,
    note: Option<String>,
}

impl Row {
    fn read(self) -> Result<TransferView, sqlx::Error> {
        let direction = if self.change_micros < 0 { Direction::Sent } else { Direction::Received };
        let wallet = WalletId::parse(&self.other_id).map_err(corrupt)?;
        Ok(TransferView {
            id: TransferId::parse(&self.transfer_id).map_err(corrupt)?,
            number: self.number,
            at_ms: wire_ms(self.at_ms),
            direction,
            amount: Usd::from_micros(self.change_micros.saturating_abs()).map_err(corrupt)?,
            balance: Usd::from_micros(self.after_micros).map_err(corrupt)?,
            other: self.other_name.map(|name| Party { wallet, name }),
            note: self.note,
        })
    }
}

/// Transfers of somebody's wallet with a lower number than `before`, the newest first.
pub(crate) async fn page(
    tx: &mut Tx,
    wallet: &WalletId,
    before: i64,
    limit: u32,
) -> Result<Vec<TransferView>, sqlx::Error> {
    let found = rows!(
        tx,
        Row,
        "SELECT e.transfer_id, e.number, t.at_ms, e.change_micros, e.after_micros, o.wallet_id AS other_id,
                a.name AS other_name, t.note
         FROM ledger_entries e
         JOIN transfers t ON t.id = e.transfer_id
         JOIN ledger_entries o ON o.transfer_id = e.transfer_id AND o.change_micros = e.counter_micros
         JOIN wallets w ON w.id = o.wallet_id
         LEFT JOIN accounts a ON a.id = w.account_id
         WHERE e.wallet_id = $1 AND e.number < $2 ORDER BY e.number DESC LIMIT $3",
        wallet.as_str(),
        before,
        i64::from(limit),
    )?;
    found.into_iter().map(Row::read).collect()
}
