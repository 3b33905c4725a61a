//! WebAuthn ceremonies: begun with a token, spent by removal, never meeting one another.

mod store;

pub(crate) use store::sweep;

use crate::{
    access::{Seen, Session, prove_ceremony, refuse, remember_proof, write_as},
    app::{App, stored},
    db::Tx,
    problem::Result,
    secrets::same,
    tokens,
    wire::cookie,
};
use axum::http::{HeaderMap, request::Parts};
use holdfast_protocol::{
    base64url::{self, Bytes},
    ids::{CeremonyId, SessionId},
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
}

/// Whose ceremony it is. A cookie is base64url of 32 bytes and a session's id is not, so that neither passes
/// for the other.
enum Owner<'a> {
    /// The browser with this secret in its cookie.
    Browser(&'a str),
    Session(&'a SessionId),
}

impl Owner<'_> {
    fn hash(&self) -> Vec<u8> {
        match self {
            Owner::Browser(cookie) => stored(cookie),
            Owner::Session(session) => stored(session.as_str()),
        }
    }
}

/// Begins a ceremony before there is a session; `details` come back when it is spent. Gives the browser's
/// secret, too, to be set as its cookie.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    purpose: Purpose,
    details: &impl Serialize,
) -> Result<(Begun, String)> {
    let cookie = secret(headers)?.map_or_else(|| app.entropy.make_text(), str::to_owned);
    let mut tx = app.db.write().await?;
    let begun = issue(app, &mut tx, &Owner::Browser(&cookie), purpose, details).await?;
    tx.commit(&app.live).await?;
    Ok((begun, cookie))
}

/// Begins a ceremony of a session, in the transaction of what led to it.
pub(crate) async fn begin_as(app: &App, tx: &mut Tx, session: &Session, purpose: Purpose) -> Result<Begun> {
    issue(app, tx, &Owner::Session(&session.id), purpose, &()).await
}

/// What the browser's cookie holds, if that was made here.
fn secret(headers: &HeaderMap) -> Result<Option<&str>> {
    Ok(cookie(headers, CEREMONY_COOKIE)?.filter(|text| base64url::decode_array::<32>(text).is_ok()))
}

async fn issue(
    app: &App,
    tx: &mut Tx,
    owner: &Owner<'_>,
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
    let details = serde_json::to_string(details).map_err(|why| refuse(Code::Internal, why))?;
    let row = store::Row {
        owner_hash: owner.hash(),
        token_hash: stored(&token),
        details,
        expires_at_ms: i64::try_from(claims.expires_at_ms).unwrap_or(i64::MAX),
    };
    store::insert(tx, &id, &row).await?;
    let challenge = challenge_of(&token);
    Ok(Begun { id, token, challenge, timeout_ms: u32::try_from(lives_ms).unwrap_or(u32::MAX) })
}

/// A ceremony that was spent a moment ago: its token is genuine, unexpired and this browser's or session's,
/// and the browser has proven the key that the token names.
pub(crate) struct Spent<D> {
    pub claims: Claims,
    pub challenge: [u8; 32],
    pub details: D,
}

/// Spends a ceremony that a browser began. Whatever happens afterwards, it cannot be spent again.
pub(crate) async fn spend<D: DeserializeOwned>(
    app: &App,
    parts: &Parts,
    id: &CeremonyId,
    token: &str,
    is_for: impl FnOnce(&Purpose) -> bool,
) -> Result<Spent<D>> {
    let claims = claims(app, id, token, is_for)?;
    let seen: Seen = prove_ceremony(app, parts, claims.purpose.jkt())?;
    let cookie = secret(&parts.headers)?.ok_or(Code::CeremonyGone)?;

    let now_ms = app.clock.unix_ms();
    let mut tx = app.db.write().await?;
    if !remember_proof(&mut tx, &seen, now_ms).await? {
        return Err(Code::PopProofReplayed.into());
    }
    // A ceremony that another browser began stays that browser's.
    let row = store::take(&mut tx, id, &Owner::Browser(cookie).hash()).await?.ok_or(Code::CeremonyGone)?;
    tx.commit(&app.live).await?;
    spent(claims, token, &row, now_ms)
}

/// Spends a ceremony that this session began, whose key is proven already.
pub(crate) async fn spend_as(
    app: &App,
    session: &Session,
    id: &CeremonyId,
    token: &str,
    is_for: impl FnOnce(&Purpose) -> bool,
) -> Result<Spent<()>> {
    let mut tx = write_as(app, session).await?;
    let claims = claims(app, id, token, is_for)?;
    if *claims.purpose.jkt() != session.jkt {
        return Err(refuse(Code::TokenInvalid, "made for another key"));
    }
    let row = store::take(&mut tx, id, &Owner::Session(&session.id).hash()).await?;
    tx.commit(&app.live).await?;
    spent(claims, token, &row.ok_or(Code::CeremonyGone)?, app.clock.unix_ms())
}

/// What a genuine token of this ceremony and purpose claims.
fn claims(app: &App, id: &CeremonyId, token: &str, is_for: impl FnOnce(&Purpose) -> bool) -> Result<Claims> {
    let claims = tokens::verify(&app.config.keys, token).map_err(|why| refuse(Code::TokenInvalid, why))?;
    if !is_for(&claims.purpose) || claims.ceremony != *id || claims.origin != app.config.origin {
        return Err(refuse(Code::TokenInvalid, "made for something else"));
    }
    Ok(claims)
}

fn spent<D: DeserializeOwned>(
    claims: Claims,
    token: &str,
    row: &store::Row,
    now_ms: i64,
) -> Result<Spent<D>> {
    if row.expires_at_ms <= now_ms || !same(&row.token_hash, &stored(token)) {
        return Err(Code::CeremonyGone.into());
    }
    let details = serde_json::from_str(&row.details).map_err(|why| refuse(Code::Internal, why))?;
    Ok(Spent { claims, challenge: challenge_of(token), details })
}
