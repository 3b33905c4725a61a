use super::{Asker, required, store, trace::Done, trace::Trace};
use crate::{
    access::refuse,
    app::stored,
    problem::{Refusal, Result},
    secrets::same,
    tokens, webauthn,
};
use holdfast_protocol::{
    base64url::Bytes,
    ids::{CeremonyId, PasskeyId},
    passkeys::AssertionResponse,
    problem::{Code, StepUpReason},
    step_up::{Action, Confirmation, Evidence, Outcome, hash_of},
    tokens::{Claims, Purpose, challenge_of},
};
use holdfast_relying_party::{CounterSignal, Owner};

/// Its owner has confirmed it, or the operator wants no confirmation. Made here alone.
pub(crate) struct Confirmed(Done);

impl Confirmed {
    /// What there is to record, once it is carried out.
    pub(super) fn done(self) -> Done {
        self.0
    }
}

/// Believes a confirmation of exactly this action, and spends it.
pub(super) async fn confirm<A: Action>(
    by: &mut Asker<'_>,
    action: &A,
    confirmation: Option<Confirmation>,
    held_since_ms: Option<i64>,
    trace: &mut Trace,
) -> Result<Confirmed> {
    // In a hold the operator's word is not enough: what the account does then is told by how old its passkey is.
    if held_since_ms.is_none() && by.app.config.step_up_off.contains(&A::KIND) {
        return Ok(Confirmed(Done { outcome: Outcome::Unguarded, evidence: None }));
    }
    let missing = || required(A::KIND, StepUpReason::Token);
    let Confirmation { ceremony, token, credential } = confirmation.ok_or_else(missing)?;
    trace.outcome = Outcome::Failed;
    let claims =
        tokens::verify(&by.app.config.keys, &token).map_err(|why| refuse(Code::TokenInvalid, why))?;
    trace.spends = Some(claims.ceremony.clone());
    require_for(by, action, &trace.canonical, &ceremony, &claims)?;
    tokens::require_in_time(&claims, by.now_ms).map_err(|why| {
        tracing::info!(%why, "refused");
        missing()
    })?;
    let asked = store::take(by.tx, &ceremony, &by.session.id).await?;
    if !asked.is_some_and(|asked| same(&asked.token_hash, &stored(&token))) {
        // The token is genuine and not expired: it was used, or a server has started since.
        trace.outcome = Outcome::Replayed;
        return Err(missing());
    }
    let credential_id = use_passkey(by, &token, &credential, action.passkey(), held_since_ms, trace).await?;
    let evidence = Evidence::StepUp {
        parameters: trace.canonical.clone(),
        token,
        credential_id,
        client_data_json: credential.client_data_json,
        authenticator_data: credential.authenticator_data,
        signature: credential.signature,
    };
    Ok(Confirmed(Done { outcome: Outcome::Confirmed, evidence: Some(evidence) }))
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
    credential: &AssertionResponse,
    only: Option<&PasskeyId>,
    held_since_ms: Option<i64>,
    trace: &mut Trace,
) -> Result<Bytes> {
    let mismatch = |why: &str| refuse(Code::StepUpMismatch, why);
    webauthn::store::hold_all(by.tx, &by.session.account).await?;
    let passkey = webauthn::store::find(by.tx, &credential.id.0).await?;
    let passkey = passkey.ok_or_else(|| mismatch("no such credential"))?;
    if passkey.account()? != by.session.account {
        return Err(mismatch("another account's passkey"));
    }
    if only.is_some_and(|only| passkey.id().ok().as_ref() != Some(only)) {
        return Err(mismatch("another passkey than the one that it is about"));
    }
    if passkey.disabled_at_ms.is_some() {
        return Err(mismatch("a disabled passkey"));
    }
    if held_since_ms.is_some_and(|held_since_ms| passkey.created_at_ms >= held_since_ms) {
        return Err(mismatch("a passkey that is younger than the hold"));
    }
    // An authenticator that was told which passkeys it may use need not say whose they are.
    let owner = Owner::KnownBefore(&passkey.user_handle);
    let used = webauthn::verify_use(by.app, &challenge_of(token), credential, &passkey, owner)?;
    let id = Bytes(passkey.credential_id.clone());
    webauthn::store::note_use(by.tx, &passkey, &used, by.now_ms).await?;
    if used.counter == CounterSignal::WentBackwards {
        trace.suspect = Some(passkey);
        if by.app.config.refuse_counter_rollback {
            // Not that code itself: its status would tell the browser that it is signed out.
            let detail = Code::CounterRollback.words().detail;
            return Err(Refusal::with_detail(Code::StepUpMismatch, detail));
        }
    }
    Ok(id)
}
