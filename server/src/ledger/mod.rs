//! Money: wallets, and transfers between them. All of it comes from the house, whose wallet owes what is in
//! the others: the sum over all is 0. The database holds that by itself (`migrations/0006_ledger.sql`).

mod store;

pub(crate) use store::{balance, open, owner, page, wallet_of};

use crate::{
    app::App,
    db::Tx,
    problem::{Refusal, Result},
};
use holdfast_protocol::{
    ids::{TransferId, WalletId},
    problem::Code,
    wallet::Usd,
};

/// Money that is to go from one wallet to another.
pub(crate) struct Transfer<'a> {
    pub from: &'a WalletId,
    pub to: &'a WalletId,
    pub amount: Usd,
    /// For both sides to read.
    pub note: Option<&'a str>,
    pub at_ms: i64,
}

impl Transfer<'_> {
    /// Refuses what is no transfer, whatever is in the wallets.
    pub fn check(&self) -> Result<()> {
        let refused = |detail: &str| Err(Refusal::with_detail(Code::InvalidRequest, detail));
        if self.amount == Usd::ZERO {
            return refused("An amount must be more than 0.00. Nothing was paid.");
        }
        if self.from == self.to {
            return refused("A wallet cannot pay itself. Nothing was paid.");
        }
        Ok(())
    }
}

/// Moves money, in the transaction of what it is paid for. Both wallets are held until that ends: record its
/// events after, so that all take their locks in one order.
pub(crate) async fn transfer(app: &App, tx: &mut Tx, what: &Transfer<'_>) -> Result<TransferId> {
    what.check()?;
    // Of two opposite transfers one waits for the other, and not each.
    let mut both = [what.from, what.to];
    both.sort_unstable();
    for wallet in both {
        if !store::hold(tx, wallet).await? {
            return Err(no_such_wallet());
        }
    }
    let (payer, payee) = (store::newest(tx, what.from).await?, store::newest(tx, what.to).await?);
    let owes_at_most = if *what.from == house() { Usd::MAX } else { Usd::ZERO };
    if payer.after_micros - what.amount.micros() < -owes_at_most.micros() {
        return Err(Code::InsufficientFunds.into());
    }
    let id = TransferId::make(app.entropy.make());
    store::insert(tx, &id, what, &payer, &payee).await?;
    Ok(id)
}

/// Brings money into being, for `holdfast wallet issue`.
pub async fn issue(app: &App, to: &WalletId, amount: Usd) -> Result<()> {
    let mut tx = app.db.write().await?;
    let at_ms = app.clock.unix_ms();
    transfer(app, &mut tx, &Transfer { from: &house(), to, amount, note: None, at_ms }).await?;
    Ok(tx.commit(&app.live).await?)
}

/// What whoever names a wallet that there is not is told.
pub(crate) fn no_such_wallet() -> Refusal {
    Refusal::with_detail(
        Code::NotFound,
        "There is no such wallet. Ask its owner for its id. Nothing was paid.",
    )
}

/// The wallet that all money comes from.
fn house() -> WalletId {
    WalletId::make([0; 16])
}
