//! The cookie, and the extractor that most handlers take.

use super::{
    device, dpop,
    store::{self, Session},
};
use crate::{
    app::{App, stored},
    db::Tx,
    problem::{Refusal, Result},
    secrets::same,
    wire::{cookie, cookies, single},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, request::Parts},
};
use holdfast_protocol::{base64url, dpop::PublicKey, ids::SessionId, problem::Code};

/// Opaque and random; only its hash is stored.
pub const SESSION_COOKIE: &str = "__Host-holdfast";
/// Readable by the page; an HMAC of the session.
pub const CSRF_COOKIE: &str = "csrf";
/// What the page repeats it in.
const CSRF_HEADER: &str = "x-csrf-token";

/// The caller holds a session and has proven its key for this very request.
pub struct SignedIn(pub Session);

/// The same, with the key itself, for what is bound to it from then on.
pub(crate) struct SignedInWith {
    pub session: Session,
    pub key: PublicKey,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let SignedInWith { session, .. } = SignedInWith::from_request_parts(parts, app).await?;
        Ok(Self(session))
    }
}

impl FromRequestParts<App> for SignedInWith {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let mut session = by_cookie(app, &parts.headers).await?;
        within_limit(app, parts, &session)?;
        // Before the device: a foreign key and a replayed proof are theft, whatever else is missing.
        let key = dpop::prove_session(app, parts, &session).await?;
        device::require(app, parts, &session).await?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            require_csrf(app, &parts.headers, &session.id)?;
        }
        note_use(app, parts, &mut session).await?;
        Ok(Self { session, key })
    }
}

/// The session was used, rightly in every way: it does not idle, and its device's cookie binds it.
async fn note_use(app: &App, parts: &Parts, session: &mut Session) -> Result<()> {
    let now_ms = app.clock.unix_ms();
    let binds = device::shows_first(app, &parts.headers, session);
    if !binds && !store::idles(session, now_ms) {
        return Ok(());
    }
    let mut tx = app.db.write().await?;
    store::touch(&mut tx, session, now_ms).await?;
    if binds {
        device::bind(&mut tx, session, now_ms).await?;
    }
    Ok(tx.commit(&app.live).await?)
}

/// Counts a request, or refuses it. By source as well: who has only copied the cookie cannot use up its owner's share.
pub(crate) fn within_limit(app: &App, parts: &Parts, session: &Session) -> Result<()> {
    let asks = [session.id.as_str().as_bytes(), &app.source(parts)].concat();
    app.limits.session.check(&app.config.keys.mac("limits/session", &asks))
}

/// The transaction of what a session does. The session was proven when the request's head was read; its
/// body may have come long after, so that the session must still live now, and does until the end.
pub(crate) async fn write_as(app: &App, session: &Session) -> Result<Tx> {
    still_as(app.db.write().await?, app, session).await
}

/// The same for what ends others of the account's sessions: two that each held their own and wanted the other's
/// would wait for each other.
pub(crate) async fn write_over_sessions(app: &App, session: &Session) -> Result<Tx> {
    let mut tx = app.db.write().await?;
    store::hold_all(&mut tx, &session.account, &app.config.lifetimes, app.clock.unix_ms()).await?;
    still_as(tx, app, session).await
}

async fn still_as(mut tx: Tx, app: &App, session: &Session) -> Result<Tx> {
    if store::hold(&mut tx, &session.id, &app.config.lifetimes, app.clock.unix_ms()).await? {
        Ok(tx)
    } else {
        Err(Code::SignedOut.into())
    }
}

/// The live session that the cookie names, without any proof.
pub(crate) async fn by_cookie(app: &App, headers: &HeaderMap) -> Result<Session> {
    let token = cookie(headers, SESSION_COOKIE)?.ok_or(Code::SignedOut)?;
    let mut tx = app.db.look().await?;
    let session = store::find(&mut tx, &stored(token), &app.config.lifetimes, app.clock.unix_ms()).await?;
    session.ok_or_else(|| Code::SignedOut.into())
}

/// The value of the CSRF cookie of a session.
pub(crate) fn csrf_of(app: &App, session: &SessionId) -> String {
    base64url::encode(&app.config.keys.mac("csrf", session.as_str().as_bytes()))
}

/// Header and cookie are equal, and both are this session's, by the current or the previous secret.
pub(crate) fn require_csrf(app: &App, headers: &HeaderMap, session: &SessionId) -> Result<()> {
    let header = single(headers, CSRF_HEADER)?.ok_or(Code::CsrfMismatch)?;
    // Applications on other ports and on sibling hosts can set a cookie of this name, too.
    let equal = cookies(headers, CSRF_COOKIE).any(|cookie| same(header.as_bytes(), cookie.as_bytes()));
    if equal && is_csrf_of(app, session, header) { Ok(()) } else { Err(Code::CsrfMismatch.into()) }
}

/// Whether the browser has the CSRF cookie of its session; without it, it could change nothing.
pub(crate) fn has_csrf_cookie(app: &App, headers: &HeaderMap, session: &SessionId) -> bool {
    cookies(headers, CSRF_COOKIE).any(|text| is_csrf_of(app, session, text))
}

fn is_csrf_of(app: &App, session: &SessionId, text: &str) -> bool {
    let mac = base64url::decode(text);
    mac.is_ok_and(|mac| app.config.keys.is_mac("csrf", session.as_str().as_bytes(), &mac))
}
