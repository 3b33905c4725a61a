use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::watch;

use crate::wait;

/// What passes between browsers and server: everything is noted, and a test can interfere.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    exchanges: Mutex<Vec<Exchange>>,
    interference: watch::Sender<Interference>,
    waiting: AtomicUsize,
}

/// A request, and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub status: StatusCode,
}

impl Exchange {
    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The request's body.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("read a request's body")
    }
}

/// What stands in the way of paths that contain the given text.
#[derive(Clone, Copy, Debug, Default)]
enum Interference {
    #[default]
    None,
    /// The request waits.
    Held(&'static str),
    /// The server's answer is 503.
    Broken(&'static str),
    /// The server does what it is asked; its answer is lost on the way.
    Unheard(&'static str),
    /// One bit of the first answer's body is another.
    Spoilt(&'static str),
    /// What is answered with success, in JSON, is told otherwise.
    Told(&'static str, fn(&mut Value)),
    /// Somebody else answers, at exactly this path.
    Answered(&'static str, fn() -> Response),
}

impl Wire {
    /// Everything that was asked and answered so far, the oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().clone()
    }

    /// What was asked of exactly this path.
    pub fn exchanges_at(&self, path: &str) -> Vec<Exchange> {
        self.exchanges().into_iter().filter(|exchange| exchange.path == path).collect()
    }

    /// Waits for the next exchange that `is_it`, counted from `after` exchanges on.
    pub async fn sees(&self, after: usize, is_it: impl Fn(&Exchange) -> bool) -> Result<Exchange> {
        let seen = async || Ok(self.exchanges().into_iter().skip(after).find(|exchange| is_it(exchange)));
        match wait::until(seen).await? {
            Some(exchange) => Ok(exchange),
            None => bail!("the exchange that was waited for did not come"),
        }
    }

    /// Requests to such paths wait until [`Wire::mend`].
    pub fn hold(&self, path: &'static str) {
        self.0.interference.send_replace(Interference::Held(path));
    }

    /// Waits until so many requests are held.
    pub async fn holds(&self, count: usize) -> Result<()> {
        let held = async || Ok((self.0.waiting.load(Ordering::SeqCst) >= count).then_some(()));
        wait::until(held).await?.with_context(|| format!("fewer than {count} requests wait"))
    }

    /// Requests to such paths are answered with 503 until [`Wire::mend`].
    pub fn break_off(&self, path: &'static str) {
        self.0.interference.send_replace(Interference::Broken(path));
    }

    /// Requests to such paths reach the server, and its answer does not come back, until [`Wire::mend`].
    pub fn lose_answers(&self, path: &'static str) {
        self.0.interference.send_replace(Interference::Unheard(path));
    }

    /// In the very first answer from each such path one bit is another.
    pub fn spoil(&self, path: &'static str) {
        self.0.interference.send_replace(Interference::Spoilt(path));
    }

    /// What the server answers from such paths, in JSON, is told otherwise until [`Wire::mend`].
    pub fn lie(&self, path: &'static str, lie: fn(&mut Value)) {
        self.0.interference.send_replace(Interference::Told(path, lie));
    }

    /// Requests to exactly this path are answered so, and do not reach the server, until [`Wire::mend`].
    pub fn answer(&self, path: &'static str, answer: fn() -> Response) {
        self.0.interference.send_replace(Interference::Answered(path, answer));
    }

    /// Nothing stands in the way any more.
    pub fn mend(&self) {
        self.0.interference.send_replace(Interference::None);
    }

    fn is_first_at(&self, path: &str) -> bool {
        !self.lock().iter().any(|exchange| exchange.path == path)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a request that waits, also one whose browser has given up.
struct Waiting<'wire>(&'wire Wire);

impl<'wire> Waiting<'wire> {
    fn on(wire: &'wire Wire) -> Self {
        wire.0.waiting.fetch_add(1, Ordering::SeqCst);
        Self(wire)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Stands before the server.
pub(super) async fn tap(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, 1 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut exchange = Exchange {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.clone(),
        body: bytes.clone(),
        status: StatusCode::OK,
    };
    let meets = |path: &str| exchange.path.contains(path);

    let mut interference = wire.0.interference.subscribe();
    let stands = |now: &Interference| matches!(now, Interference::Held(path) if meets(path));
    let held = Waiting::on(&wire);
    // The sender lives as long as the wire.
    let _ = interference.wait_for(|now| !stands(now)).await;
    drop(held);
    let now = *wire.0.interference.borrow();
    let response = match now {
        Interference::Broken(path) if meets(path) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Interference::Unheard(path) if meets(path) => {
            let _ = next.run(Request::from_parts(parts, Body::from(bytes))).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        Interference::Spoilt(path) if meets(path) && wire.is_first_at(&exchange.path) => {
            // A compressed file that does not unpack would prove nothing.
            parts.headers.remove(header::ACCEPT_ENCODING);
            flipped(next.run(Request::from_parts(parts, Body::from(bytes))).await).await
        }
        Interference::Told(path, lie) if meets(path) => {
            told(next.run(Request::from_parts(parts, Body::from(bytes))).await, lie).await
        }
        Interference::Answered(path, answer) if exchange.path == path => answer(),
        _ => next.run(Request::from_parts(parts, Body::from(bytes))).await,
    };
    exchange.status = response.status();
    wire.lock().push(exchange);
    response
}

async fn told(response: Response, lie: fn(&mut Value)) -> Response {
    if !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let Ok(mut value) = serde_json::from_slice(&bytes) else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    lie(&mut value);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(value.to_string()))
}

async fn flipped(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, 1 << 26).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    Response::from_parts(parts, Body::from(bytes))
}
