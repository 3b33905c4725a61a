//! The server's half of proof of possession in the few lines that an integrator would write around
//! `holdfast_protocol`, which challenges a page a thousand times a second: what that costs the page is tested and
//! measured with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::extract::ws::{Message as WsMessage, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use holdfast_protocol::dpop::{PublicKey, UnverifiedProof};
use holdfast_protocol::ids::{ConnectionId, Thumbprint};
use holdfast_protocol::pop::{
    Binding, Frame, Fresh, Message, SUBPROTOCOL, Step, Timing, Verifier, VerifySignature, unescape,
};
use holdfast_server::secrets::p256_verifies;
use holdfast_server::{clock::Clock, entropy::Entropy};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::browser::Browser;

/// What a page opens: each connection is challenged some thirty times a second.
pub const CONNECTIONS: usize = 50;
const TIMING: Timing = Timing { interval_ms: 25, jitter_ms: 15, answer_within_ms: 10_000 };

/// To be merged into a site at this origin that has the npm package in `/theirs/pop/`. `/theirs/busy.mjs` is what
/// a page runs.
pub fn challenger(origin: &str) -> Router {
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let console = Console { origin: origin.to_owned(), clock, entropy, tickets: Tickets::default() };
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript")], include_str!("challenger.mjs")) };
    Router::new()
        .route("/v1/connections/tickets", post(ticket))
        .route("/v1/streams/busy", get(stream))
        .with_state(console)
        .route("/theirs/busy.mjs", get(script))
}

/// A thousand challenges of a page in a row.
#[derive(Debug, Deserialize)]
pub struct Stretch {
    /// Milliseconds from before the first to the last.
    pub took: f64,
    /// The longest task meanwhile, in milliseconds; 0 where none had more than 50.
    pub longest: f64,
}

impl Stretch {
    /// All that are over in a page in which `busy.mjs` is `window.page`.
    pub async fn seen(browser: &Browser) -> Result<Vec<Self>> {
        let seen = browser.execute("return window.page.stretches(1000)", &[]).await?;
        serde_json::from_value(seen).context("read what the page has seen")
    }
}

/// Tickets that wait for their connection.
type Tickets = Arc<Mutex<HashMap<String, Minted>>>;

#[derive(Clone)]
struct Console {
    origin: String,
    clock: Clock,
    entropy: Entropy,
    tickets: Tickets,
}

struct Minted {
    binding: Binding,
    key: Key,
}

struct Key(PublicKey);

impl VerifySignature for Key {
    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        p256_verifies(&self.0, message, signature)
    }
}

/// Whoever proves a key is given a ticket for it: there are no sessions here.
async fn ticket(State(console): State<Console>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    match mint(&console, &headers, &asked) {
        Ok(ticket) => Json(ticket).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error:#}")).into_response(),
    }
}

fn mint(console: &Console, headers: &HeaderMap, asked: &Value) -> Result<Value> {
    let proof = headers.get("DPoP").context("a proof")?.to_str()?;
    let signed = UnverifiedProof::read(proof)?.verify(p256_verifies)?;
    signed.require_for("POST", &format!("{}/v1/connections/tickets", console.origin))?;
    let nonce = asked["client_nonce"].as_str().context("a nonce")?;
    let connection = ConnectionId::make(console.entropy.make());
    let jkt: Thumbprint = signed.jkt;
    let Ok(binding) = Binding::new(&console.origin, connection.clone(), nonce, jkt) else {
        bail!("no nonce")
    };
    let minted = Minted { binding, key: Key(signed.key) };
    let mut tickets = console.tickets.lock().unwrap_or_else(PoisonError::into_inner);
    tickets.insert(connection.to_string(), minted);
    Ok(json!({ "connection": connection, "ticket": connection, "expires_in_s": 60 }))
}

async fn stream(
    State(console): State<Console>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let minted = query
        .get("ticket")
        .and_then(|ticket| console.tickets.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket));
    let Some(minted) = minted else { return StatusCode::FORBIDDEN.into_response() };
    upgrade.protocols([SUBPROTOCOL]).on_upgrade(|socket| async move {
        // The browser hangs up when the test is over.
        let _gone: Result<()> = challenge(console, minted, socket).await;
    })
}

/// The whole of a connection: the machine decides, this carries.
async fn challenge(console: Console, minted: Minted, mut socket: WebSocket) -> Result<()> {
    let Minted { binding, key } = minted;
    let now = || console.clock.now();
    let fresh = || Fresh {
        nonce: holdfast_protocol::base64url::encode(&console.entropy.make::<16>()),
        jitter: u32::from_be_bytes(console.entropy.make()),
    };
    let mut step = Verifier::open(binding, TIMING, now(), fresh());
    loop {
        let Step { next, send, .. } = step;
        for message in send {
            socket.send(WsMessage::Text(format!("\u{1}{}", message.encode()).into())).await?;
        }
        let Some(deadline_ms) = next.deadline_ms() else { return Ok(()) };
        let left = Duration::from_millis(deadline_ms.saturating_sub(now().monotonic_ms));
        step = match timeout(left, socket.recv()).await {
            Err(_) => next.on_deadline(now(), fresh()),
            Ok(Some(Ok(WsMessage::Text(text)))) => match unescape(&text) {
                Frame::Control(control) => {
                    let message =
                        Message::parse(control).map_err(|_| anyhow::anyhow!("no message: {control}"))?;
                    next.on_message(&message, &key, now(), fresh())
                }
                Frame::Application(_) => bail!("nothing else is said here"),
            },
            Ok(Some(Ok(_))) => Step { next, send: Vec::new(), outcome: None },
            Ok(Some(Err(_)) | None) => return Ok(()),
        };
    }
}
