//! The wallet: money goes whole, once, and to whom its owner has read (G4).

mod ledger;
mod racing;
mod refusing;
mod sending;

use crate::support::{Answer, Owner, World, run};
use holdfast_protocol::{
    ids::WalletId,
    step_up::Request,
    wallet::{Send, Usd, WalletView},
};

fn usd(text: &str) -> Usd {
    Usd::parse(text).unwrap()
}

impl World {
    /// Somebody with so much in their wallet.
    async fn holder(&self, name: &str, amount: &str) -> Owner {
        let owner = self.owner(name).await;
        let wallet = owner.wallet().await.id;
        if usd(amount) > Usd::ZERO {
            holdfast_server::ledger::issue(&self.app, &wallet, usd(amount)).await.unwrap();
        }
        owner
    }

    /// What is in all wallets together, the house's too, in millionths.
    async fn sum(&self) -> i64 {
        self.total("change_micros").await
    }

    async fn total(&self, column: &'static str) -> i64 {
        let sql = format!("SELECT CAST(COALESCE(SUM({column}), 0) AS BIGINT) FROM ledger_entries");
        let sql = sqlx::AssertSqlSafe(sql);
        match &self.app.db {
            holdfast_server::db::Db::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            holdfast_server::db::Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    async fn rename(&self, owner: &Owner, name: &str) {
        let account = owner.browser.account.as_str();
        run!(self.app.db, "UPDATE accounts SET name = $1 WHERE id = $2", name, account);
    }
}

impl Owner {
    async fn wallet(&self) -> WalletView {
        self.browser.get("/v1/wallet").await.json()
    }

    async fn balance(&self) -> String {
        self.wallet().await.balance.to_string()
    }

    /// To be sent to somebody of this name.
    async fn to(&self, to: &Owner, name: &str, amount: &str) -> Send {
        let (from, to) = (self.wallet().await.id, to.wallet().await.id);
        Send { from, to, to_name: name.to_owned(), amount: usd(amount), note: None }
    }

    /// Confirms it and sends it.
    async fn send(&self, send: Send, key: &str) -> Answer {
        let request: Request<Send> = self.confirm(send).await;
        self.act(&request, key).await
    }
}

/// A key of its own for each number.
fn key(number: usize) -> String {
    format!("a-key-of-a-send-{number:04}")
}

/// The wallet that all money comes from.
fn house() -> WalletId {
    WalletId::parse("wal_0000-0000-0000-0000").unwrap()
}
