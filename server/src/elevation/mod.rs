//! Actions that are signed for. `routes` mounts one with its preflight; nothing else can make the
//! `Elevated` that its `Perform::perform` takes, so that none is carried out without its step-up.

mod confirm;
mod preflight;
mod replies;
mod store;
mod trace;

pub(crate) use replies::key as idempotency_key;
pub(crate) use store::{sweep, void_all};

use crate::{
    access::{self, Session, SignedIn},
    app::App,
    audit::{self, Event},
    db::Tx,
    problem::{Refusal, Result},
    readiness,
    wire::Json,
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use confirm::Confirmed;
use holdfast_protocol::{
    commitment::{Commitment, Opening},
    history::Activity,
    problem::{Code, StepUpReason},
    step_up::{Action, Kind, Request},
};
use trace::{Done, Trace};
use zeroize::Zeroizing;

/// What the server does when an action is carried out.
pub(crate) trait Perform: Action {
    /// Refuses what cannot be carried out: before anybody is asked to confirm it, and once more in the
    /// transaction that carries it out. Names that the person has read are compared here; nothing is changed.
    fn check(&self, by: &mut Asker<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Carries it out, in the transaction that spends the step-up. After a refusal nothing of it has
    /// happened, and the step-up is spent all the same. What it changes comes before what it records: the
    /// account's row, which numbers its events, is the last that any transaction holds.
    fn perform(elevated: &mut Elevated<'_, Self>) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// Who tries, and when: one look at the clock, so that what is judged and what is recorded have one time.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    app: &'a App,
    session: &'a Session,
    now_ms: i64,
}

impl<'a> Attempt<'a> {
    fn in_transaction(self, tx: &'a mut Tx) -> Asker<'a> {
        let Self { app, session, now_ms } = self;
        Asker { app, tx, session, now_ms }
    }

    fn event(self, what: Activity) -> Event<'a> {
        event(self.session, what, self.now_ms)
    }
}

/// Who asks, and the transaction of it.
pub(crate) struct Asker<'a> {
    pub app: &'a App,
    pub tx: &'a mut Tx,
    pub session: &'a Session,
    pub now_ms: i64,
}

/// An action that its owner has confirmed just now.
pub(crate) struct Elevated<'a, A> {
    pub by: Asker<'a>,
    pub parameters: A,
    /// What the parameters' commitment speaks of, where they have one.
    pub secret: Option<Zeroizing<Vec<u8>>>,
    /// Keeps others from making one.
    confirmed: Confirmed,
}

impl Asker<'_> {
    /// Records what happened to the asker's account.
    pub(crate) async fn record(&mut self, what: Activity) -> Result<()> {
        Ok(audit::record(self.tx, event(self.session, what, self.now_ms)).await?)
    }
}

/// The addresses of an action.
pub(crate) fn routes<A: Perform>() -> Router<App> {
    Router::new()
        .route(A::KIND.path(), post(act::<A>))
        .route(&A::KIND.preflight(), post(preflight::preflight::<A>))
}

/// `POST` an action.
async fn act<A: Perform>(
    State(app): State<App>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    Json(request): Json<Request<A>>,
) -> Result<Response> {
    let key = if A::WANTS_KEY { Some(replies::wanted_key(&headers)?) } else { replies::key(&headers)? };
    let mut trace = Trace::of(&request.parameters)?;
    let mut tx = access::write_as(&app, &session).await?;
    let attempt = Attempt { app: &app, session: &session, now_ms: app.clock.unix_ms() };
    store::set_out(&mut tx).await?;
    if let Some(key) = key {
        let hash = replies::request_hash(A::KIND, &session.id, &trace.canonical);
        match replies::claim(&mut tx, &session.account, key, &hash, attempt.now_ms).await {
            Ok(None) => {}
            Ok(Some(answer)) => return Ok(answered(answer)),
            Err(refusal) => return Ok(answered(trace.conclude(attempt, tx, Err(refusal)).await?)),
        }
    }
    let tried = carry_out(attempt.in_transaction(&mut tx), request, key, &mut trace).await;
    Ok(answered(trace.conclude(attempt, tx, tried).await?))
}

fn answered(answer: String) -> Response {
    if answer == "null" {
        return StatusCode::NO_CONTENT.into_response();
    }
    ([(axum::http::header::CONTENT_TYPE, "application/json")], answer).into_response()
}

async fn carry_out<A: Perform>(
    mut by: Asker<'_>,
    request: Request<A>,
    key: Option<&str>,
    trace: &mut Trace,
) -> Result<(String, Done)> {
    let Request { parameters, secret, confirmation } = request;
    let held_since_ms = admit(&mut by, A::KIND).await?;
    let confirmed = confirm::confirm(&mut by, &parameters, confirmation, held_since_ms, trace).await?;
    let secret = open(parameters.commitment(), secret)?;
    parameters.check(&mut by).await?;
    let mut elevated = Elevated { by, parameters, secret, confirmed };
    let answer = A::perform(&mut elevated).await?;
    let answer = serde_json::to_string(&answer).map_err(|why| access::refuse(Code::Internal, why))?;
    let Elevated { by, confirmed, .. } = elevated;
    if let Some(key) = key {
        store::answer(by.tx, &by.session.account, key, &answer).await?;
    }
    Ok((answer, confirmed.done()))
}

/// The secret that the parameters speak of, which is nobody else's to choose.
fn open(said: Option<&Commitment>, came: Option<Opening>) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match (said, came) {
        (None, None) => Ok(None),
        (Some(said), Some(came)) if came.opens(said) => Ok(Some(Zeroizing::new(came.value.0))),
        _ => Err(access::refuse(Code::StepUpMismatch, "made for another secret")),
    }
}

/// Refuses what the account may not do now. Gives since when it is held back, where the action works all the
/// same by a passkey that is older.
async fn admit(by: &mut Asker<'_>, kind: Kind) -> Result<Option<i64>> {
    let facts = readiness::facts(by.tx, &by.session.account).await?;
    if facts.passkeys == 0 {
        return Err(required(kind, StepUpReason::Setup));
    }
    readiness::admit(&facts, kind.power(), by.now_ms)
}

/// What wants a confirmation says where to get it.
pub(crate) fn required(kind: Kind, reason: StepUpReason) -> Refusal {
    Refusal::step_up(reason, kind.preflight())
}

fn event(session: &Session, what: Activity, at_ms: i64) -> Event<'_> {
    Event {
        account: &session.account,
        what,
        device: Some(&session.device),
        session: Some(&session.id),
        at_ms,
    }
}
