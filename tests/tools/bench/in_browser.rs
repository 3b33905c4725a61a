//! The module in Chromium's main thread: from the challenge's message event to the call of `send()`,
//! and one DPoP proof, each against the bare signature of the same key, in turn.

use crate::{Aim, Figure, ROUNDS, folder, median};
use anyhow::{Context as _, Result};
use axum::{
    Json, Router,
    extract::{
        Path, State,
        ws::{Message as Frame, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use holdfast_protocol::{
    ids::ConnectionId,
    pop::{Challenge, Message, SUBPROTOCOL},
};
use holdfast_tests::browser::{Browser, Kind};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, sync::Arc};

#[derive(Clone)]
struct Files(Arc<[PathBuf; 2]>);

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let files = Files(Arc::new([folder("HOLDFAST_POP_DIR")?, folder("HOLDFAST_DPOP_DIR")?]));
    let site = Router::new()
        .route("/", get(|| async { isolated("text/html", include_str!("page.html").into()) }))
        .route("/bench.mjs", get(|| async { isolated("text/javascript", include_str!("page.mjs").into()) }))
        .route(
            "/pop/{file}",
            get(|State(files): State<Files>, Path(file)| async move { serve(&files.0[0], file) }),
        )
        .route(
            "/dpop/{file}",
            get(|State(files): State<Files>, Path(file)| async move { serve(&files.0[1], file) }),
        )
        .route("/v1/connections/tickets", post(ticket))
        .route("/v1/streams/bench", get(stream))
        .route("/frames", get(frames))
        .with_state(files);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://localhost:{}/", listener.local_addr()?.port());
    tokio::spawn(async move { axum::serve(listener, site).await });

    let browser = Browser::start(Kind::Chromium).await?;
    browser.goto(&address).await?;
    // Each round is a call of its own, so that none outlives a driver's patience.
    browser
        .execute_async("const bench = await import('/bench.mjs'); window.bench = await bench.ready();", &[])
        .await?;
    let mut ratios: [Vec<f64>; 5] = Default::default();
    for round in 0..=ROUNDS {
        let times = browser.execute_async("return await window.bench.round(300);", &[]).await?;
        let time = |name: &str| {
            times.get(name).and_then(Value::as_f64).with_context(|| format!("no time for {name}: {times}"))
        };
        let (in_frame, challenge) = (time("signInFrame")?, time("challenge")?);
        let (sign, proof, npm) = (time("sign")?, time("proof")?, time("npm")?);
        // The first round warms up.
        if round > 0 {
            let found = [challenge / in_frame, proof / sign, proof / npm, in_frame, sign];
            for (ratios, ratio) in ratios.iter_mut().zip(found) {
                ratios.push(ratio);
            }
        }
    }
    let [challenge, proof, over_npm, in_frame_ms, sign_ms] = ratios.map(median);
    Ok(vec![
        Figure { name: "pop.challenge_over_sign", value: challenge, aim: Aim::AtMost(1.2) },
        Figure { name: "pop.proof_over_sign", value: proof, aim: Aim::AtMost(1.35) },
        Figure { name: "pop.proof_over_dpop_npm", value: over_npm, aim: Aim::AtMost(0.7) },
        Figure { name: "pop.bare_sign_in_frame_ms", value: in_frame_ms, aim: Aim::None },
        Figure { name: "pop.bare_sign_ms", value: sign_ms, aim: Aim::None },
    ])
}

/// Cross-origin isolated, because only then is the page's clock fine enough.
pub(crate) fn isolated(kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in
        [("cross-origin-opener-policy", "same-origin"), ("cross-origin-embedder-policy", "require-corp")]
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

pub(crate) fn serve(folder: &std::path::Path, file: String) -> Response {
    let kind = if file.ends_with(".wasm") { "application/wasm" } else { "text/javascript" };
    let inside = !file.contains(['/', '\\']) && !file.starts_with('.');
    match fs::read(folder.join(&file)) {
        Ok(bytes) if inside => isolated(kind, bytes),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn ticket() -> Response {
    let connection = ConnectionId::make([7; 16]);
    let answer = json!({ "connection": connection, "ticket": "bench", "expires_in_s": 60 });
    ([("dpop-nonce", "bench")], Json(answer)).into_response()
}

async fn stream(upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols([SUBPROTOCOL]).on_upgrade(|socket| async move {
        // The browser hangs up when it is done.
        let _gone: Result<()> = challenge(socket).await;
    })
}

/// A frame for each frame.
async fn frames(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(frame)) = socket.recv().await {
            if socket.send(frame).await.is_err() {
                return;
            }
        }
    })
}

/// One challenge to open, and one more for each text of the page.
async fn challenge(mut socket: WebSocket) -> Result<()> {
    let mut sequence = 0;
    loop {
        sequence += 1;
        let challenge = Challenge {
            connection: ConnectionId::make([7; 16]),
            sequence,
            nonce: holdfast_protocol::base64url::encode(&[9; 32]),
            expires_at_ms: 1_763_697_610_000,
        };
        control(&mut socket, &Message::Challenge(challenge)).await?;
        loop {
            let Some(Ok(Frame::Text(text))) = socket.recv().await else { return Ok(()) };
            if !text.starts_with("\u{1}answer ") {
                break;
            }
            control(&mut socket, &Message::Proven { sequence, rtt_ms: 1 }).await?;
        }
    }
}

async fn control(socket: &mut WebSocket, message: &Message) -> Result<()> {
    Ok(socket.send(Frame::Text(format!("\u{1}{}", message.encode()).into())).await?)
}
