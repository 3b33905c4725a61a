//! Refusals, as RFC 9457 problem documents. Whatever goes wrong ends here.

use crate::{access::COOKIE_ATTRIBUTES, db};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use holdfast_protocol::problem::{Code, Problem, StepUpReason};

/// A request that is not carried out.
#[derive(Debug)]
pub struct Refusal {
    problem: Box<Problem>,
    taken_back: Option<&'static str>,
}

pub type Result<T, E = Refusal> = std::result::Result<T, E>;

impl Refusal {
    /// With another sentence than the code's own.
    pub fn with_detail(code: Code, detail: impl Into<String>) -> Self {
        let mut refusal = Self::from(code);
        refusal.problem.detail = detail.into();
        refusal
    }

    /// Too many tries; the next makes sense after so many seconds.
    pub fn retry_after(code: Code, seconds: u32) -> Self {
        let mut refusal = Self::from(code);
        refusal.problem.retry_after_s = Some(seconds.max(1));
        refusal
    }

    /// A cookie of this name is no good any more, and the browser drops it.
    pub fn taking_back(cookie: &'static str, code: Code) -> Self {
        Self { taken_back: Some(cookie), ..Self::from(code) }
    }

    /// The operation wants a confirmation first.
    pub fn step_up(reason: StepUpReason, preflight: String) -> Self {
        let mut refusal = Self::from(Code::StepUpRequired);
        refusal.problem.reason = Some(reason.as_str().to_owned());
        refusal.problem.preflight = Some(preflight);
        refusal
    }

    /// Ends by itself: milliseconds since 1970.
    pub fn until(code: Code, until_ms: u64) -> Self {
        let mut refusal = Self::from(code);
        refusal.problem.until_ms = Some(until_ms);
        refusal
    }

    pub fn code(&self) -> Code {
        self.problem.code
    }

    /// The sentence for a person.
    pub fn detail(&self) -> &str {
        &self.problem.detail
    }

    /// Whether the server is to blame: the same again may succeed.
    pub(crate) fn is_own_fault(&self) -> bool {
        self.problem.status >= 500
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { taken_back: None, problem: Box::new(Problem::of(code)) }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database refused");
        if db::is_passing(&error) {
            Self::retry_after(Code::Unavailable, 2)
        } else {
            Self::from(Code::Internal)
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.problem.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(cookie) = self.taken_back {
            let gone = format!("{cookie}=; {COOKIE_ATTRIBUTES}; Max-Age=0");
            headers.extend(HeaderValue::from_str(&gone).ok().map(|gone| (header::SET_COOKIE, gone)));
        }
        if self.problem.status == 401 {
            // RFC 9449 section 7.1; RFC 9110 wants a challenge with every 401.
            let error = match self.problem.code {
                Code::UseDpopNonce => "DPoP error=\"use_dpop_nonce\", algs=\"ES256\"",
                Code::PopProofInvalid
                | Code::PopProofReplayed
                | Code::PopForeignKey
                | Code::PopKeyReplaced => "DPoP error=\"invalid_dpop_proof\", algs=\"ES256\"",
                // RFC 6750 section 3.
                Code::AgentTokenInvalid => "Bearer error=\"invalid_token\"",
                _ => "DPoP algs=\"ES256\"",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(error));
        }
        response
    }
}
