//! Proof of possession for the live connections of any axum application: the server's half of
//! `protocol/pop.md`.
//!
//! A [`layer`] around a route makes a stream of it. It hands the handler only what was opened rightly, with a
//! ticket and the cookie of the session that minted it; it challenges the browser when the connection opens
//! and again and again; it lets data through, in both directions, only while the browser proves its key; and
//! it closes the connection when the session ends, when the owner says so, or when the proof fails twice. The
//! handler is written as any other, with [`WebSocketUpgrade`] in place of axum's, or with axum's own
//! [`Sse`](axum::response::Sse).
//!
//! ```
//! use axum::{Router, extract::ws::Message, response::{IntoResponse, Response}, routing::get};
//! use holdfast_server::{app::App, pop};
//!
//! fn app(holdfast: App) -> Router {
//!     Router::new()
//!         .route("/streams/echo", get(echo).layer(pop::layer(&holdfast, "/streams/echo")))
//!         .merge(holdfast_server::router(holdfast))
//! }
//!
//! async fn echo(connection: pop::Connection, upgrade: pop::WebSocketUpgrade) -> Response {
//!     println!("{} opens {}", connection.account(), connection.id());
//!     upgrade.on_upgrade(|mut socket| async move {
//!         while let Some(Ok(message)) = socket.recv().await {
//!             if socket.send(message).await.is_err() {
//!                 return;
//!             }
//!         }
//!     })
//! }
//! ```
//!
//! The browser opens it with `@holdfast/pop`: `client.connect("/streams/echo")`, or `client.stream(…)`. A query
//! of the application's own (`/streams/echo?room=7`) reaches the handler as it came, without the ticket, whose
//! name `ticket` it must not use. The ticket is for the path alone: what may be asked for in the query is the
//! handler's to judge.
//!
//! What a handler can rely on, and what is asked of it:
//!
//! - Its callback is called, and its stream is read, after the first proof. What it does before, while it
//!   makes its answer, it does for a session whose key has proven the request for the ticket.
//! - While the connection is held, receiving and sending wait; what has come meanwhile (64 KiB, else the
//!   connection is closed with 4413) and what was sent before is delivered after the next proof, in order,
//!   or dropped at the end.
//! - A message of the browser has at most 64 KiB. An application that takes none for long is closed with
//!   4413, since answers to challenges come behind them; so is one whose reader takes nothing for 10 s.
//! - It closes with codes of its own, and hears those of the browser: 4400 to 4499 are neither's. After 1000, and
//!   3000 to 4999, the browser does not come back; after 1001 and 1011 to 1014 it does.
//! - An event of its own must not be named `pop`: the connection is closed with 4400. Its body must not be
//!   compressed.
//! - What is behind the layer and neither upgrades, answers with `text/event-stream`, nor refuses with 4xx
//!   or 5xx is answered with 500: nothing leaves without a proof.

mod errands;
mod events;
mod mailbox;
mod opening;
mod registry;
mod rules;
mod runner;
mod socket;
mod sse;
mod store;
mod streams;
mod tickets;
mod websocket;

pub use opening::Connection;
pub use registry::Registry;
pub(crate) use registry::{Answer, NotTaken};
pub use socket::{WebSocket, WebSocketUpgrade};
pub(crate) use store::sweep;
pub use streams::{Stream, Streams};
pub(crate) use tickets::{grant, mint};

use crate::{app::App, page};
use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::Route,
};
use std::convert::Infallible;
use tower::{Layer, Service};

/// What a layer guards.
#[derive(Clone)]
struct Guarded {
    app: App,
    stream: Stream,
}

/// Declares a stream, so that browsers get tickets for it, and puts what it is laid around behind the proof.
/// One layer is one stream, at exactly this path; whatever else comes through it is answered with 404.
pub fn layer(
    app: &App,
    stream: impl Into<Stream>,
) -> impl Layer<
    Route,
    Service: Service<Request, Response = Response, Error = Infallible, Future: Send>
                 + Clone
                 + Send
                 + Sync
                 + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let guarded = Guarded { app: app.clone(), stream: stream.into() };
    app.streams.declare(&guarded.stream);
    from_fn_with_state(guarded, pass)
}

async fn pass(State(guarded): State<Guarded>, request: Request, next: Next) -> Response {
    let opened = opening::open(&guarded, request, next).await;
    let mut response = opened.unwrap_or_else(IntoResponse::into_response);
    page::guard_headers(&guarded.app, response.headers_mut());
    response
}
