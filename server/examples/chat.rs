//! A chat behind the proof, and all of Holdfast beside it on one origin:
//! `cargo xtask page && cargo xtask module && cargo run -p holdfast-server --example chat`

use axum::{
    Router,
    extract::{Path, State, ws::Message},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use holdfast_server::{
    app::App, clock::Clock, config::Config, db::Db, entropy::Entropy, listen, pop, secrets::Secret,
};
use std::{error::Error, fs};
use tokio::{net::TcpListener, sync::broadcast};

type Room = broadcast::Sender<String>;

/// The application: a stream, a page, and the npm package for the page.
pub fn chat(holdfast: &App) -> Router {
    Router::new()
        .route("/streams/chat", get(join).layer(pop::layer(holdfast, "/streams/chat")))
        .route("/chat", get(|| async { Html(include_str!("chat.html")) }))
        .route("/pop/{file}", get(package))
        .with_state(Room::new(64))
}

async fn join(State(room): State<Room>, who: pop::Connection, upgrade: pop::WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let mut said = room.subscribe();
        loop {
            tokio::select! {
                line = said.recv() => {
                    let Ok(line) = line else { continue }; // Too slow: some are missed.
                    if socket.send(Message::text(line)).await.is_err() { return }
                }
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => drop(room.send(format!("{}: {text}", who.account()))),
                    Some(_) => {}
                    None => return,
                },
            }
        }
    })
}

async fn package(Path(file): Path<String>) -> Response {
    let kind = match file.as_str() {
        "index.mjs" => "text/javascript",
        "holdfast_pop_bg.wasm" => "application/wasm",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match fs::read(format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/npm/pop/{}"), file)) {
        Ok(bytes) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Err(_) => (StatusCode::NOT_FOUND, "`cargo xtask module` makes it").into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (origin, folder) = ("http://localhost:8080", tempfile::tempdir()?);
    let (secret, token) = (Entropy::system().make_text(), Entropy::system().make_text());
    let config = Config::development(origin, Secret::new(secret), Secret::new(token.clone()));
    let patience = listen::Patience::with(&config);
    let db = Db::open_sqlite(&folder.path().join("chat.sqlite3")).await?;
    let holdfast = App::new(config, db, Clock::system(), Entropy::system());
    println!("Make an account at {origin}/setup#t={token}, then chat at {origin}/chat.");
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    let router = chat(&holdfast).merge(holdfast_server::router(holdfast.clone()));
    listen::serve(listener, router, holdfast, patience).await;
    Ok(())
}
