use super::{Asker, Perform, admit, note, store};
use crate::{
    access::{self, SignedIn},
    app::{App, stored},
    problem::Result,
    tokens, webauthn,
    wire::Json,
};
use axum::extract::State;
use holdfast_protocol::{
    base64url::Bytes,
    history::Activity,
    ids::CeremonyId,
    problem::Code,
    step_up::{Locale, Outcome, StepUpOptions, canonical_text, hash_of},
    tokens::{Claims, Purpose, StepUp},
};

/// `POST` an action's parameters at its path and `/stepup`: asks for the confirmation of exactly these.
pub(super) async fn preflight<A: Perform>(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(parameters): Json<A>,
) -> Result<axum::Json<StepUpOptions>> {
    let canonical = canonical_text(&parameters).ok_or(Code::InvalidRequest)?;
    let locale = Locale::En;
    let sentence = parameters.sentence(locale);
    let mut tx = access::write_as(&app, &session).await?;
    let now_ms = app.clock.unix_ms();
    let mut by = Asker { app: &app, tx: &mut tx, session: &session, now_ms };
    let admitted = match admit(&mut by, A::KIND).await {
        Ok(_) => parameters.check(&mut by).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = admitted {
        note(&mut tx, &session, A::KIND, Outcome::Denied, sentence, &refusal, now_ms).await?;
        tx.commit(&app.live).await?;
        return Err(refusal);
    }
    let ceremony = CeremonyId::make(app.entropy.make());
    let lives_ms = u64::try_from(app.config.lifetimes.ceremony.as_millis()).unwrap_or(u64::MAX);
    let issued_at_ms = app.clock.now().unix_ms;
    let step_up = StepUp {
        account: session.account.clone(),
        session: session.id.clone(),
        jkt: session.jkt.clone(),
        action: A::KIND,
        target: parameters.target(),
        parameters: hash_of(&canonical),
        locale,
        sentence: sentence.clone(),
    };
    let claims = Claims {
        purpose: Purpose::StepUp(Box::new(step_up)),
        nonce: Bytes(app.entropy.make::<32>().to_vec()),
        ceremony: ceremony.clone(),
        origin: app.config.origin.clone(),
        rp_id: app.config.rp_id.clone(),
        issued_at_ms,
        expires_at_ms: issued_at_ms.saturating_add(lives_ms),
    };
    let token = tokens::sign(&app.config.keys, &claims).map_err(|why| access::refuse(Code::Internal, why))?;
    let asked = store::Asked {
        token_hash: stored(&token),
        expires_at_ms: i64::try_from(claims.expires_at_ms).unwrap_or(i64::MAX),
    };
    store::insert(&mut tx, &ceremony, &session.id, &asked).await?;
    let credentials = webauthn::store::enabled(&mut tx, &session.account).await?;
    let what = Activity::StepUp { action: A::KIND, outcome: Outcome::Asked, sentence, code: None };
    Asker { app: &app, tx: &mut tx, session: &session, now_ms }.record(what).await?;
    tx.commit(&app.live).await?;
    let timeout_ms = u32::try_from(lives_ms).unwrap_or(u32::MAX);
    let public_key = webauthn::confirmation_options(&app, &token, timeout_ms, credentials);
    Ok(axum::Json(StepUpOptions { ceremony, token, public_key }))
}
