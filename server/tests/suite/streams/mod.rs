//! An application's own streams, behind `pop::layer`.

mod chat;
mod endings;
mod events;
mod opening;
mod proving;

use crate::support::{Browser, Line, PATIENCE, SILENCE, World};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{State, ws::Message},
    response::{IntoResponse as _, Response},
    routing::any,
};
use futures_util::stream;
use holdfast_protocol::connections::Transport;
use holdfast_server::{
    app::App,
    pop::{self, Connection, WebSocket, WebSocketUpgrade},
};
use std::{io, sync::Arc};
use tokio::sync::{
    Mutex,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

const BOTH: [Transport; 2] = [Transport::WebSocket, Transport::ServerSentEvents];
const TOO_LONG_MS: u64 = 10_000;
const INTERVAL_MS: u64 = 30_000;

/// Where the application of these tests is.
const STREAM: &str = "/streams/play";

/// What the application is to do.
enum Cue {
    /// Over server-sent events these are the very bytes of the stream.
    Say(Message),
    /// From now on it does not look at what comes.
    BeDeaf,
    Listen,
    Leave,
    Fail,
    Panic,
}

/// What it tells the test.
#[derive(Debug, PartialEq)]
enum Told {
    /// It is at work.
    Began,
    Received(Message),
    /// Whether a message was taken.
    Sent(bool),
    /// The connection is over.
    Over,
}

/// An application that does what the test says.
struct Play {
    world: World,
    cues: UnboundedSender<Cue>,
    told: UnboundedReceiver<Told>,
}

#[derive(Clone)]
struct Actor {
    cues: Arc<Mutex<UnboundedReceiver<Cue>>>,
    tell: UnboundedSender<Told>,
}

impl Play {
    async fn new() -> Self {
        Self::at(STREAM).await
    }

    async fn at(stream: impl Into<pop::Stream>) -> Self {
        let ((cues, given), (tell, told)) = (unbounded_channel(), unbounded_channel());
        let actor = Actor { cues: Arc::new(Mutex::new(given)), tell };
        let world = World::serving(|app| play(app, stream.into(), actor)).await;
        Self { world, cues, told }
    }

    fn cue(&self, cue: Cue) {
        assert!(self.cues.send(cue).is_ok());
    }

    fn say(&self, text: &str) {
        self.cue(Cue::Say(Message::text(text.to_owned())));
    }

    /// The same text whichever way it travels.
    fn say_by(&self, transport: Transport, text: &str) {
        match transport {
            Transport::WebSocket => self.say(text),
            Transport::ServerSentEvents => self.say(&format!("data: {text}\n\n")),
        }
    }

    async fn hear(&mut self) -> Told {
        tokio::time::timeout(PATIENCE, self.told.recv()).await.unwrap().unwrap()
    }

    async fn hear_nothing(&mut self) {
        if let Ok(told) = tokio::time::timeout(SILENCE, self.told.recv()).await {
            panic!("unexpected: {told:?}");
        }
    }

    /// Until it tells no more for a while; gives back how much it told.
    async fn hear_until_silent(&mut self) -> usize {
        let mut told = 0;
        while tokio::time::timeout(2 * SILENCE, self.told.recv()).await.is_ok() {
            told += 1;
        }
        told
    }

    /// Whatever it tells until the connection is over.
    async fn hear_until_over(&mut self) -> Vec<Told> {
        let mut all = Vec::new();
        loop {
            match self.hear().await {
                Told::Over => return all,
                told => all.push(told),
            }
        }
    }
}

/// A proven connection to the application.
async fn proven<'a>(play: &mut Play, browser: &'a Browser, transport: Transport) -> Line<'a> {
    let mut line = Line::open_at(browser, STREAM, transport).await;
    line.prove().await;
    assert_eq!(play.hear().await, Told::Began);
    line
}

fn play(app: &App, stream: pop::Stream, actor: Actor) -> Router {
    Router::new().route(STREAM, any(perform).layer(pop::layer(app, stream))).with_state(actor)
}

async fn perform(
    State(actor): State<Actor>,
    _connection: Connection,
    upgrade: Option<WebSocketUpgrade>,
) -> Response {
    match upgrade {
        Some(upgrade) => upgrade.protocols(["play.1"]).on_upgrade(|socket| perform_socket(socket, actor)),
        None => {
            let first = (Ending(actor.clone()), true);
            let body = stream::unfold(first, move |(ending, first)| perform_events(ending, first));
            ([("content-type", "text/event-stream")], Body::from_stream(body)).into_response()
        }
    }
}

async fn perform_socket(mut socket: WebSocket, Actor { cues, tell }: Actor) {
    let mut cues = cues.lock().await;
    tell.send(Told::Began).unwrap();
    let mut deaf = false;
    loop {
        tokio::select! {
            received = socket.recv(), if !deaf => match received {
                Some(received) => tell.send(Told::Received(received.unwrap())).unwrap(),
                None => {
                    tell.send(Told::Over).unwrap();
                    return;
                }
            },
            cue = cues.recv() => match cue.unwrap() {
                Cue::Say(message) => {
                    let sent = socket.send(message).await.is_ok();
                    tell.send(Told::Sent(sent)).unwrap();
                }
                Cue::BeDeaf => deaf = true,
                Cue::Listen => deaf = false,
                Cue::Leave => return,
                Cue::Fail | Cue::Panic => panic!("as the test wants it"),
            },
        }
    }
}

/// Tells when the stream is let go of.
struct Ending(Actor);

impl Drop for Ending {
    fn drop(&mut self) {
        // Where it panicked, the test may be over.
        let _told = self.0.tell.send(Told::Over);
    }
}

async fn perform_events(ending: Ending, first: bool) -> Option<(Result<Bytes, io::Error>, (Ending, bool))> {
    let Actor { cues, tell } = ending.0.clone();
    if first {
        tell.send(Told::Began).unwrap();
    }
    match cues.lock().await.recv().await? {
        Cue::Say(message) => {
            tell.send(Told::Sent(true)).unwrap();
            Some((Ok(message.into_data()), (ending, false)))
        }
        Cue::Fail => Some((Err(io::Error::other("as the test wants it")), (ending, false))),
        Cue::Panic => panic!("as the test wants it"),
        Cue::Leave | Cue::BeDeaf | Cue::Listen => None,
    }
}
