use super::{
    ACTIVITY, Browser, Minted, PATIENCE, SILENCE,
    browser::{PlainBody, sign},
    world::ORIGIN,
};
use axum::http::{HeaderValue, Method};
use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_protocol::{
    connections::{ConnectionList, Transport},
    history::ActivityEvent,
    ids::ConnectionId,
    pop::{Challenge, Close, Frame, Held, Message, Prover, unescape},
};
use http_body_util::BodyExt as _;
use p256::ecdsa::SigningKey;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, client::IntoClientRequest as _},
};

/// A live connection as the browser has it.
pub struct Line<'a> {
    pub id: ConnectionId,
    browser: &'a Browser,
    stream: String,
    prover: Prover,
    wire: Wire,
}

enum Wire {
    Socket(Box<WebSocketStream<TcpStream>>),
    Events { body: axum::body::Body, read: String },
}

/// What comes from the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Control(Message),
    Activity(ActivityEvent),
    Connections(ConnectionList),
    /// Of a stream that is not the account's activity: a text frame, or an event without a name.
    Text(String),
    /// The same, in bytes.
    Binary(Vec<u8>),
    /// The close code, and nothing after it.
    Closed(u16),
}

impl<'a> Line<'a> {
    /// The account's activity.
    pub async fn open(browser: &'a Browser, transport: Transport) -> Self {
        Self::open_at(browser, ACTIVITY, transport).await
    }

    pub async fn open_at(browser: &'a Browser, stream: &str, transport: Transport) -> Self {
        let minted = browser.mint_for(stream).await;
        let prover = browser.prover(&minted);
        let wire = match transport {
            Transport::WebSocket => {
                let (socket, _) = dial(browser, &minted, |_| {}).await.unwrap();
                Wire::Socket(Box::new(socket))
            }
            Transport::ServerSentEvents => {
                let path = path_of(&minted);
                let request = browser.request(Method::GET, &path).header("accept", "text/event-stream");
                let response = browser.begin(request.body(PlainBody::default()).unwrap()).await;
                assert_eq!(response.status(), 200);
                assert_eq!(response.headers()["content-type"], "text/event-stream");
                assert_eq!(response.headers()["cache-control"], "no-store");
                Wire::Events { body: response.into_body(), read: String::new() }
            }
        };
        Self { id: minted.ticket.connection, browser, stream: minted.stream, prover, wire }
    }

    /// The next thing that the server sends.
    pub async fn hear(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.next()).await.unwrap()
    }

    /// Nothing comes.
    pub async fn hear_nothing(&mut self) {
        if let Ok(heard) = tokio::time::timeout(SILENCE, self.next()).await {
            panic!("unexpected: {heard:?}");
        }
    }

    pub async fn hear_challenge(&mut self) -> Challenge {
        match self.hear_control().await {
            Message::Challenge(challenge) => challenge,
            other => panic!("no challenge: {other:?}"),
        }
    }

    /// The next control message; the list of connections may come before it, as it flows while a
    /// challenge of a proven connection is out.
    pub async fn hear_control(&mut self) -> Message {
        loop {
            match self.hear().await {
                Heard::Control(message) => return message,
                Heard::Connections(_) => {}
                other => panic!("no control message: {other:?}"),
            }
        }
    }

    /// The next event of the account.
    pub async fn hear_activity(&mut self) -> ActivityEvent {
        loop {
            match self.hear().await {
                Heard::Activity(event) => return event,
                Heard::Connections(_) => {}
                other => panic!("no activity: {other:?}"),
            }
        }
    }

    pub async fn hear_connections(&mut self) -> ConnectionList {
        loop {
            match self.hear().await {
                Heard::Connections(list) => return list,
                Heard::Activity(_) => {}
                other => panic!("no list: {other:?}"),
            }
        }
    }

    pub async fn hear_held(&mut self, why: Held) {
        let heard = self.hear_control().await;
        assert!(matches!(heard, Message::Held { why: said, .. } if said == why), "{heard:?}");
    }

    /// The connection is closed, and nothing but the list of connections comes before.
    pub async fn hear_close(&mut self, close: Close) {
        self.hear_closed(close.code()).await;
    }

    /// The same with a code that is no word of the protocol.
    pub async fn hear_closed(&mut self, code: u16) {
        loop {
            match self.hear().await {
                Heard::Connections(_) => {}
                other => return assert_eq!(other, Heard::Closed(code)),
            }
        }
    }

    /// Everything up to the close, which is this one.
    pub async fn hear_until_close(&mut self, close: Close) -> Vec<Heard> {
        let mut all = Vec::new();
        loop {
            match self.hear().await {
                Heard::Closed(code) => {
                    assert_eq!(code, close.code(), "{all:?}");
                    return all;
                }
                other => all.push(other),
            }
        }
    }

    /// Answers a challenge rightly.
    pub async fn answer(&mut self, challenge: &Challenge) {
        let message = self.signed(challenge, &self.browser.key.clone());
        self.say(&message).await;
    }

    /// Answers with this key, whosever it is.
    pub async fn answer_with(&mut self, challenge: &Challenge, key: &SigningKey) {
        let message = self.signed(challenge, key);
        self.say(&message).await;
    }

    /// The message that answers, without sending it.
    pub fn signed(&mut self, challenge: &Challenge, key: &SigningKey) -> Message {
        let to_sign = self.prover.on_challenge(challenge).unwrap();
        to_sign.answer(sign(key, to_sign.transcript.as_bytes()))
    }

    /// Hears a challenge, answers it, and hears that it was right.
    pub async fn prove(&mut self) {
        let challenge = self.hear_challenge().await;
        self.answer(&challenge).await;
        self.hear_proven(&challenge).await;
    }

    pub async fn hear_proven(&mut self, challenge: &Challenge) {
        let heard = self.hear_control().await;
        let right = matches!(heard, Message::Proven { sequence, .. } if sequence == challenge.sequence);
        assert!(right, "{heard:?}");
    }

    pub async fn say(&mut self, message: &Message) {
        let text = message.encode();
        match &mut self.wire {
            Wire::Socket(_) => self.say_frame(tungstenite::Message::text(format!("\u{1}{text}"))).await,
            Wire::Events { .. } => {
                let path = format!("/v1/connections/{}/answer", self.id);
                let answer = self.browser.post_text(&path, &text).await;
                assert_eq!(answer.status, 204, "{answer:?}");
            }
        }
    }

    /// A frame of a WebSocket, whatever is in it.
    pub async fn say_frame(&mut self, frame: tungstenite::Message) {
        match &mut self.wire {
            Wire::Socket(socket) => socket.send(frame).await.unwrap(),
            Wire::Events { .. } => panic!("server-sent events have no frames upwards"),
        }
    }

    /// The next data of a stream that is not the account's activity.
    pub async fn hear_text(&mut self) -> String {
        match self.hear().await {
            Heard::Text(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }

    async fn next(&mut self) -> Heard {
        match &mut self.wire {
            Wire::Socket(socket) => loop {
                return match socket.next().await.unwrap().unwrap() {
                    tungstenite::Message::Text(text) => match unescape(&text) {
                        Frame::Control(text) => Heard::Control(Message::parse(text).unwrap()),
                        Frame::Application(text) if self.stream != ACTIVITY => Heard::Text(text.to_owned()),
                        Frame::Application(text) => {
                            let value: Value = serde_json::from_str(text).unwrap();
                            let (name, value) = value.as_object().unwrap().iter().next().unwrap();
                            data(name, value.clone())
                        }
                    },
                    tungstenite::Message::Close(frame) => {
                        // Where the server has stopped reading, it waits for its clock.
                        let after = tokio::time::timeout(SILENCE, socket.next()).await;
                        assert!(
                            after.is_err() || after.is_ok_and(|after| after.is_none_or(|it| it.is_err()))
                        );
                        Heard::Closed(frame.unwrap().code.into())
                    }
                    tungstenite::Message::Binary(bytes) => Heard::Binary(bytes.to_vec()),
                    tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_) => continue,
                    other => panic!("unexpected: {other:?}"),
                };
            },
            Wire::Events { body, read } => {
                while !read.contains("\n\n") {
                    let frame = body.frame().await.unwrap().unwrap();
                    read.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
                }
                let (event, rest) = read.split_once("\n\n").unwrap();
                let field = |name: &str| {
                    let value = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    value.map(str::to_owned)
                };
                let (name, value) = (field("event").unwrap_or_default(), field("data").unwrap());
                *read = rest.to_owned();
                if name.is_empty() {
                    return Heard::Text(value);
                }
                if name != "pop" {
                    return data(&name, serde_json::from_str(&value).unwrap());
                }
                match Message::parse(&value).unwrap() {
                    Message::End { code } => {
                        assert!(read.is_empty() && body.frame().await.is_none());
                        Heard::Closed(code)
                    }
                    message => Heard::Control(message),
                }
            }
        }
    }
}

fn data(name: &str, value: Value) -> Heard {
    match name {
        "activity" => Heard::Activity(serde_json::from_value(value).unwrap()),
        "connections" => Heard::Connections(serde_json::from_value(value).unwrap()),
        other => panic!("data of another name: {other}"),
    }
}

/// The address that a ticket opens.
pub fn path_of(minted: &Minted) -> String {
    let and = if minted.stream.contains('?') { '&' } else { '?' };
    format!("{}{and}ticket={}", minted.stream, minted.ticket.ticket)
}

pub type Dialled =
    Result<(WebSocketStream<TcpStream>, tungstenite::handshake::client::Response), tungstenite::Error>;

/// Opens a WebSocket as the page does, but for what `change` changes.
pub async fn dial(
    browser: &Browser,
    minted: &Minted,
    change: impl FnOnce(&mut tungstenite::handshake::client::Request),
) -> Dialled {
    let address = format!("ws://{}{}", browser.address, path_of(minted));
    let mut request = address.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("cookie", browser.cookies.parse().unwrap());
    headers.insert("origin", HeaderValue::from_static(ORIGIN));
    let offered = HeaderValue::from_static("holdfast.pop.1, holdfast.activity.1");
    headers.insert("sec-websocket-protocol", offered);
    change(&mut request);
    client_async(request, TcpStream::connect(browser.address).await.unwrap()).await
}
