use super::DOMAIN;
use crate::{
    ids::{ConnectionId, Thumbprint},
    parts::push_number,
};

/// What is fixed for the life of a connection, when its ticket is minted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    connection: ConnectionId,
    /// The lines of the transcript that are the same in all of them: up to the client's nonce, and the last.
    head: String,
    thumbprint: Thumbprint,
}

/// The text cannot be a line of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAField;

/// A field is 1 to 128 visible ASCII characters: no space, no newline, nothing that could be taken
/// for the next field.
pub fn is_field(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What the server asks to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The connection that it believes to speak on.
    pub connection: ConnectionId,
    /// Rises by one with each challenge of a connection, from 1.
    pub sequence: u64,
    /// Fresh random bits of the server, base64url.
    pub nonce: String,
    /// Milliseconds since 1970 by the server's clock; an answer is late after it.
    pub expires_at_ms: u64,
}

impl Binding {
    /// `origin` is that of the address that the browser dialled, as `https://console.example`. Refuses what
    /// could not stand in a line of its own.
    pub fn new(
        origin: &str,
        connection: ConnectionId,
        client_nonce: &str,
        thumbprint: Thumbprint,
    ) -> Result<Self, NotAField> {
        if !is_field(origin) || !is_field(client_nonce) {
            return Err(NotAField);
        }
        let mut head = String::with_capacity(160);
        for line in [DOMAIN, origin, connection.as_str(), client_nonce] {
            head.push_str(line);
            head.push('\n');
        }
        Ok(Self { connection, head, thumbprint })
    }

    /// The connection.
    pub fn connection(&self) -> &ConnectionId {
        &self.connection
    }

    /// The key that answers.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// What is signed: one line a field, the first names the protocol, no newline at the end.
    ///
    /// Of the challenge, only sequence, nonce and expiry are taken; the rest is this connection's
    /// own, so that a challenge of another connection cannot be signed here.
    pub fn transcript(&self, challenge: &Challenge) -> String {
        let mut text = String::with_capacity(320);
        text.push_str(&self.head);
        push_number(&mut text, challenge.sequence);
        text.push('\n');
        text.push_str(&challenge.nonce);
        text.push('\n');
        push_number(&mut text, challenge.expires_at_ms);
        text.push('\n');
        text.push_str(self.thumbprint.as_str());
        text
    }
}
