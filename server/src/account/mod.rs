//! Setting up, signing in and out.

mod rules;
mod store;

use crate::{
    access::{
        self, COOKIE_ATTRIBUTES, CSRF_COOKIE, DEVICE_COOKIE, NewSession, SESSION_COOKIE, Session, SignedIn,
        csrf_of, has_csrf_cookie,
    },
    app::{App, stored},
    audit::{self, Event},
    ceremony::{self, CEREMONY_COOKIE, Spent},
    db::Tx,
    me,
    problem::Result,
    webauthn::{self, Enrolment, NewUser},
    wire::{Json, single},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use holdfast_protocol::{
    account::{
        LoginOptionsRequest, LoginVerifyRequest, LogoutRequest, LogoutScope, SetupOptionsRequest,
        SetupStatus, SetupVerifyRequest, SignedIn as SignedInAnswer,
    },
    base64url::Bytes,
    history::{Activity, Device},
    ids::{AccountId, PasskeyId, SessionId, Thumbprint},
    problem::Code,
    tokens::Purpose,
};
use holdfast_relying_party::{CounterSignal, Owner};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/setup", get(setup_status))
        .route("/v1/setup/options", post(setup_options))
        .route("/v1/setup/verify", post(setup_verify))
        .route("/v1/login/options", post(login_options))
        .route("/v1/login/verify", post(login_verify))
        .route("/v1/me", get(who))
        .route("/v1/logout", post(logout))
}

/// `GET /v1/setup`.
async fn setup_status(State(app): State<App>) -> Result<axum::Json<SetupStatus>> {
    let mut tx = app.db.read().await?;
    Ok(axum::Json(SetupStatus { open: !store::is_set_up(&mut tx).await? }))
}

/// Whether the first account still exists only in somebody's hope.
pub async fn is_set_up(app: &App) -> std::result::Result<bool, sqlx::Error> {
    store::is_set_up(&mut app.db.read().await?).await
}

/// `POST /v1/setup/options`.
async fn setup_options(
    State(app): State<App>,
    parts: Parts,
    Json(request): Json<SetupOptionsRequest>,
) -> Result<Response> {
    app.limits.options.check(&app.source(&parts))?;
    require_setup_token(&app, &parts.headers).await?;
    let person = rules::Person::read(&request.name, &request.email)?;
    let new = rules::NewAccount {
        id: AccountId::make(app.entropy.make()),
        user_handle: Bytes(app.entropy.make::<32>().to_vec()),
        person,
    };
    let purpose = Purpose::Registration { account: new.id.clone(), jkt: request.jkt };
    let (begun, cookie) = ceremony::begin(&app, &parts.headers, purpose, &new).await?;
    let user = NewUser {
        handle: &new.user_handle.0,
        name: &new.person.email,
        display_name: &new.person.name,
        known: Vec::new(),
    };
    let options = webauthn::registration_options(&app, &begun, user);
    Ok(with_ceremony_cookie(axum::Json(options).into_response(), &cookie))
}

/// `POST /v1/setup/verify`: account, passkey and session, in one transaction or not at all.
async fn setup_verify(
    State(app): State<App>,
    parts: Parts,
    Json(request): Json<SetupVerifyRequest>,
) -> Result<Response> {
    app.limits.verify.check(&app.source(&parts))?;
    require_setup_token(&app, &parts.headers).await?;
    let is_for = |purpose: &Purpose| matches!(purpose, Purpose::Registration { .. });
    let spent: Spent<rules::NewAccount> =
        ceremony::spend(&app, &parts, &request.ceremony, &request.token, is_for).await?;
    let credential = webauthn::verify_new(&app, &spent.challenge, &request.credential)?;
    let (new, device) = (spent.details, access::device(&parts.headers));
    let now_ms = app.clock.unix_ms();

    let mut tx = app.db.write().await?;
    if !store::claim_setup(&mut tx, now_ms).await? {
        return Err(Code::SetupDone.into());
    }
    store::insert_account(&mut tx, &new, now_ms).await?;
    let created = Event {
        account: &new.id,
        what: Activity::AccountCreated,
        device: Some(&device),
        session: None,
        at_ms: now_ms,
    };
    audit::record(&mut tx, created).await?;
    let new_passkey = Enrolment {
        account: &new.id,
        credential: &credential,
        transports: &request.credential.transports,
        device: &device,
        session: None,
        now_ms,
    };
    let passkey = webauthn::enrol(&app, &mut tx, &new_passkey).await?;
    let opened = Opened {
        account: &new.id,
        passkey: &passkey.id,
        passkey_name: &passkey.name,
        jkt: spent.claims.purpose.jkt(),
        device: &device,
    };
    open_session(&app, tx, opened, now_ms).await
}

async fn require_setup_token(app: &App, headers: &HeaderMap) -> Result<()> {
    if is_set_up(app).await? {
        return Err(Code::SetupDone.into());
    }
    let given = single(headers, "x-setup-token")?;
    let is_it = app.config.setup_token.as_ref().zip(given).is_some_and(|(token, given)| token.is(given));
    if is_it { Ok(()) } else { Err(Code::SetupTokenInvalid.into()) }
}

/// `POST /v1/login/options`.
async fn login_options(
    State(app): State<App>,
    parts: Parts,
    Json(request): Json<LoginOptionsRequest>,
) -> Result<Response> {
    app.limits.options.check(&app.source(&parts))?;
    let purpose = Purpose::Login { jkt: request.jkt };
    let (begun, cookie) = ceremony::begin(&app, &parts.headers, purpose, &()).await?;
    let options = webauthn::assertion_options(&app, &begun);
    Ok(with_ceremony_cookie(axum::Json(options).into_response(), &cookie))
}

/// `POST /v1/login/verify`.
async fn login_verify(
    State(app): State<App>,
    parts: Parts,
    Json(request): Json<LoginVerifyRequest>,
) -> Result<Response> {
    app.limits.verify.check(&app.source(&parts))?;
    let before = session_before(&app, &parts.headers).await?;
    let is_for = |purpose: &Purpose| matches!(purpose, Purpose::Login { .. });
    let spent: Spent<()> = ceremony::spend(&app, &parts, &request.ceremony, &request.token, is_for).await?;
    let device = access::device(&parts.headers);
    let now_ms = app.clock.unix_ms();

    let mut tx = app.db.write().await?;
    if let Some(before) = &before {
        // Sessions before passkeys, as where one confirms something.
        access::hold(&mut tx, &before.id, &app.config.lifetimes, now_ms).await?;
    }
    let passkey = webauthn::store::find(&mut tx, &request.credential.id.0).await?;
    let passkey = passkey.ok_or_else(|| access::refuse(Code::UnknownCredential, "no such credential"))?;
    let (id, account) = (passkey.id()?, passkey.account()?);
    let event = |what| Event { account: &account, what, device: Some(&device), session: None, at_ms: now_ms };
    let used = match passkey.disabled_at_ms {
        None => {
            let owner = Owner::NamedByResponse(&passkey.user_handle);
            webauthn::verify_use(&app, &spent.challenge, &request.credential, &passkey, owner)
        }
        Some(_) => Err(Code::PasskeyDisabled.into()),
    };
    if used.as_ref().is_ok_and(|used| used.counter == CounterSignal::WentBackwards) {
        webauthn::store::suspect(&mut tx, &passkey, now_ms).await?;
        let suspect = Activity::PasskeySuspect { passkey: id.clone(), name: passkey.name.clone() };
        audit::record(&mut tx, event(suspect)).await?;
    }
    let used = used.and_then(|used| {
        let refused = app.config.refuse_counter_rollback && used.counter == CounterSignal::WentBackwards;
        if refused { Err(Code::CounterRollback.into()) } else { Ok(used) }
    });
    let used = match used {
        Ok(used) => used,
        Err(refusal) => {
            let refused = Activity::SignInRefused { code: refusal.code().as_str().to_owned() };
            audit::record_once(&mut tx, event(refused)).await?;
            tx.commit(&app.live).await?;
            return Err(refusal);
        }
    };
    webauthn::store::note_use(&mut tx, &passkey, &used, now_ms).await?;
    if let Some(before) = before {
        access::end(&mut tx, &before, now_ms).await?;
    }
    let opened = Opened {
        account: &account,
        passkey: &id,
        passkey_name: &passkey.name,
        jkt: spent.claims.purpose.jkt(),
        device: &device,
    };
    open_session(&app, tx, opened, now_ms).await
}

/// Whoever signs in again in the same browser leaves the session that was there.
async fn session_before(app: &App, headers: &HeaderMap) -> Result<Option<Session>> {
    match access::by_cookie(app, headers).await {
        Ok(session) => Ok(Some(session)),
        Err(refusal) if refusal.code() == Code::SignedOut => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// By which passkey, with which key, from where.
struct Opened<'a> {
    account: &'a AccountId,
    passkey: &'a PasskeyId,
    passkey_name: &'a str,
    jkt: &'a Thumbprint,
    device: &'a Device,
}

/// Opens a session in the transaction of what led to it, and answers with its cookies.
async fn open_session(app: &App, mut tx: Tx, opened: Opened<'_>, now_ms: i64) -> Result<Response> {
    let token = app.entropy.make_text();
    let id = SessionId::make(app.entropy.make());
    let new = NewSession {
        id: &id,
        token_hash: stored(&token),
        account: opened.account,
        passkey: opened.passkey,
        jkt: opened.jkt,
        device: opened.device,
        now_ms,
    };
    access::insert(&mut tx, new).await?;
    let signed_in =
        Activity::SignedIn { passkey: opened.passkey.clone(), name: opened.passkey_name.to_owned() };
    let event = Event {
        account: opened.account,
        what: signed_in,
        device: Some(opened.device),
        session: Some(&id),
        at_ms: now_ms,
    };
    audit::record(&mut tx, event).await?;
    let session = Session {
        id: id.clone(),
        account: opened.account.clone(),
        passkey: opened.passkey.clone(),
        jkt: opened.jkt.clone(),
        device: opened.device.clone(),
        created_at_ms: now_ms,
        last_seen_at_ms: now_ms,
        device_key: None,
    };
    let me = me::read(app, &mut tx, &session).await?;
    tx.commit(&app.live).await?;

    let mut response = axum::Json(SignedInAnswer { me }).into_response();
    let seconds = app.config.lifetimes.session.as_secs();
    set_cookie(&mut response, &format!("{SESSION_COOKIE}={token}; {COOKIE_ATTRIBUTES}; Max-Age={seconds}"));
    set_csrf_cookie(app, &mut response, &id);
    if let Some(offer) = access::offer_device(app, &id) {
        response.headers_mut().insert("secure-session-registration", offer);
    }
    Ok(response)
}

fn set_csrf_cookie(app: &App, response: &mut Response, session: &SessionId) {
    let (csrf, seconds) = (csrf_of(app, session), app.config.lifetimes.session.as_secs());
    set_cookie(
        response,
        &format!("{CSRF_COOKIE}={csrf}; Path=/; Secure; SameSite=Strict; Max-Age={seconds}"),
    );
}

fn with_ceremony_cookie(mut response: Response, secret: &str) -> Response {
    set_cookie(&mut response, &format!("{CEREMONY_COOKIE}={secret}; {COOKIE_ATTRIBUTES}; Max-Age=86400"));
    response
}

fn set_cookie(response: &mut Response, cookie: &str) {
    match HeaderValue::from_str(cookie) {
        Ok(mut value) => {
            value.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, value);
        }
        Err(why) => tracing::error!(%why, "a cookie cannot be written"),
    }
}

/// `GET /v1/me`. A browser that has lost the CSRF cookie, which scripts can delete, or has one by a secret
/// that has gone, gets it anew: the proof has shown whose browser it is.
async fn who(State(app): State<App>, SignedIn(session): SignedIn, headers: HeaderMap) -> Result<Response> {
    let mut tx = app.db.read().await?;
    let mut response = axum::Json(me::read(&app, &mut tx, &session).await?).into_response();
    if !has_csrf_cookie(&app, &headers, &session.id) {
        set_csrf_cookie(&app, &mut response, &session.id);
    }
    Ok(response)
}

/// `POST /v1/logout`.
async fn logout(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    Json(request): Json<LogoutRequest>,
) -> Result<Response> {
    let now_ms = app.clock.unix_ms();
    let (mut tx, what) = match request.scope {
        LogoutScope::ThisBrowser => {
            let mut tx = access::write_as(&app, &session).await?;
            access::end(&mut tx, &session, now_ms).await?;
            (tx, Activity::SignedOut)
        }
        LogoutScope::Everywhere => {
            let mut tx = access::write_over_sessions(&app, &session).await?;
            access::end_all(&mut tx, &session.account, now_ms).await?;
            (tx, Activity::SignedOutEverywhere)
        }
    };
    let event = Event {
        account: &session.account,
        what,
        device: Some(&session.device),
        session: Some(&session.id),
        at_ms: now_ms,
    };
    audit::record(&mut tx, event).await?;
    tx.commit(&app.live).await?;

    let mut response = StatusCode::NO_CONTENT.into_response();
    let gone = "Path=/; Secure; SameSite=Strict; Max-Age=0";
    set_cookie(&mut response, &format!("{SESSION_COOKIE}=; {gone}; HttpOnly"));
    set_cookie(&mut response, &format!("{DEVICE_COOKIE}=; {gone}; HttpOnly"));
    set_cookie(&mut response, &format!("{CSRF_COOKIE}=; {gone}"));
    // Not `cookies`: it would empty the jars of every host beside this one, and take from a tab that
    // offers to sign in already the cookie of its ceremony.
    let left_behind = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", left_behind);
    Ok(response)
}
