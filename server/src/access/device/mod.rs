//! Device Bound Session Credentials: where the browser offers them, a session has a second cookie, which is good for
//! minutes. The browser fetches it anew with a key that the device's hardware keeps. The cookie needs no storage:
//! session, key and time, under a MAC.

mod store;

pub(crate) use store::bind_device;

use super::{Session, dpop};
use crate::{
    app::App,
    clock::{SKEW_MS, millis},
    db::Tx,
    me::wire_ms,
    problem::{Refusal, Result},
    wire::cookies,
};
use axum::http::{HeaderMap, HeaderValue, request::Parts};
use holdfast_protocol::{base64url, dpop::PublicKey, history::Activity, ids::SessionId, problem::Code};

/// The second cookie.
pub(crate) const DEVICE_COOKIE: &str = "__Host-holdfast-device";
/// What every cookie is set with that no script reads, but for `Max-Age`.
pub(crate) const COOKIE_ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

const PURPOSE: &str = "device/cookie";
/// The browser goes by its own clock, and a request may be long under way.
const LATE_MS: u64 = 120_000;
/// Requests that were sent before the first cookie had come may arrive after one with it.
const UNDER_WAY_MS: u64 = 60_000;

/// The key that a browser has registered for its device.
#[derive(Debug, Clone)]
pub struct DeviceKey {
    pub key: PublicKey,
    /// Since when the session is worth nothing without the cookie that this key fetches.
    pub shown_at_ms: Option<i64>,
}

/// What a browser is asked to sign a challenge for.
#[derive(Debug, Clone, Copy)]
pub enum DeviceChallenge {
    Registration,
    Refresh,
}

impl DeviceChallenge {
    fn purpose(self) -> &'static str {
        match self {
            Self::Registration => "device/registration",
            Self::Refresh => "device/refresh",
        }
    }

    /// A browser answers at once; a key in hardware may be slow to make.
    fn lives_ms(self) -> u64 {
        match self {
            Self::Registration => 300_000,
            Self::Refresh => 60_000,
        }
    }

    /// For one session, and no other like it: its time, random bits, and a MAC over all three.
    pub fn make(self, app: &App, session: &SessionId) -> String {
        let issued = [app.clock.now().unix_ms.to_be_bytes().as_slice(), &app.entropy.make::<16>()].concat();
        let mac = app.config.keys.mac(self.purpose(), &[&issued, session.as_str().as_bytes()].concat());
        base64url::encode(&[issued, mac.to_vec()].concat())
    }

    /// Whether it was made for this session, and whether it still holds.
    pub(crate) fn judge(self, app: &App, session: &SessionId, text: &str) -> Answered {
        let Ok(bytes) = base64url::decode_array::<56>(text) else { return Answered::Nothing };
        let (made, unverified_mac) = bytes.split_at(24);
        let message = [made, session.as_str().as_bytes()].concat();
        let Some(issued) = made.first_chunk::<8>().copied() else { return Answered::Nothing };
        if !app.config.keys.is_mac(self.purpose(), &message, unverified_mac) {
            return Answered::Nothing;
        }
        let (issued_ms, now_ms) = (u64::from_be_bytes(issued), app.clock.now().unix_ms);
        let holds = issued_ms <= now_ms + SKEW_MS && now_ms <= issued_ms + self.lives_ms();
        if holds { Answered::InTime } else { Answered::Late }
    }

    /// How long one that was answered must be remembered.
    pub(crate) fn remembered_ms(self) -> i64 {
        i64::try_from(self.lives_ms() + 2 * SKEW_MS).unwrap_or(i64::MAX)
    }
}

/// What a browser's answer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    InTime,
    /// A challenge of ours that is too old.
    Late,
    Nothing,
}

/// A time and the MAC over it.
fn timed(text: &str) -> Option<([u8; 8], [u8; 32])> {
    let bytes = base64url::decode_array::<40>(text).ok()?;
    let (time, mac) = bytes.split_at(8);
    Some((time.try_into().ok()?, mac.try_into().ok()?))
}

/// What a new session's browser is asked: whether it has hardware for another key.
pub(crate) fn offer_device(app: &App, session: &SessionId) -> Option<HeaderValue> {
    if !app.config.device_binding {
        return None;
    }
    let challenge = DeviceChallenge::Registration.make(app, session);
    let mut value =
        HeaderValue::from_str(&format!("(ES256);path=\"/v1/sessions/device\";challenge=\"{challenge}\""))
            .ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// In its place until it was fetched for the first time: a browser that cannot fetch it is not bound. Browsers fetch
/// another when one has less than two minutes left.
pub(crate) fn first_cookie() -> String {
    format!("{DEVICE_COOKIE}=registered; {COOKIE_ATTRIBUTES}; Max-Age=60")
}

/// The second cookie, from now on.
pub(crate) fn device_cookie(app: &App, session: &SessionId, key: &PublicKey) -> String {
    let lives = app.config.lifetimes.device;
    let expires_ms = app.clock.now().unix_ms.saturating_add(millis(lives)).to_be_bytes();
    let mac = app.config.keys.mac(PURPOSE, &bound(expires_ms, session, key));
    let value = base64url::encode(&[expires_ms.as_slice(), &mac].concat());
    format!("{DEVICE_COOKIE}={value}; {COOKIE_ATTRIBUTES}; Max-Age={}", lives.as_secs())
}

fn is_device_cookie(app: &App, session: &SessionId, key: &PublicKey, text: &str) -> bool {
    let Some((end, unverified_mac)) = timed(text) else { return false };
    if !app.config.keys.is_mac(PURPOSE, &bound(end, session, key), &unverified_mac) {
        return false;
    }
    let (ends_at_ms, now_ms) = (u64::from_be_bytes(end), app.clock.now().unix_ms);
    now_ms <= ends_at_ms + LATE_MS && ends_at_ms <= now_ms + millis(app.config.lifetimes.device) + SKEW_MS
}

fn bound(expires_ms: [u8; 8], session: &SessionId, key: &PublicKey) -> Vec<u8> {
    [expires_ms.as_slice(), &key.to_sec1(), session.as_str().as_bytes()].concat()
}

/// A session whose browser has once shown the second cookie is worth nothing without it.
pub(crate) async fn require(app: &App, parts: &Parts, session: &Session) -> Result<()> {
    let headers = &parts.headers;
    let Some(DeviceKey { key, shown_at_ms: Some(since_ms) }) = session.device_key.as_deref() else {
        return Ok(());
    };
    let (since_ms, now_ms) = (wire_ms(*since_ms), app.clock.now().unix_ms);
    let is_under_way = since_ms <= now_ms + SKEW_MS && now_ms < since_ms + UNDER_WAY_MS;
    if !app.config.device_binding || is_under_way || shows(app, headers, &session.id, key) {
        return Ok(());
    }
    let refusal = without_device(app, headers, session, Code::SignedOut).await?;
    if cookies(headers, DEVICE_COOKIE).next().is_some() {
        // Perhaps made with a secret that has gone. Without it the browser fetches another before it tries once more.
        return Err(Refusal::taking_back(DEVICE_COOKIE, Code::UseDpopNonce));
    }
    if headers.contains_key("secure-session-skipped") {
        // A browser says so that could not reach us, or waits until it may try again.
        return Err(Refusal::retry_after(Code::Unavailable, 2));
    }
    Err(refusal)
}

/// Whether a browser shows the cookie for the first time, which binds the session. Before, it may never have heard
/// that its key was taken.
pub(super) fn shows_first(app: &App, headers: &HeaderMap, session: &Session) -> bool {
    match session.device_key.as_deref() {
        Some(DeviceKey { key, shown_at_ms: None }) if app.config.device_binding => {
            shows(app, headers, &session.id, key)
        }
        _ => false,
    }
}

/// Not where another key has taken its place meanwhile.
pub(super) async fn bind(tx: &mut Tx, session: &mut Session, now_ms: i64) -> Result<(), sqlx::Error> {
    if let Some(device) = session.device_key.as_deref_mut()
        && store::show_device(tx, &session.id, &device.key, now_ms).await?
    {
        device.shown_at_ms = Some(now_ms);
    }
    Ok(())
}

fn shows(app: &App, headers: &HeaderMap, session: &SessionId, key: &PublicKey) -> bool {
    cookies(headers, DEVICE_COOKIE).any(|text| is_device_cookie(app, session, key, text))
}

/// Records that a session's cookie came from somewhere else than its device.
pub(crate) async fn without_device(
    app: &App,
    headers: &HeaderMap,
    session: &Session,
    code: Code,
) -> Result<Refusal> {
    dpop::alarm(app, session, &super::device(headers), Activity::CookieWithoutKey, code).await
}

/// Counts what a browser asks for its device: by session and source, or by source alone where there is no session. It
/// is asked to wait by 503: browsers have taken a 429 for the end of the session.
pub(crate) fn may_ask(app: &App, parts: &Parts, session: Option<&SessionId>) -> Result<()> {
    let session = session.map(|session| session.as_str().as_bytes()).unwrap_or_default();
    let asks = [session, &app.source(parts)].concat();
    let key = app.config.keys.mac("limits/device", &asks);
    app.limits.device.check(&key).map_err(|_| Refusal::retry_after(Code::Unavailable, 2))
}
