//! WebAuthn ceremonies: begun with a token, spent by removal, never meeting one another.

mod store;

pub(crate) use store::sweep;

use crate::{
    access::{Seen, prove_ceremony, refuse, remember_proof},
    app::{App, stored},
    problem::Result,
    secrets::same,
    tokens,
    wire::cookie,
};
use axum::http::{HeaderMap, request::Parts};
use holdfast_protocol::{
    base64url::{self, Bytes},
    ids::CeremonyId,
    problem::Code,
    tokens::{Claims, Purpose, challenge_of},
};
use serde::{Serialize, de::DeserializeOwned};

/// Binds a ceremony to the browser that began it, so that nobody can be signed in to somebody else's
/// account. One secret a browser: ceremonies in two tabs share it.
pub(crate) const CEREMONY_COOKIE: &str = "__Host-holdfast-ceremony";

/// A ceremony that has just begun.
pub(crate) struct Begun {
    pub id: CeremonyId,
    pub token: String,
    pub challenge: [u8; 32],
    pub timeout_ms: u32,
    /// The browser's secret, to be set as its cookie.
    pub cookie: String,
}

/// Begins a ceremony; `details` come back when it is spent.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    purpose: Purpose,
    details: &impl Serialize,
) -> Result<Begun> {
    let id = CeremonyId::make(app.entropy.make());
    let now = app.clock.now();
    let lives_ms = u64::try_from(app.config.lifetimes.ceremony.as_millis()).unwrap_or(u64::MAX);
    let claims = Claims {
        purpose,
        nonce: Bytes(app.entropy.make::<32>().to_vec()),
        ceremony: id.clone(),
        origin: app.config.origin.clone(),
        rp_id: app.config.rp_id.clone(),
        issued_at_ms: now.unix_ms,
        expires_at_ms: now.unix_ms.saturating_add(lives_ms),
    };
    let token = tokens::sign(&app.config.keys, &claims).map_err(|why| refuse(Code::Internal, why))?;
    let kept = cookie(headers, CEREMONY_COOKIE)?.filter(|text| base64url::decode_array::<32>(text).is_ok());
    let cookie = kept.map_or_else(|| app.entropy.make_text(), str::to_owned);
    let details = serde_json::to_string(details).map_err(|why| refuse(Code::Internal, why))?;
    let row = store::Row {
        cookie_hash: stored(&cookie),
        token_hash: stored(&token),
        details,
        expires_at_ms: i64::try_from(claims.expires_at_ms).unwrap_or(i64::MAX),
    };
    let mut tx = app.db.write().await?;
    store::insert(&mut tx, &id, &row).await?;
    tx.commit(&app.live).await?;
    let challenge = challenge_of(&token);
    Ok(Begun { id, token, challenge, timeout_ms: u32::try_from(lives_ms).unwrap_or(u32::MAX), cookie })
}

/// A ceremony that was spent a moment ago: its token is genuine, unexpired and this browser's, and the
/// browser has proven the key that the token names.
pub(crate) struct Spent<D> {
    pub claims: Claims,
    pub challenge: [u8; 32],
    pub details: D,
}

/// Spends a ceremony. Whatever happens afterwards, it cannot be spent again.
pub(crate) async fn spend<D: DeserializeOwned>(
    app: &App,
    parts: &Parts,
    id: &CeremonyId,
    token: &str,
    is_for: impl FnOnce(&Purpose) -> bool,
) -> Result<Spent<D>> {
    let claims = tokens::verify(&app.config.keys, token).map_err(|why| refuse(Code::TokenInvalid, why))?;
    if !is_for(&claims.purpose) || claims.ceremony != *id || claims.origin != app.config.origin {
        return Err(refuse(Code::TokenInvalid, "made for something else"));
    }
    let seen: Seen = prove_ceremony(app, parts, claims.purpose.jkt())?;
    let cookie = cookie(&parts.headers, CEREMONY_COOKIE)?.ok_or(Code::CeremonyGone)?;

    let now_ms = app.clock.unix_ms();
    let mut tx = app.db.write().await?;
    if !remember_proof(&mut tx, &seen, now_ms).await? {
        return Err(Code::PopProofReplayed.into());
    }
    // A ceremony that another browser began stays that browser's.
    let row = store::take(&mut tx, id, &stored(cookie)).await?.ok_or(Code::CeremonyGone)?;
    tx.commit(&app.live).await?;
    if row.expires_at_ms <= now_ms || !same(&row.token_hash, &stored(token)) {
        return Err(Code::CeremonyGone.into());
    }
    let details = serde_json::from_str(&row.details).map_err(|why| refuse(Code::Internal, why))?;
    Ok(Spent { claims, challenge: challenge_of(token), details })
}
