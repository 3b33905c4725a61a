//! Who does nothing with a connection does not keep it.

use crate::support::{Line, PATIENT, World};
use holdfast_protocol::connections::Transport;
use holdfast_server::listen::Patience;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const SOON: Duration = Duration::from_millis(300);
const HEALTH: &[u8] = b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// What comes until the server hangs up.
async fn until_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // A reset is an end, too.
    let reading = stream.read_to_end(&mut heard);
    let _reset = tokio::time::timeout(PATIENT.head, reading).await.unwrap();
    heard
}

async fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let mut status = [0; 12];
    stream.write_all(HEALTH).await.is_ok() && stream.read_exact(&mut status).await.is_ok()
}

#[tokio::test]
async fn an_unfinished_request_is_not_waited_for() {
    let world = World::with_patience(Patience { head: SOON, ..PATIENT }).await;
    for begun in [&b""[..], b"GET /v1/heal", b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx-slow: "] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let heard = until_the_end(&mut stream).await;
        assert!(!heard.starts_with(b"HTTP/1.1 2"), "{:?}", String::from_utf8_lossy(&heard));
    }
}

#[tokio::test]
async fn a_connection_without_a_next_request_is_closed() {
    let world = World::with_patience(Patience { head: SOON, ..PATIENT }).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(HEALTH).await.unwrap();
    let heard = until_the_end(&mut stream).await;
    assert!(heard.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_is_small() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = [&HEALTH[..HEALTH.len() - 2], b"x-large: ", &[b'x'; 20_000], b"\r\n\r\n"].concat();
    stream.write_all(&head).await.unwrap();
    let heard = until_the_end(&mut stream).await;
    assert!(heard.starts_with(b"HTTP/1.1 431"), "{:?}", String::from_utf8_lossy(&heard));
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_let_go() {
    let world = World::with_patience(Patience { unread: SOON, ..PATIENT }).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let flood = async {
        // Each answer is many times as long as its request: soon nothing more fits in between.
        while stream.write_all(&HEALTH.repeat(100)).await.is_ok() {}
    };
    tokio::time::timeout(PATIENT.unread, flood).await.unwrap();
}

#[tokio::test]
async fn one_source_has_a_share_of_the_connections_and_gets_it_back() {
    let world = World::with_patience(Patience { connections: 8, ..PATIENT }).await;
    let held =
        [TcpStream::connect(world.address).await.unwrap(), TcpStream::connect(world.address).await.unwrap()];
    // Both are there before a third one asks.
    let mut third = TcpStream::connect(world.address).await.unwrap();
    assert_eq!(until_the_end(&mut third).await, b"");
    drop(held);
    world.until(|| answers(world.address)).await;
}

#[tokio::test]
async fn a_web_socket_keeps_its_place() {
    let world = World::with_patience(Patience { connections: 8, ..PATIENT }).await;
    let browser = world.browser().await;
    // The tickets come over one connection, which is kept open; a quarter of eight are two.
    let mut line = Line::open(&browser, Transport::WebSocket).await;
    line.prove().await;
    let mut third = TcpStream::connect(world.address).await.unwrap();
    assert_eq!(until_the_end(&mut third).await, b"");
    drop(line);
    world.until(|| answers(world.address)).await;
}
