//! What browsers ask of themselves, without any page: to register a key of their device for a session, and to get the
//! cookie that it keeps up. What the cookie is worth is decided in `access`.

use crate::{
    access::{
        self, Answered, COOKIE_ATTRIBUTES, DEVICE_COOKIE, DeviceChallenge, DeviceKey, Seen, Session, refuse,
    },
    app::App,
    problem::{Refusal, Result},
    secrets::{p256_verifies, sha256},
    wire::single,
};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use holdfast_protocol::{
    device::{
        BoundCookie, BoundKind, BoundScope, BoundSession, DeviceProof, OverSession, Refreshed, unquoted,
    },
    dpop::ProofError,
    ids::SessionId,
    problem::Code,
};

const REFRESH: &str = "/v1/sessions/device/refresh";

pub fn routes() -> Router<App> {
    Router::new().route("/v1/sessions/device", post(register)).route(REFRESH, post(refresh))
}

/// `POST /v1/sessions/device`: whoever has got the answer of the sign-in, and with it the challenge, binds the session
/// to a key of theirs; until its cookie is first shown another can take its place. Whoever has not got it is recorded.
async fn register(State(app): State<App>, parts: Parts) -> Result<Response> {
    if !app.config.device_binding {
        return Err(Code::NotFound.into());
    }
    let session = access::by_cookie(&app, &parts.headers).await?;
    access::may_ask(&app, &parts, Some(&session.id))?;
    let recorded = async |code, why: &str| {
        tracing::info!(session = %session.id, why, "no registration of the session's device");
        access::without_device(&app, &parts.headers, &session, code).await
    };
    let proof = match brought(&parts.headers) {
        None => return Err(recorded(Code::PopProofMissing, "no answer").await?),
        Some(Err(_)) => return Err(recorded(Code::PopProofInvalid, "unreadable").await?),
        Some(Ok(proof)) => proof,
    };
    let key = match &proof.unverified_key {
        Some(key) if proof.is_signed_by(key, p256_verifies) => key,
        _ => return Err(recorded(Code::PopProofInvalid, "not signed by the key that it brings").await?),
    };
    match DeviceChallenge::Registration.judge(&app, &session.id, &proof.unverified_challenge) {
        Answered::InTime => {}
        Answered::Late => return Err(refuse(Code::PopProofInvalid, "its challenge is too old")),
        Answered::Nothing => return Err(recorded(Code::PopProofInvalid, "not asked of this session").await?),
    }
    let mut tx = access::write_as(&app, &session).await?;
    if !access::bind_device(&mut tx, &session.id, key).await? {
        return Err(refuse(Code::PopProofInvalid, "the session has a device already"));
    }
    tx.commit(&app.live).await?;
    Ok(bound(&app, &session.id, &access::first_cookie()))
}

/// `POST /v1/sessions/device/refresh`: without an answer to a challenge it is one that is given. Sessions that were
/// bound go on also where no other is: the operator may change that again.
async fn refresh(State(app): State<App>, parts: Parts) -> Result<Response> {
    let asked = single(&parts.headers, "sec-secure-session-id")?.map(unquoted);
    let asked = asked.and_then(|id| SessionId::parse(id).ok()).ok_or(Code::InvalidRequest)?;
    let session = match access::by_cookie(&app, &parts.headers).await {
        Ok(session) if session.id == asked => session,
        Ok(_) => return over(&app, &parts, asked).await,
        Err(refusal) if refusal.code() == Code::SignedOut => return over(&app, &parts, asked).await,
        Err(refusal) => return Err(refusal),
    };
    access::may_ask(&app, &parts, Some(&session.id))?;
    let Session { id, device_key: Some(device), .. } = &session else { return Ok(ended(asked)) };
    let DeviceKey { key, .. } = device.as_ref();
    let recorded = async || {
        tracing::info!(session = %id, "an answer that the session's device has not signed");
        access::without_device(&app, &parts.headers, &session, Code::PopProofInvalid).await
    };
    let proof = match brought(&parts.headers) {
        None => return Ok(challenge(&app, id)),
        Some(Ok(proof)) if proof.is_signed_by(key, p256_verifies) => proof,
        Some(_) => return Err(recorded().await?),
    };
    let answered = proof.unverified_challenge.as_str();
    if DeviceChallenge::Refresh.judge(&app, id, answered) != Answered::InTime {
        return Ok(challenge(&app, id));
    }
    let hash = sha256(&[b"device ", answered.as_bytes()].concat()).to_vec();
    let mut tx = match access::write_as(&app, &session).await {
        Err(refusal) if refusal.code() == Code::SignedOut => return Ok(ended(asked)),
        tx => tx?,
    };
    let seen = Seen { hash, lives_ms: DeviceChallenge::Refresh.remembered_ms() };
    if !access::remember_proof(&mut tx, &seen, app.clock.unix_ms()).await? {
        return Ok(challenge(&app, id));
    }
    tx.commit(&app.live).await?;
    Ok(bound(&app, id, &access::device_cookie(&app, id, key)))
}

/// The browser ends what it kept up for a session that has ended. A living one whose cookie it has not sent, perhaps
/// because another site's page made it ask, goes on.
async fn over(app: &App, parts: &Parts, asked: SessionId) -> Result<Response> {
    access::may_ask(app, parts, None)?;
    let mut tx = app.db.look().await?;
    if access::is_alive(&mut tx, &asked, &app.config.lifetimes, app.clock.unix_ms()).await? {
        return Err(Refusal::retry_after(Code::Unavailable, 2));
    }
    Ok(ended(asked))
}

fn ended(session_identifier: SessionId) -> Response {
    Json(Refreshed::Over(OverSession { session_identifier, goes_on: false })).into_response()
}

/// The answer of a device, if there is one. Two of them are none.
fn brought(headers: &HeaderMap) -> Option<Result<DeviceProof<'_>, ProofError>> {
    let header =
        single(headers, "secure-session-response").map_err(|_| ProofError::NotCompact).transpose()?;
    Some(header.and_then(DeviceProof::read))
}

/// A challenge of its own for each answer.
fn challenge(app: &App, session: &SessionId) -> Response {
    let challenge = DeviceChallenge::Refresh.make(app, session);
    let mut response = Refusal::from(Code::DeviceChallenge).into_response();
    add(&mut response, "secure-session-challenge", &format!("\"{challenge}\";id=\"{session}\""));
    response
}

fn bound(app: &App, session: &SessionId, cookie: &str) -> Response {
    let mut response = Json(BoundSession {
        session_identifier: session.clone(),
        refresh_url: REFRESH.to_owned(),
        scope: BoundScope { origin: app.config.origin.clone(), include_site: false },
        credentials: vec![BoundCookie {
            kind: BoundKind::Cookie,
            name: DEVICE_COOKIE.to_owned(),
            attributes: COOKIE_ATTRIBUTES.to_owned(),
        }],
    })
    .into_response();
    add(&mut response, header::SET_COOKIE.as_str(), cookie);
    response
}

fn add(response: &mut Response, name: &'static str, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(mut value) => {
            value.set_sensitive(true);
            response.headers_mut().append(name, value);
        }
        Err(why) => tracing::error!(%why, name, "a header cannot be written"),
    }
}
