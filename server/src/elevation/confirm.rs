use super::{Asker, Failure, required, store};
use crate::{
    access::refuse,
    app::stored,
    audit,
    problem::{Refusal, Result},
    secrets::same,
    tokens, webauthn,
};
use holdfast_protocol::{
    base64url::Bytes,
    history::Activity,
    ids::CeremonyId,
    problem::{Code, StepUpReason},
    step_up::{Action, Confirmation, Evidence, Locale, Outcome, hash_of},
    tokens::{Claims, Purpose, challenge_of},
};
use holdfast_relying_party::CounterSignal;

/// Its owner has confirmed it, or the operator wants no confirmation. Made here alone.
pub(crate) struct Confirmed(());

/// Believes a confirmation of exactly this action, spends it, and keeps it with its event.
pub(super) async fn confirm<A: Action>(
    by: &mut Asker<'_>,
    action: &A,
    canonical: &str,
    confirmation: Option<Confirmation>,
    held_since_ms: Option<i64>,
) -> Result<Confirmed, Failure> {
    let sentence = action.sentence(Locale::En);
    if by.app.config.step_up_off.contains(&A::KIND) {
        let what = Activity::StepUp { action: A::KIND, outcome: Outcome::Unguarded, sentence, code: None };
        by.record(what).await.map_err(Failure::denied)?;
        return Ok(Confirmed(()));
    }
    let Some(Confirmation { ceremony, token, credential }) = confirmation else {
        return Err(Failure::denied(required(A::KIND, StepUpReason::Token)));
    };
    let failed =
        |refusal: Refusal| Failure { outcome: Outcome::Failed, refusal, spends: Some(ceremony.clone()) };
    let claims =
        tokens::verify(&by.app.config.keys, &token).map_err(|why| failed(refuse(Code::TokenInvalid, why)))?;
    require_for(by, action, canonical, &ceremony, &claims).map_err(failed)?;
    if i64::try_from(claims.expires_at_ms).is_ok_and(|expires_at_ms| expires_at_ms <= by.now_ms) {
        return Err(failed(required(A::KIND, StepUpReason::Token)));
    }
    let asked = store::take(by.tx, &ceremony, &by.session.id).await.map_err(|error| failed(error.into()))?;
    if !asked.is_some_and(|asked| same(&asked.token_hash, &stored(&token))) {
        // The token is genuine and not expired: it was used, or the server has started anew since.
        let refusal = required(A::KIND, StepUpReason::Token);
        return Err(Failure { outcome: Outcome::Replayed, refusal, spends: None });
    }

    let used = use_passkey(by, &token, &credential, held_since_ms).await.map_err(failed)?;
    let evidence = Evidence::StepUp {
        parameters: canonical.to_owned(),
        token,
        credential_id: Bytes(used),
        client_data_json: credential.client_data_json,
        authenticator_data: credential.authenticator_data,
        signature: credential.signature,
    };
    let what = Activity::StepUp { action: A::KIND, outcome: Outcome::Confirmed, sentence, code: None };
    let event = super::event(by.session, what, by.now_ms);
    let kept = audit::record_with(by.tx, event, &evidence).await;
    kept.map_err(|error| Failure { outcome: Outcome::Failed, refusal: error.into(), spends: None })?;
    Ok(Confirmed(()))
}

/// The token was made for this very action of this very session.
fn require_for<A: Action>(
    by: &Asker<'_>,
    action: &A,
    canonical: &str,
    ceremony: &CeremonyId,
    claims: &Claims,
) -> Result<()> {
    let Purpose::StepUp(named) = &claims.purpose else {
        return Err(refuse(Code::TokenInvalid, "made for something else than a step-up"));
    };
    let (session, config) = (by.session, &by.app.config);
    let fits = [
        ("account", named.account == session.account),
        ("session", named.session == session.id),
        ("key", named.jkt == session.jkt),
        ("action", named.action == A::KIND),
        ("target", named.target == action.target()),
        ("parameters", named.parameters == hash_of(canonical)),
        ("sentence", named.sentence == action.sentence(named.locale)),
        ("ceremony", claims.ceremony == *ceremony),
        ("origin", claims.origin == config.origin),
        ("relying party", claims.rp_id == config.rp_id),
    ];
    match fits.iter().find(|(_, fits)| !fits) {
        None => Ok(()),
        Some((other, _)) => Err(refuse(Code::StepUpMismatch, format_args!("made for another {other}"))),
    }
}

/// Verifies the assertion with a passkey of this account, and gives its credential id.
async fn use_passkey(
    by: &mut Asker<'_>,
    token: &str,
    credential: &holdfast_protocol::passkeys::AssertionResponse,
    held_since_ms: Option<i64>,
) -> Result<Vec<u8>> {
    let passkey = webauthn::store::find(by.tx, &credential.id.0).await?;
    let passkey = passkey.ok_or_else(|| refuse(Code::StepUpMismatch, "no such credential"))?;
    if passkey.account()? != by.session.account {
        return Err(refuse(Code::StepUpMismatch, "another account's passkey"));
    }
    if passkey.disabled_at_ms.is_some() {
        return Err(refuse(Code::StepUpMismatch, "a disabled passkey"));
    }
    if held_since_ms.is_some_and(|held_since_ms| passkey.created_at_ms >= held_since_ms) {
        return Err(refuse(Code::StepUpMismatch, "a passkey that is younger than the hold"));
    }
    let used = webauthn::verify_use(by.app, &challenge_of(token), credential, &passkey)?;
    if used.counter == CounterSignal::WentBackwards {
        webauthn::store::suspect(by.tx, &passkey, by.now_ms).await?;
        let suspect = Activity::PasskeySuspect { passkey: passkey.id()?, name: passkey.name.clone() };
        by.record(suspect).await?;
        if by.app.config.refuse_counter_rollback {
            return Err(Code::StepUpMismatch.into());
        }
    }
    webauthn::store::note_use(by.tx, &passkey, &used, by.now_ms).await?;
    Ok(passkey.credential_id)
}
