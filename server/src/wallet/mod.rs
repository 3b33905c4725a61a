//! A person's wallet: what is in it, and sending from it.

use crate::{
    access::{self, Session, SignedIn},
    app::App,
    audit,
    elevation::{self, Asker, Elevated, Perform},
    ledger::{self, Transfer},
    problem::{Refusal, Result},
    wire::label,
};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::Uri,
    routing::get,
};
use holdfast_protocol::{
    ids::WalletId,
    problem::Code,
    wallet::{Send, Sent, WalletView},
};
use serde::Deserialize;

pub fn routes() -> Router<App> {
    Router::new().route("/v1/wallet", get(view)).merge(elevation::routes::<Send>())
}

/// The query, as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedQuery {
    before: Option<i64>,
    limit: Option<u32>,
}

/// `GET /v1/wallet?before=&limit=`: the newest transfers first.
async fn view(State(app): State<App>, SignedIn(session): SignedIn, uri: Uri) -> Result<Json<WalletView>> {
    let Query(asked) = Query::<UncheckedQuery>::try_from_uri(&uri).map_err(|_| Code::InvalidRequest)?;
    let window = audit::window(asked.before, asked.limit)?;
    let id = own(&app, &session).await?;
    let mut tx = app.db.read().await?;
    let transfers = ledger::page(&mut tx, &id, window.before, window.limit + 1).await?;
    let (transfers, more) = window.cut(transfers);
    Ok(Json(WalletView { balance: ledger::balance(&mut tx, &id).await?, id, transfers, more }))
}

/// The wallet of who asks, opened at the first look.
async fn own(app: &App, session: &Session) -> Result<WalletId> {
    if let Some(id) = ledger::wallet_of(&mut app.db.look().await?, &session.account).await? {
        return Ok(id);
    }
    let mut tx = access::write_as(app, session).await?;
    let id = ledger::open(app, &mut tx, &session.account).await?;
    tx.commit(&app.live).await?;
    Ok(id)
}

impl Perform for Send {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        if let Some(note) = &self.note
            && label(note, "A note")? != *note
        {
            let detail = "A note begins and ends with something visible. Nothing was paid.";
            return Err(Refusal::with_detail(Code::InvalidRequest, detail));
        }
        transfer_of(self, by.now_ms).check()?;
        if ledger::wallet_of(by.tx, &by.session.account).await?.as_ref() != Some(&self.from) {
            return Err(ledger::no_such_wallet());
        }
        let name = ledger::owner(by.tx, &self.to).await?.ok_or_else(ledger::no_such_wallet)?;
        if name != self.to_name {
            return Err(Code::TargetChanged.into());
        }
        if ledger::balance(by.tx, &self.from).await? < self.amount {
            return Err(Code::InsufficientFunds.into());
        }
        Ok(())
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<Sent> {
        let Elevated { by, parameters, .. } = elevated;
        let transfer = ledger::transfer(by.app, by.tx, &transfer_of(parameters, by.now_ms)).await?;
        Ok(Sent { transfer, balance: ledger::balance(by.tx, &parameters.from).await? })
    }
}

fn transfer_of(send: &Send, at_ms: i64) -> Transfer<'_> {
    let Send { from, to, amount, note, .. } = send;
    Transfer { from, to, amount: *amount, note: note.as_deref(), at_ms }
}
