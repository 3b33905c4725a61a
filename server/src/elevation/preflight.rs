use super::{Asker, Attempt, Perform, admit, store, trace::Done, trace::Trace};
use crate::{
    access::{self, SignedIn},
    app::{App, stored},
    names,
    problem::Result,
    tokens,
    webauthn::{self, store::Known},
    wire::Json,
};
use axum::extract::State;
use holdfast_protocol::{
    base64url::Bytes,
    ids::CeremonyId,
    problem::Code,
    step_up::{Locale, Outcome, StepUpOptions, hash_of},
    tokens::{Claims, Purpose, StepUp},
};
use std::collections::BTreeSet;

/// `POST` an action's parameters at its path and `/stepup`: asks for the confirmation of exactly these.
pub(super) async fn preflight<A: Perform>(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(parameters): Json<A>,
) -> Result<axum::Json<StepUpOptions>> {
    // Each leaves an event, and a row for as long as it lives.
    app.limits.options.check(&app.config.keys.mac("limits/step-up", session.id.as_str().as_bytes()))?;
    let trace = Trace::of(&parameters)?;
    let mut tx = access::write_as(&app, &session).await?;
    store::set_out(&mut tx).await?;
    let attempt = Attempt { app: &app, session: &session, now_ms: app.clock.unix_ms() };
    let options = ask(attempt.in_transaction(&mut tx), &parameters, &trace).await;
    let asked = options.map(|options| (options, Done { outcome: Outcome::Asked, evidence: None }));
    Ok(axum::Json(trace.conclude(attempt, tx, asked).await?))
}

async fn ask<A: Perform>(mut by: Asker<'_>, parameters: &A, trace: &Trace) -> Result<StepUpOptions> {
    let held_since_ms = admit(&mut by, A::KIND).await?;
    parameters.check(&mut by).await?;
    let (config, session) = (&by.app.config, by.session);
    let ceremony = CeremonyId::make(by.app.entropy.make());
    let lives_ms = u64::try_from(config.lifetimes.ceremony.as_millis()).unwrap_or(u64::MAX);
    let issued_at_ms = u64::try_from(by.now_ms).unwrap_or_default();
    let step_up = StepUp {
        account: session.account.clone(),
        session: session.id.clone(),
        jkt: session.jkt.clone(),
        action: A::KIND,
        target: parameters.target(),
        parameters: hash_of(&trace.canonical),
        locale: Locale::En,
        sentence: trace.sentence.clone(),
    };
    let claims = Claims {
        purpose: Purpose::StepUp(Box::new(step_up)),
        nonce: Bytes(by.app.entropy.make::<32>().to_vec()),
        ceremony: ceremony.clone(),
        origin: config.origin.clone(),
        rp_id: config.rp_id.clone(),
        issued_at_ms,
        expires_at_ms: issued_at_ms.saturating_add(lives_ms),
    };
    let token = tokens::sign(&config.keys, &claims).map_err(|why| access::refuse(Code::Internal, why))?;
    let asked = store::Asked {
        token_hash: stored(&token),
        expires_at_ms: i64::try_from(claims.expires_at_ms).unwrap_or(i64::MAX),
    };
    store::insert(by.tx, &ceremony, &session.id, &asked).await?;
    let mut known = match held_since_ms {
        None => webauthn::store::enabled(by.tx, &session.account).await?,
        Some(since_ms) => webauthn::store::enabled_before(by.tx, &session.account, since_ms).await?,
    };
    known.retain(|known| parameters.passkey().is_none_or(|only| known.id == only.as_str()));
    let claiming_providers = claiming_providers(&known);
    let timeout_ms = u32::try_from(lives_ms).unwrap_or(u32::MAX);
    let public_key = webauthn::confirmation_options(by.app, &token, timeout_ms, known);
    Ok(StepUpOptions { ceremony, token, public_key, claiming_providers })
}

/// Of passkeys that all claim to have verified the person: whose they are, each once.
fn claiming_providers(known: &[Known]) -> Vec<String> {
    let claiming = known.iter().map(|known| names::claiming_provider(&known.aaguid).map(str::to_owned));
    let providers = claiming.collect::<Option<BTreeSet<_>>>().unwrap_or_default();
    providers.into_iter().collect()
}
