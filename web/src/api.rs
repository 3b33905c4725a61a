use crate::{browser, clock, json, problem::Failure};
use gloo_net::{
    Error,
    http::{Method, RequestBuilder},
};
use gloo_timers::future::TimeoutFuture;
use holdfast_pop::{Lock, NewKey, PopClient};
use holdfast_protocol::problem::{Code, Problem};
use serde::{Serialize, de::DeserializeOwned};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;
use yew::Callback;

const TIMEOUT_MS: u32 = 20_000;
/// How often, and how long apart, another tab's key is looked for.
const KEY_LOOKS: u32 = 20;
const KEY_EVERY_MS: u32 = 100;
/// How long another tab may take to begin its ceremony.
const BEGIN_WITHIN_MS: u32 = 10_000;

/// What an address asks of its caller; the server's extractors have the same names.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// Nothing but the page's own origin.
    Public,
    /// A proof by the key that the ceremony vouches for.
    Ceremony(&'a NewKey),
    /// A proof by the session's key, and the CSRF token.
    SignedIn,
}

/// One request.
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a str,
    access: Access<'a>,
    body: Option<String>,
    header: Option<(&'static str, &'a str)>,
}

impl<'a> Call<'a> {
    /// Asks.
    pub fn get(path: &'a str, access: Access<'a>) -> Self {
        Self { method: Method::GET, path, query: "", access, body: None, header: None }
    }

    /// Changes something.
    pub fn post(path: &'a str, access: Access<'a>, body: &impl Serialize) -> Self {
        // The types of the wire always serialise; an empty body would be refused by the server.
        Self::post_json(path, access, serde_json::to_string(body).unwrap_or_default())
    }

    /// The same with what is JSON already.
    pub fn post_json(path: &'a str, access: Access<'a>, body: String) -> Self {
        Self { method: Method::POST, path, query: "", access, body: Some(body), header: None }
    }

    /// What follows the question mark. A proof does not cover it (RFC 9449, `htu`).
    pub fn query(self, query: &'a str) -> Self {
        Self { query, ..self }
    }

    /// `X-Setup-Token`
    pub fn setup_token(self, token: &'a str) -> Self {
        Self { header: Some(("X-Setup-Token", token)), ..self }
    }

    /// `Idempotency-Key`: the same request once more gets the same answer.
    pub fn idempotency_key(self, key: &'a str) -> Self {
        Self { header: Some(("Idempotency-Key", key)), ..self }
    }
}

/// The server, as this page talks to it.
#[derive(Clone)]
pub struct Api(Rc<Inner>);

struct Inner {
    pop: PopClient,
    on_signed_out: Callback<Code>,
}

impl PartialEq for Api {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

struct Answer {
    status: u16,
    text: String,
}

impl Api {
    /// `on_signed_out` hears of every 401 of the server's own that a signed-in request gets.
    pub fn new(pop: PopClient, on_signed_out: Callback<Code>) -> Self {
        Self(Rc::new(Inner { pop, on_signed_out }))
    }

    /// The key of this browser.
    pub fn pop(&self) -> &PopClient {
        &self.0.pop
    }

    /// Asks, and takes a 401 of a signed-in request for the end of the session.
    pub async fn call<A: DeserializeOwned>(&self, call: Call<'_>) -> Result<A, Failure> {
        Ok(json::from_str(&self.checked(call).await?)?)
    }

    /// Begins a ceremony; what is answered is for the browser itself. One tab at a time: of two that begin
    /// before the browser has its ceremony cookie, each would get one, and the later would end the earlier.
    pub async fn begin(&self, call: Call<'_>) -> Result<JsValue, Failure> {
        let _alone = Lock::acquire("holdfast-ceremony", BEGIN_WITHIN_MS).await;
        self.call_unread(call).await
    }

    /// As [`Api::call`]; what is answered is left as the browser reads it.
    pub async fn call_unread(&self, call: Call<'_>) -> Result<JsValue, Failure> {
        Ok(json::parse(&self.checked(call).await?)?)
    }

    /// Asks, and leaves it to the caller what a 401 means.
    pub async fn ask<A: DeserializeOwned>(&self, call: Call<'_>) -> Result<A, Failure> {
        Ok(json::from_str(&self.exchange(&call).await?)?)
    }

    async fn checked(&self, call: Call<'_>) -> Result<String, Failure> {
        let answer = self.exchange(&call).await;
        if let (Access::SignedIn, Err(Failure::Refused(problem))) = (call.access, &answer)
            && problem.status == 401
        {
            self.0.on_signed_out.emit(problem.code);
        }
        answer
    }

    /// One exchange; once more where the proof only lacked a fresh nonce, and once more where another
    /// tab has replaced the key in the meantime.
    async fn exchange(&self, call: &Call<'_>) -> Result<String, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.send(call).await?;
            if (200..300).contains(&answer.status) {
                return Ok(answer.text);
            }
            let Ok(problem) = json::from_str::<Problem>(&answer.text) else {
                return Err(unexplained(answer.status));
            };
            let again = match problem.code {
                Code::UseDpopNonce => true,
                Code::PopKeyReplaced => self.newer_key().await,
                Code::PopForeignKey | Code::SignedOut => self.0.pop.refresh_key().await,
                _ => false,
            };
            if !again || tries > 2 {
                return Err(Failure::Refused(Box::new(problem)));
            }
        }
    }

    /// Another tab has signed in: the cookie of its session is here before its key is stored. Whoever does not wait
    /// for that is signed out for a moment, and loses what was open.
    async fn newer_key(&self) -> bool {
        for _ in 0..KEY_LOOKS {
            if self.0.pop.refresh_key().await {
                return true;
            }
            TimeoutFuture::new(KEY_EVERY_MS).await;
        }
        false
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let address =
            if call.query.is_empty() { call.path.to_owned() } else { [call.path, "?", call.query].concat() };
        let mut request = RequestBuilder::new(&address)
            .method(call.method.clone())
            .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
        if let Some(proof) = self.proof(call).await? {
            request = request.header("DPoP", &proof);
        }
        if let Some((name, value)) = call.header {
            request = request.header(name, value);
        }
        if matches!(call.access, Access::SignedIn)
            && call.method != Method::GET
            && let Some(csrf) = browser::cookie("csrf")
        {
            request = request.header("X-CSRF-Token", &csrf);
        }
        let request = match &call.body {
            Some(body) => request.header("Content-Type", "application/json").body(body.as_str()),
            None => request.build(),
        };
        let response =
            request.map_err(|_| Failure::Unreadable)?.send().await.map_err(|error| away(&error))?;
        let headers = response.headers();
        if let Some(nonce) = headers.get("DPoP-Nonce") {
            self.0.pop.note_nonce(&nonce);
        }
        if let Some(date) = headers.get("Date") {
            clock::note_server_date(&date);
        }
        let text = response.text().await.map_err(|error| away(&error))?;
        Ok(Answer { status: response.status(), text })
    }

    /// A browser without a key sends none: the server then says what that means.
    async fn proof(&self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        let pop = &self.0.pop;
        let method = call.method.as_str();
        match call.access {
            Access::Public => Ok(None),
            Access::Ceremony(key) => Ok(Some(key.proof(pop, method, call.path).await?)),
            Access::SignedIn if pop.thumbprint().is_none() => Ok(None),
            Access::SignedIn => Ok(Some(pop.proof(method, call.path).await?)),
        }
    }
}

/// A refusal that is not a problem document comes from something in between, or a broken server.
fn unexplained(status: u16) -> Failure {
    let (code, words) = match status {
        // What stands in between wants to know who asks, or knows no such place. Of the session that says nothing,
        // nor of what an action sent before has come to.
        401 | 403 | 404 | 407 => return Failure::ServerAway,
        502..=504 => (Code::Unavailable, const { Code::Unavailable.words() }),
        413 => (Code::TooLarge, const { Code::TooLarge.words() }),
        429 => (Code::RateLimited, const { Code::RateLimited.words() }),
        _ => (Code::Internal, const { Code::Internal.words() }),
    };
    Failure::Refused(Box::new(Problem { status, ..Problem::in_words(code, words) }))
}

fn away(error: &Error) -> Failure {
    match error {
        Error::JsError(error) if error.name == "TimeoutError" => Failure::TooSlow,
        _ if !browser::is_online() => Failure::Offline,
        _ => Failure::ServerAway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_is_no_problem_document_still_has_a_code_and_ends_no_session() {
        assert_eq!(unexplained(502).code(), Some(Code::Unavailable));
        assert_eq!(unexplained(500).code(), Some(Code::Internal));
        let Failure::Refused(problem) = unexplained(418) else { panic!("it was refused") };
        assert_eq!(problem.status, 418);
        for status in [401, 403, 404, 407] {
            assert_eq!(unexplained(status), Failure::ServerAway, "{status}");
        }
    }
}
