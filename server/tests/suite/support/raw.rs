use super::{Answer, PATIENCE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A request as it goes over the wire, with nothing that a client library would straighten out.
#[derive(Clone)]
pub struct Raw {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub framing: Framing,
}

/// How the body's end is told.
#[derive(Clone, Copy, PartialEq)]
pub enum Framing {
    Length,
    Chunked,
    /// One byte more is promised, and never comes.
    Promised,
}

impl Raw {
    pub fn new(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { method, path, headers: Vec::new(), body: Vec::new(), framing: Framing::Length }
    }

    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.add(name, value);
    }

    /// The header once more, as it stands.
    pub fn double(&mut self, name: &str) {
        let value = self.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
        self.add(name, value);
    }

    pub async fn send(&self, to: SocketAddr) -> Answer {
        self.send_in_two(0, async {}, to).await
    }

    /// Keeps back the last bytes until something else has happened.
    pub async fn send_in_two(
        &self,
        last: usize,
        meanwhile: impl Future<Output = ()>,
        to: SocketAddr,
    ) -> Answer {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let request = self.bytes(to);
        let (first, last) = request.split_at(request.len() - last);
        let (mut reading, mut writing) = stream.split();
        let mut response = Vec::new();
        // Who refuses early does not read on: what is left to write has nobody to go to.
        let write = async {
            writing.write_all(first).await.ok()?;
            meanwhile.await;
            writing.write_all(last).await.ok()
        };
        let read = tokio::time::timeout(PATIENCE, reading.read_to_end(&mut response));
        let (_, read) = tokio::join!(write, read);
        let read = read.unwrap();
        parse(&response).unwrap_or_else(|| panic!("no answer to {} {}: {read:?}", self.method, self.path))
    }

    fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let mut request =
            format!("{} {} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n", self.method, self.path)
                .into_bytes();
        for (name, value) in &self.headers {
            request.extend_from_slice(format!("{name}: ").as_bytes());
            request.extend_from_slice(value);
            request.extend_from_slice(b"\r\n");
        }
        match self.framing {
            Framing::Length if self.body.is_empty() => request.extend_from_slice(b"\r\n"),
            Framing::Length => {
                request.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
                request.extend_from_slice(&self.body);
            }
            Framing::Promised => {
                let promised = self.body.len() + 1;
                request.extend_from_slice(format!("content-length: {promised}\r\n\r\n").as_bytes());
                request.extend_from_slice(&self.body);
            }
            Framing::Chunked => {
                request.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
                for chunk in self.body.chunks(8192) {
                    request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    request.extend_from_slice(chunk);
                    request.extend_from_slice(b"\r\n");
                }
                request.extend_from_slice(b"0\r\n\r\n");
            }
        }
        request
    }
}

fn parse(response: &[u8]) -> Option<Answer> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&response[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = StatusCode::from_bytes(lines.next()?.split(' ').nth(1)?.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    assert!(!headers.contains_key("transfer-encoding"), "a stream: {head}");
    Some(Answer { status, headers, body: response[end + 4..].to_vec() })
}
