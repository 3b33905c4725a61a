//! RFC 9449 on the server: signature, key, nonce, replay, in this order.

use super::{
    refuse,
    store::{self, Seen, Session},
};
use crate::{
    app::App,
    audit::{self, Event},
    clock::SKEW_MS,
    mail::{self, Notice},
    problem::{Refusal, Result},
    secrets::{p256_verifies, sha256},
    wire::single,
};
use axum::http::request::Parts;
use holdfast_protocol::{
    base64url,
    dpop::{ProofError, PublicKey, SignedProof, UnverifiedProof},
    history::{Activity, Device, TheftSign},
    ids::Thumbprint,
    problem::Code,
};

/// How long a nonce is taken.
const NONCE_LIVES_MS: u64 = 300_000;
const PURPOSE: &str = "dpop/nonce";

/// A nonce needs no storage: its time, and a MAC over it.
pub fn make_nonce(app: &App) -> String {
    let issued = app.clock.now().unix_ms.to_be_bytes();
    let mac = app.config.keys.mac(PURPOSE, &issued);
    let mut bytes = issued.to_vec();
    bytes.extend_from_slice(mac.get(..16).unwrap_or_default());
    base64url::encode(&bytes)
}

fn is_fresh_nonce(app: &App, nonce: &str) -> bool {
    let Ok(bytes) = base64url::decode_array::<24>(nonce) else { return false };
    let (issued, unverified_mac) = bytes.split_at(8);
    let Ok(issued_bytes) = <[u8; 8]>::try_from(issued) else { return false };
    if !app.config.keys.is_truncated_mac(PURPOSE, issued, unverified_mac) {
        return false;
    }
    let (issued_ms, now_ms) = (u64::from_be_bytes(issued_bytes), app.clock.now().unix_ms);
    issued_ms <= now_ms + SKEW_MS && now_ms <= issued_ms + NONCE_LIVES_MS
}

/// What the header of a proof holds, if there is one: a proof that somebody's key has signed, or none.
fn brought(parts: &Parts) -> Option<Result<SignedProof, ProofError>> {
    // Two of them are no proof, and neither is what is not ASCII: refused as any other request they would tell
    // whether a copied cookie lives, and leave no trace.
    let header = single(&parts.headers, "dpop").map_err(|_| ProofError::NotCompact).transpose()?;
    Some(header.and_then(UnverifiedProof::read).and_then(|proof| proof.verify(p256_verifies)))
}

/// The proof was made for exactly this request, and not long ago.
fn require_for(app: &App, parts: &Parts, proof: &SignedProof) -> Result<()> {
    let url = format!("{}{}", app.config.origin, parts.uri.path());
    proof.require_for(parts.method.as_str(), &url).map_err(|why| refuse(Code::PopProofInvalid, why))?;
    let fresh = proof.claims.nonce.as_deref().is_some_and(|nonce| is_fresh_nonce(app, nonce));
    if fresh { Ok(()) } else { Err(Code::UseDpopNonce.into()) }
}

/// Which key, which `jti`.
fn seen_as(proof: &SignedProof) -> Seen {
    let text = format!("{} {}", proof.jkt, proof.claims.jti);
    let lives_ms = i64::try_from(NONCE_LIVES_MS + 2 * SKEW_MS).unwrap_or(i64::MAX);
    Seen { hash: sha256(text.as_bytes()).to_vec(), lives_ms }
}

/// The end of a ceremony: the browser holds the key that the ceremony's token names. The caller
/// remembers the proof in the transaction that spends the ceremony.
pub fn prove_ceremony(app: &App, parts: &Parts, jkt: &Thumbprint) -> Result<Seen> {
    let proof = match brought(parts) {
        None => return Err(Code::PopProofMissing.into()),
        Some(Err(why)) => return Err(refuse(Code::PopProofInvalid, why)),
        Some(Ok(proof)) => proof,
    };
    if proof.jkt != *jkt {
        return Err(refuse(Code::PopProofInvalid, "the proof's key is not the token's"));
    }
    require_for(app, parts, &proof)?;
    Ok(seen_as(&proof))
}

/// A request of a session carries a proof of the session's own key, which is given back. What looks
/// like theft is recorded, and its owner told by mail.
pub(crate) async fn prove_session(app: &App, parts: &Parts, session: &Session) -> Result<PublicKey> {
    let device = super::device(&parts.headers);
    let without_key = async |code| alarm(app, session, &device, Activity::CookieWithoutKey, code).await;
    let proof = match brought(parts) {
        None => return Err(without_key(Code::PopProofMissing).await?),
        Some(Err(why)) => {
            tracing::info!(%why, "a proof that is none");
            return Err(without_key(Code::PopProofInvalid).await?);
        }
        Some(Ok(proof)) => proof,
    };
    if proof.jkt != session.jkt {
        let mut tx = app.db.read().await?;
        // A key that this account had before is a tab that has not noticed; a thief has none of them.
        if store::has_had_key(&mut tx, &session.account, &proof.jkt).await? {
            return Err(Code::PopKeyReplaced.into());
        }
        drop(tx);
        let theft = Activity::TheftSuspected { sign: TheftSign::ForeignKey };
        return Err(alarm(app, session, &device, theft, Code::PopForeignKey).await?);
    }
    let seen = seen_as(&proof);
    let replayed = async || {
        let theft = Activity::TheftSuspected { sign: TheftSign::ReplayedProof };
        alarm(app, session, &device, theft, Code::PopProofReplayed).await
    };
    if let Err(refusal) = require_for(app, parts, &proof) {
        // A recorded proof is a recorded proof, wherever and however late it comes.
        let mut tx = app.db.read().await?;
        let again = store::remembers_proof(&mut tx, &seen).await?;
        drop(tx);
        return Err(if again { replayed().await? } else { refusal });
    }
    let now_ms = app.clock.unix_ms();
    let mut tx = app.db.write().await?;
    let new = store::remember_proof(&mut tx, &seen, now_ms).await?;
    if new {
        tx.commit(&app.live).await?;
        return Ok(proof.key);
    }
    drop(tx);
    Err(replayed().await?)
}

pub(super) async fn alarm(
    app: &App,
    session: &Session,
    device: &Device,
    what: Activity,
    code: Code,
) -> Result<Refusal> {
    tracing::warn!(session = %session.id, account = %session.account, %code, "a session's cookie came without its key's proof");
    let mut tx = app.db.write().await?;
    let event = Event {
        account: &session.account,
        what,
        device: Some(device),
        session: Some(&session.id),
        at_ms: app.clock.unix_ms(),
    };
    match event.what {
        // Once a day for each session and sign, or a thief could fill the owner's mailbox. And recorded with it,
        // however short the day before has ended, since by that the day's next one is known.
        Activity::TheftSuspected { sign } if !audit::is_known_today(&mut tx, &event).await? => {
            let notice = Notice::TheftSuspected { sign, device };
            mail::post(app, &mut tx, event.account, &notice, event.at_ms).await?;
            audit::record(&mut tx, event).await?;
        }
        _ => audit::record_once(&mut tx, event).await?,
    }
    tx.commit(&app.live).await?;
    Ok(code.into())
}
