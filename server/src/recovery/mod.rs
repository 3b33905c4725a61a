//! Recovery codes: the server has verifiers only, and of these only hashes.

mod rules;
mod store;

use crate::{
    access::{self, SignedIn},
    app::App,
    audit::{self, Event},
    elevation::{self, Asker, Elevated, Perform},
    me,
    problem::Result,
    wire::Json,
};
use axum::{Router, extract::State, routing::post};
use holdfast_protocol::{
    history::Activity,
    problem::Code,
    recovery::{RecoveryCodesRequest, RecoveryCodesView, Regeneration},
};

pub fn routes() -> Router<App> {
    Router::new().route("/v1/recovery-codes", post(put_in_force)).merge(elevation::routes::<Regeneration>())
}

/// `POST /v1/recovery-codes`: the first list of an account.
async fn put_in_force(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(request): Json<RecoveryCodesRequest>,
) -> Result<axum::Json<RecoveryCodesView>> {
    let hashes = rules::hashes(&request.verifiers)?;
    let now_ms = app.clock.unix_ms();
    let mut tx = access::write_as(&app, &session).await?;
    if !store::insert_list(&mut tx, &session.account, &hashes, now_ms).await? {
        return Err(Code::RecoveryCodesExist.into());
    }
    let event = Event {
        account: &session.account,
        what: Activity::RecoveryCodesCreated,
        device: Some(&session.device),
        session: Some(&session.id),
        at_ms: now_ms,
    };
    audit::record(&mut tx, event).await?;
    let view = me::recovery_codes(&mut tx, &session.account).await?.ok_or(Code::Internal)?;
    tx.commit(&app.live).await?;
    Ok(axum::Json(view))
}

impl Perform for Regeneration {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        rules::hashes(&self.verifiers)?;
        if self.account != by.session.account {
            return Err(Code::NotFound.into());
        }
        if me::email(by.tx, &self.account).await?.as_deref() != Some(self.email.as_str()) {
            return Err(Code::TargetChanged.into());
        }
        Ok(())
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<RecoveryCodesView> {
        let Elevated { by, parameters, .. } = elevated;
        let hashes = rules::hashes(&parameters.verifiers)?;
        let account = &by.session.account;
        store::remove_list(by.tx, account).await?;
        if !store::insert_list(by.tx, account, &hashes, by.now_ms).await? {
            return Err(Code::Unavailable.into());
        }
        by.record(Activity::RecoveryCodesReplaced).await?;
        Ok(me::recovery_codes(by.tx, account).await?.ok_or(Code::Internal)?)
    }
}
