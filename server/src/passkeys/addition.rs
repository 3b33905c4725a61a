//! A further passkey: its options are an action, and its registration a ceremony of the session that was given
//! them.

use super::{rules, store};
use crate::{
    access::{self, SignedIn},
    app::App,
    ceremony,
    elevation::{Asker, Elevated, Perform},
    me,
    problem::Result,
    readiness,
    webauthn::{self, Enrolment, NewUser},
    wire::Json,
};
use axum::{extract::State, http::HeaderMap};
use holdfast_protocol::{
    passkeys::{Addition, AdditionVerifyRequest, PasskeyView, RegistrationOptions},
    problem::Code,
    step_up::Action,
    tokens::Purpose,
};

/// More than anybody has devices; the lists of them stay small enough for every authenticator.
const MOST_PASSKEYS: i64 = 64;

impl Perform for Addition {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        if self.account != by.session.account {
            return Err(Code::NotFound.into());
        }
        if me::email(by.tx, &self.account).await?.as_deref() != Some(self.email.as_str()) {
            return Err(Code::TargetChanged.into());
        }
        require_room(store::count_enabled(by.tx, &self.account).await?)
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<RegistrationOptions> {
        let Asker { app, tx, session, .. } = &mut elevated.by;
        let purpose = Purpose::Registration { account: session.account.clone(), jkt: session.jkt.clone() };
        let begun = ceremony::begin_as(app, tx, session, purpose).await?;
        let account = me::account(tx, &session.account).await?.ok_or(Code::SignedOut)?;
        let user = NewUser {
            handle: &account.user_handle,
            name: &account.email,
            display_name: &account.name,
            known: webauthn::store::enabled(tx, &session.account).await?,
        };
        Ok(webauthn::registration_options(app, &begun, user))
    }
}

/// `POST /v1/passkey/register/verify`.
pub(super) async fn verify(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    Json(request): Json<AdditionVerifyRequest>,
) -> Result<axum::Json<PasskeyView>> {
    let is_for = |purpose: &Purpose| matches!(purpose, Purpose::Registration { account, .. } if *account == session.account);
    let spent = ceremony::spend_as(&app, &session, &request.ceremony, &request.token, is_for).await?;
    let credential = webauthn::verify_new(&app, &spent.challenge, &request.credential)?;
    let now_ms = app.clock.unix_ms();

    let mut tx = access::write_as(&app, &session).await?;
    // What began the hold may have come after what was confirmed.
    let facts = readiness::facts(&mut tx, &session.account).await?;
    readiness::admit(&facts, Addition::KIND.power(), now_ms)?;
    require_room(facts.passkeys)?;
    let device = access::device(&headers);
    let new = Enrolment {
        account: &session.account,
        credential: &credential,
        transports: &request.credential.transports,
        device: &device,
        session: Some(&session.id),
        now_ms,
    };
    let enrolled = webauthn::enrol(&app, &mut tx, &new).await?;
    let row = store::find(&mut tx, &session.account, &enrolled.id).await?.ok_or(Code::Internal)?;
    let view = rules::view(row, &session.passkey, now_ms, app.config.lifetimes.cooldown)?;
    tx.commit(&app.live).await?;
    Ok(axum::Json(view))
}

fn require_room(passkeys: i64) -> Result<()> {
    if passkeys < MOST_PASSKEYS { Ok(()) } else { Err(Code::TooManyPasskeys.into()) }
}
