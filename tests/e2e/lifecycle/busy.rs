//! One page under a thousand challenges a second, from a server's half in the few lines that an integrator
//! would write around `holdfast_protocol`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use axum::extract::ws::{Message as WsMessage, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
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
use holdfast_tests::browser::{Browser, Kind};
use holdfast_tests::wait;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::package::{script, their_console};

const CONNECTIONS: usize = 50;
/// Each connection is challenged some thirty times a second.
const TIMING: Timing = Timing { interval_ms: 25, jitter_ms: 15, answer_within_ms: 10_000 };

/// Long tasks are told by Chromium alone. On a machine with other work a task may be long for being
/// interrupted; what the page does by itself it does in every stretch of time.
#[tokio::test]
async fn a_thousand_challenges_a_second_leave_the_page_responsive() -> Result<()> {
    let origin = serve().await?;
    let browser = Browser::start(Kind::Chromium).await?;
    browser.goto(&format!("{origin}/theirs/")).await?;
    browser.execute_async("window.page = await import('/theirs/busy.mjs');", &[]).await?;
    let seen = browser.execute_async("return await window.page.provoke()", &[]).await?;
    ensure!(seen == json!(true), "the browser does not tell of long tasks");
    browser.execute_async("await window.page.begin(arguments[0])", &[json!(CONNECTIONS)]).await?;
    let calm = wait::until_within(Duration::from_secs(120), async || {
        sleep(Duration::from_millis(500)).await;
        let calm = browser.execute("return window.page.wasCalm(1000, 1000)", &[]).await?;
        Ok((calm == json!(true)).then_some(()))
    });
    let calm = calm.await?;
    let seen = browser.execute("return window.page.seen()", &[]).await?;
    println!("{seen}");
    calm.with_context(|| format!("the page is never at ease: {seen}"))
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

async fn serve() -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let console = Console { origin: origin.clone(), clock, entropy, tickets: Tickets::default() };
    let site = Router::new()
        .route("/v1/connections/tickets", post(ticket))
        .route("/v1/streams/busy", get(stream))
        .with_state(console)
        .merge(their_console())
        .route("/theirs/busy.mjs", get(|| async { script(include_str!("busy.mjs").into()) }));
    tokio::spawn(async move { axum::serve(listener, site).await });
    Ok(origin)
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
