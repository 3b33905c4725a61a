//! Opens a connection as the page does: a ticket for a proven request, then the WebSocket. Both over one TCP
//! connection, as the system lets a process have only so many.

use super::{people::Person, program::ORIGIN};
use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Request, StatusCode, request::Builder},
};
use holdfast_protocol::{
    connections::{Ticket, TicketRequest},
    pop::{Binding, Prover, SUBPROTOCOL},
    problem::{Code, Problem},
};
use holdfast_server::entropy::Entropy;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    client::conn::http1::{self, SendRequest},
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use std::{error::Error, net::SocketAddr, sync::Mutex};
use tokio::net::TcpSocket;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::client::generate_key,
        protocol::{Role, WebSocketConfig},
    },
};

const STREAM: &str = "/v1/streams/activity";
const TICKETS: &str = "/v1/connections/tickets";
/// Many connections make many buffers, and what comes is short.
const BUFFER_BYTES: usize = 1024;

pub type Socket = WebSocketStream<TokioIo<Upgraded>>;
pub type Wrong = Box<dyn Error + Send + Sync>;

/// The newest nonce for proofs, learned from whatever the server answers.
#[derive(Default)]
pub struct Nonce(Mutex<String>);

impl Nonce {
    fn newest(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, headers: &HeaderMap) {
        if let Some(nonce) = headers.get("dpop-nonce").and_then(|nonce| nonce.to_str().ok()) {
            nonce.clone_into(&mut self.0.lock().unwrap());
        }
    }
}

/// A connection to the server, and the machine that answers on it.
pub async fn open(to: SocketAddr, person: &Person, nonce: &Nonce) -> Result<(Socket, Prover), Wrong> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((person.from, 0).into())?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    let (mut http, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());

    let client_nonce = Entropy::system().make_text();
    let ticket = mint(&mut http, person, nonce, &client_nonce).await?;
    let binding = Binding::new(ORIGIN, ticket.connection, &client_nonce, person.public.thumbprint())
        .map_err(|_| "the binding is none")?;
    Ok((upgrade(&mut http, person, &ticket.ticket).await?, Prover::new(binding)))
}

/// Asks again, once, where the server wants a newer nonce.
async fn mint(
    http: &mut SendRequest<Full<Bytes>>,
    person: &Person,
    nonce: &Nonce,
    client_nonce: &str,
) -> Result<Ticket, Wrong> {
    let ask = TicketRequest { stream: STREAM.to_owned(), client_nonce: client_nonce.to_owned() };
    let body = Bytes::from(serde_json::to_vec(&ask)?);
    let mut again = true;
    loop {
        let proof = person.proof("POST", &format!("{ORIGIN}{TICKETS}"), &nonce.newest());
        let request = request(Method::POST, TICKETS, person).header("dpop", proof);
        let request = request.header("content-type", "application/json").header("x-csrf-token", &person.csrf);
        http.ready().await?;
        let answer = http.send_request(request.body(Full::new(body.clone()))?).await?;
        nonce.note(answer.headers());
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)?);
        }
        let code = serde_json::from_slice::<Problem>(&body)?.code;
        if code != Code::UseDpopNonce || !again {
            return Err(format!("no ticket: {status}, {code}").into());
        }
        again = false;
    }
}

async fn upgrade(
    http: &mut SendRequest<Full<Bytes>>,
    person: &Person,
    ticket: &str,
) -> Result<Socket, Wrong> {
    let request = request(Method::GET, &format!("{STREAM}?ticket={ticket}"), person)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .header("sec-websocket-protocol", format!("{SUBPROTOCOL}, holdfast.activity.1"));
    http.ready().await?;
    let answer = http.send_request(request.body(Full::default())?).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("no WebSocket: {}", answer.status()).into());
    }
    let upgraded = TokioIo::new(hyper::upgrade::on(answer).await?);
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(0);
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// A request of the console's own page.
fn request(method: Method, path: &str, person: &Person) -> Builder {
    let builder = Request::builder().method(method).uri(path).header("host", "console.example");
    builder.header("origin", ORIGIN).header("sec-fetch-site", "same-origin").header("cookie", &person.cookies)
}
