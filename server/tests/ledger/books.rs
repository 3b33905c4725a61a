//! Looks into the database itself: at every moment the books agree.

use holdfast_protocol::{
    ids::{TransferId, WalletId},
    wallet::Usd,
};
use holdfast_server::db::Db;
use std::collections::BTreeMap;

/// A send as its sender had it acknowledged, or as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub id: TransferId,
    pub from: WalletId,
    pub to: WalletId,
    pub amount: Usd,
}

macro_rules! all {
    ($db:expr, $row:ty, $sql:expr) => {
        match $db {
            Db::Sqlite(pool) => sqlx::query_as::<_, $row>($sql).fetch_all(pool).await.unwrap(),
            Db::Postgres(pool) => sqlx::query_as::<_, $row>($sql).fetch_all(pool).await.unwrap(),
        }
    };
}

/// Each of these counts something that there must be none of.
const WRONG: [(&str, &str); 6] = [
    (
        "the sum over all wallets is not 0",
        "SELECT CAST(COALESCE(SUM(after_micros), 0) AS BIGINT) FROM ledger_entries e
         WHERE number = (SELECT MAX(number) FROM ledger_entries m WHERE m.wallet_id = e.wallet_id)",
    ),
    (
        "a balance is not the sum of its wallet's transfers",
        "SELECT COUNT(*) FROM
            (SELECT wallet_id, SUM(change_micros) AS changes, COUNT(*) AS entries
             FROM ledger_entries GROUP BY wallet_id) w
         JOIN ledger_entries e ON e.wallet_id = w.wallet_id AND e.number = w.entries
         WHERE e.after_micros <> w.changes",
    ),
    (
        "an entry is missing in a wallet",
        "SELECT COUNT(*) FROM
            (SELECT wallet_id FROM ledger_entries GROUP BY wallet_id HAVING MAX(number) <> COUNT(*)) w",
    ),
    (
        "a transfer does not have two entries",
        "SELECT COUNT(*) FROM transfers t
         WHERE (SELECT COUNT(*) FROM ledger_entries e WHERE e.transfer_id = t.id) <> 2",
    ),
    (
        "something was sent twice under one key",
        "SELECT COUNT(*) FROM
            (SELECT note FROM transfers WHERE note IS NOT NULL GROUP BY note HAVING COUNT(*) > 1) t",
    ),
    (
        "something was sent that nobody had confirmed, or was confirmed, carried out and not sent",
        "SELECT (SELECT COUNT(*) FROM transfers WHERE note IS NOT NULL)
              - (SELECT COUNT(*) FROM activity WHERE evidence LIKE '%wal_%' AND what LIKE '%\"confirmed\"%')",
    ),
];

/// All that is wrong.
pub async fn wrong(db: &Db) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (what, sql) in WRONG {
        if all!(db, (i64,), sql) != [(0,)] {
            found.push(what);
        }
    }
    found
}

/// Every send, by its note.
pub async fn sends(db: &Db) -> BTreeMap<String, Done> {
    let rows = all!(
        db,
        (String, String, String, String, i64),
        "SELECT t.note, t.id, payer.wallet_id, payee.wallet_id, payee.change_micros FROM transfers t
         JOIN ledger_entries payer ON payer.transfer_id = t.id AND payer.change_micros < 0
         JOIN ledger_entries payee ON payee.transfer_id = t.id AND payee.change_micros > 0
         WHERE t.note IS NOT NULL"
    );
    let done = |(note, id, from, to, micros): (String, String, String, String, i64)| {
        let id = TransferId::parse(&id).unwrap();
        let [from, to] = [from, to].map(|id| WalletId::parse(&id).unwrap());
        (note, Done { id, from, to, amount: Usd::from_micros(micros).unwrap() })
    };
    rows.into_iter().map(done).collect()
}
