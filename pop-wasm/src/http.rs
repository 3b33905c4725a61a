//! The two requests that a connection needs: a ticket to open it, and answers on server-sent events.

use crate::{
    PopClient, PopError,
    address::{Path, is_ticket},
    browser::{global, member, object, set, text_member},
    effect::NotDialled,
    key::Key,
    proof::joined,
    task::Settled,
};
use holdfast_protocol::{ids::ConnectionId, parts::parts, pop::Message};
use js_sys::{Object, Promise};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{AbortSignal, Response};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(address: &str, options: &Object) -> Promise;
}

const TICKETS: &str = "/v1/connections/tickets";
const WITHIN_MS: u32 = 15_000;

/// A one-time secret that opens one connection.
pub(crate) struct Ticket {
    pub(crate) connection: ConnectionId,
    pub(crate) secret: String,
}

/// Asks for a ticket, twice if the server wants its newer nonce in the proof.
pub(crate) async fn ticket(
    client: &PopClient,
    key: &Key,
    stream: &Path,
    client_nonce: &str,
) -> Result<Ticket, NotDialled> {
    let tickets = client.origin().path(TICKETS).map_err(|_| NotDialled::Refused)?;
    // A checked path and base64url: JSON writes both as they are.
    let body = joined(&[r#"{"stream":""#, stream.as_str(), r#"","client_nonce":""#, client_nonce, r#""}"#]);
    let answered = post_proven(client, key, &tickets, "application/json", &body).await;
    let answered = answered.map_err(|error| match error {
        PopError::BadArgument | PopError::WrongOrigin => NotDialled::Refused,
        _ => NotDialled::NoKey,
    })?;
    let Some(Answered { status, body, after_ms }) = answered else {
        return Err(NotDialled::Later { after_ms: 0 });
    };
    match status {
        // Anything but a ticket is not from this server: a portal, a proxy. Perhaps later.
        200..=299 => read(&body).ok_or(NotDialled::Later { after_ms: 0 }),
        401 if wants_nonce(&body) => Err(NotDialled::Later { after_ms: 0 }),
        401 => Err(NotDialled::SignedOut),
        408 | 425 | 429 | 500..=599 => Err(NotDialled::Later { after_ms }),
        _ => Err(NotDialled::Refused),
    }
}

/// What the server said.
struct Answered {
    status: u16,
    body: JsValue,
    /// When it may be asked again.
    after_ms: u64,
}

/// Posts with a proof, twice if the server wants its newer nonce in it. `None`: no answer came.
async fn post_proven(
    client: &PopClient,
    key: &Key,
    path: &Path,
    content_type: &str,
    body: &str,
) -> Result<Option<Answered>, PopError> {
    let address = client.origin().http(path);
    let mut may_repeat = true;
    loop {
        let proof = client.prove(key, "POST", path).await?;
        let Ok(response) = post(client, &address, content_type, body, Some(&proof)).await else {
            return Ok(None);
        };
        if let Some(nonce) = header(&response, "DPoP-Nonce") {
            client.note_nonce(&nonce);
        }
        let (status, after_ms) = (response.status(), retry_after_ms(&response));
        let answer = json(&response).await;
        if !(may_repeat && status == 401 && wants_nonce(&answer)) {
            return Ok(Some(Answered { status, body: answer, after_ms }));
        }
        may_repeat = false;
    }
}

fn wants_nonce(body: &JsValue) -> bool {
    text_member(body, "code").as_deref() == Some("use_dpop_nonce")
}

/// What became of an answer that went by POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Taken, or lost on the way: the server says what it thinks of it.
    Done,
    /// The server knows no such connection (any more).
    NoConnection,
}

/// Sends a control message of server-sent events. The signature in an answer is its proof; any other
/// message goes with one.
pub(crate) async fn deliver(
    client: &PopClient,
    key: &Key,
    connection: &ConnectionId,
    message: &Message,
) -> Delivery {
    let path = joined(&["/v1/connections/", connection.as_str(), "/answer"]);
    let Ok(path) = client.origin().path(&path) else { return Delivery::NoConnection };
    let text = message.encode();
    let status = if let Message::Answer { .. } = message {
        let answer = post(client, &client.origin().http(&path), "text/plain", &text, None).await;
        answer.ok().map(|response| response.status())
    } else {
        let answered = post_proven(client, key, &path, "text/plain", &text).await;
        answered.ok().flatten().map(|answered| answered.status)
    };
    match status {
        Some(401 | 403 | 404) => Delivery::NoConnection,
        Some(_) | None => Delivery::Done,
    }
}

async fn post(
    client: &PopClient,
    address: &str,
    content_type: &str,
    body: &str,
    proof: Option<&str>,
) -> Result<Response, JsValue> {
    let headers = object(&[("Content-Type", content_type)]);
    if let Some(proof) = proof {
        set(&headers, "DPoP", &JsValue::from_str(proof));
    }
    if let Some(token) = csrf_token(client).await {
        set(&headers, "X-CSRF-Token", &JsValue::from_str(&token));
    }
    let options = object(&[
        ("method", "POST"),
        ("body", body),
        ("credentials", "same-origin"),
        ("cache", "no-store"),
        // A proof names one address: followed elsewhere it would be stale.
        ("redirect", "error"),
    ]);
    set(&options, "headers", &headers);
    set(&options, "signal", &AbortSignal::timeout_with_u32(WITHIN_MS));
    Settled::from(fetch(address, &options)).await.map(JsCast::unchecked_into)
}

/// What the page gives, or the cookie `csrf`, which windows alone have at hand.
pub(crate) async fn csrf_token(client: &PopClient) -> Option<String> {
    if let Some(csrf) = client.csrf() {
        let token = Promise::resolve(&csrf.call0(&JsValue::UNDEFINED).ok()?);
        return Settled::from(token).await.ok()?.as_string();
    }
    let cookies = text_member(&member(&global(), "document")?, "cookie")?;
    csrf_of(&cookies).map(str::to_owned)
}

fn csrf_of(cookies: &str) -> Option<&str> {
    parts(cookies, b';').find_map(|cookie| cookie.strip_prefix(' ').unwrap_or(cookie).strip_prefix("csrf="))
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

async fn json(response: &Response) -> JsValue {
    match response.json() {
        Ok(body) => Settled::from(body).await.unwrap_or(JsValue::UNDEFINED),
        Err(_) => JsValue::UNDEFINED,
    }
}

fn read(body: &JsValue) -> Option<Ticket> {
    let connection = ConnectionId::parse(&text_member(body, "connection")?).ok()?;
    let secret = text_member(body, "ticket").filter(|secret| is_ticket(secret))?;
    Some(Ticket { connection, secret })
}

fn retry_after_ms(response: &Response) -> u64 {
    header(response, "Retry-After").as_deref().map_or(0, delta_seconds_ms)
}

/// RFC 9110's `delay-seconds`; a date, which Holdfast never sends, counts as nothing.
fn delta_seconds_ms(text: &str) -> u64 {
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return 0;
    }
    text.bytes().fold(0, |sum: u64, byte| sum * 10 + u64::from(byte - b'0')) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_csrf_cookie_among_others() {
        assert_eq!(csrf_of("csrf=abc"), Some("abc"));
        assert_eq!(csrf_of("theme=dark; csrf=abc=; x=y"), Some("abc="));
        assert_eq!(csrf_of("xcsrf=abc; csrf2=d"), None);
        assert_eq!(csrf_of(""), None);
    }

    #[test]
    fn retry_after_is_seconds() {
        assert_eq!(delta_seconds_ms("30"), 30_000);
        assert_eq!(delta_seconds_ms("0"), 0);
        for other in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9999999999"] {
            assert_eq!(delta_seconds_ms(other), 0, "{other}");
        }
    }
}
