//! The two requests that a connection needs: a ticket to open it, and answers on server-sent events.

use crate::{
    PopClient, PopError,
    address::{Path, is_ticket},
    browser::{member, text_member, whole},
    effect::NotDialled,
    key::Key,
    proof::joined,
    task::Settled,
};
use holdfast_protocol::{ids::ConnectionId, pop::Message};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// The CSRF token, or nothing.
    #[cfg(feature = "js")]
    #[wasm_bindgen(js_name = csrfToken)]
    pub(crate) fn csrf_token(given: Option<&Function>) -> Promise;
    fn post(
        address: &str,
        content_type: &str,
        body: &str,
        proof: Option<&str>,
        csrf: Option<&Function>,
    ) -> Promise;
}

const TICKETS: &str = "/v1/connections/tickets";

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
    let Some(answer) = answered else { return Err(NotDialled::Later { after_ms: 0 }) };
    let later = NotDialled::Later { after_ms: number(&answer, "after") };
    match status(&answer) {
        200..=299 => read(&answer).ok_or(later),
        408 | 425 | 429 | 500..=599 => Err(later),
        // What is neither a ticket nor a problem of this server's is from in between: a portal, a proxy.
        _ if wants_nonce(&answer) || member(&answer, "code").is_none() => Err(later),
        401 => Err(NotDialled::SignedOut),
        _ => Err(NotDialled::Refused),
    }
}

/// Posts with a proof, twice if the server wants its newer nonce in it. `None`: no answer came.
async fn post_proven(
    client: &PopClient,
    key: &Key,
    path: &Path,
    content_type: &str,
    body: &str,
) -> Result<Option<JsValue>, PopError> {
    let address = client.origin().http(path);
    let mut may_repeat = true;
    loop {
        let proof = client.prove(key, "POST", path).await?;
        let answer = Settled::from(post(&address, content_type, body, Some(&proof), client.csrf())).await;
        let Ok(answer) = answer else { return Ok(None) };
        if let Some(nonce) = text_member(&answer, "nonce") {
            client.note_nonce(&nonce);
        }
        if !(may_repeat && wants_nonce(&answer)) {
            return Ok(Some(answer));
        }
        may_repeat = false;
    }
}

fn status(answer: &JsValue) -> u64 {
    number(answer, "status")
}

fn number(answer: &JsValue, name: &str) -> u64 {
    member(answer, name).and_then(|number| number.as_f64()).map_or(0, whole)
}

fn wants_nonce(answer: &JsValue) -> bool {
    member(answer, "stale").is_some()
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
    let answered = if let Message::Answer { .. } = message {
        let address = client.origin().http(&path);
        Settled::from(post(&address, "text/plain", &text, None, client.csrf())).await.ok()
    } else {
        post_proven(client, key, &path, "text/plain", &text).await.ok().flatten()
    };
    match answered.as_ref().map(status) {
        Some(401 | 403 | 404) => Delivery::NoConnection,
        Some(_) | None => Delivery::Done,
    }
}

fn read(body: &JsValue) -> Option<Ticket> {
    let connection = ConnectionId::parse(&text_member(body, "connection")?).ok()?;
    let secret = text_member(body, "ticket").filter(|secret| is_ticket(secret))?;
    Some(Ticket { connection, secret })
}
