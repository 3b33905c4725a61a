//! Streams of somebody else's, behind `pop::layer`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use holdfast_server::app::App;
use holdfast_server::pop::{self, WebSocket, WebSocketUpgrade};

/// How each echo was closed: code, reason, and what was said last; a line each.
type Farewells = Arc<Mutex<String>>;

pub(super) fn streams(app: &App) -> Router {
    let farewells = Farewells::default();
    Router::new()
        .route("/theirs/echo", get(open).layer(pop::layer(app, "/theirs/echo")))
        .route("/theirs/ticks", get(ticks).layer(pop::layer(app, "/theirs/ticks")))
        .route("/theirs/farewells", get(told))
        .with_state(farewells)
}

async fn open(State(farewells): State<Farewells>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| echo(socket, farewells))
}

/// Says everything again; `close CODE REASON` closes, and `leave` just leaves.
async fn echo(mut socket: WebSocket, farewells: Farewells) {
    let mut last = String::new();
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match &message {
            Message::Text(text) if text.as_str() == "leave" => return,
            Message::Text(text) => closing(text).unwrap_or(message.clone()),
            Message::Close(frame) => {
                let said = frame
                    .as_ref()
                    .map_or_else(String::new, |frame| format!("{} {}", frame.code, frame.reason));
                let mut farewells = farewells.lock().unwrap_or_else(PoisonError::into_inner);
                farewells.push_str(&format!("{said} {last}\n"));
                return;
            }
            _ => message.clone(),
        };
        last = String::from_utf8_lossy(&message.into_data()).into_owned();
        // Whoever has closed meanwhile is still heard out.
        drop(socket.send(answer).await);
    }
}

fn closing(text: &str) -> Option<Message> {
    let (code, reason) = text.strip_prefix("close ")?.split_once(' ')?;
    Some(Message::Close(Some(CloseFrame { code: code.parse().ok()?, reason: reason.to_owned().into() })))
}

async fn told(State(farewells): State<Farewells>) -> String {
    farewells.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Events whose id is their data.
async fn ticks() -> Response {
    let ticks = stream::unfold(1_u32, async |number| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let text = number.to_string();
        Some((Ok::<_, axum::Error>(Event::default().event("tick").id(&text).data(&text)), number + 1))
    });
    Sse::new(ticks).into_response()
}
