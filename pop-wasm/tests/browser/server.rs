//! The server's half of one connection, as the tests play it.

use super::fakes::*;
use holdfast_pop::PopClient;
use holdfast_protocol::{
    base64url,
    dpop::PublicKey,
    ids::{ConnectionId, Thumbprint},
    pop::{Binding, Challenge, Message},
};

pub(crate) const STREAM: &str = "/v1/streams/activity";

pub(crate) fn id(number: u8) -> ConnectionId {
    ConnectionId::make([number; 16])
}

pub(crate) fn ticket_next(number: u8) {
    let body = format!(r#"{{"connection":"{}","ticket":"ticket-{number}","expires_in_s":30}}"#, id(number));
    answer_next(200, r#"{"DPoP-Nonce":"newer"}"#, &body);
}

pub(crate) fn client_nonce(request: usize) -> String {
    let body: serde_json::Value = serde_json::from_str(&request_body(request)).unwrap();
    assert_eq!(body["stream"], STREAM);
    assert_eq!(body.as_object().unwrap().len(), 2);
    let nonce = body["client_nonce"].as_str().unwrap().to_owned();
    assert_eq!(base64url::decode(&nonce).unwrap().len(), 32);
    nonce
}

/// The server's half of one connection.
pub(crate) struct Server {
    binding: Binding,
    key: PublicKey,
    number: u8,
    dial: usize,
}

impl Server {
    /// Of the newest connection, whose ticket was the last request.
    pub(crate) async fn of(client: &PopClient, number: u8) -> Self {
        let key = public_key(client).await;
        let thumbprint: Thumbprint = key.thumbprint();
        let nonce = client_nonce(request_count() - 1);
        let binding = Binding::new(ORIGIN, id(number), &nonce, thumbprint).unwrap();
        Self { binding, key, number, dial: dial_count() - 1 }
    }

    pub(crate) fn challenge(&self, sequence: u64) -> Challenge {
        Challenge {
            connection: id(self.number),
            sequence,
            nonce: "server-nonce".to_owned(),
            expires_at_ms: 7,
        }
    }

    pub(crate) fn say(&self, message: &Message) {
        arrive(self.dial, "message", &["\u{1}", &message.encode()].concat());
    }

    pub(crate) fn say_event(&self, message: &Message) {
        arrive(self.dial, "pop", &message.encode());
    }

    pub(crate) fn check(&self, sequence: u64, answer: &str) {
        let Ok(Message::Answer { sequence: answered, signature }) = Message::parse(answer) else {
            panic!("no answer: {answer:?}")
        };
        assert_eq!(answered, sequence);
        let transcript = self.binding.transcript(&self.challenge(sequence));
        assert!(verifies(&self.key, transcript.as_bytes(), &signature));
    }

    pub(crate) async fn prove(&self, sequence: u64) {
        let before = sent_count(self.dial);
        self.say(&Message::Challenge(self.challenge(sequence)));
        until("an answer", || sent_count(self.dial) > before).await;
        let sent = sent_text(self.dial, before);
        self.check(sequence, sent.strip_prefix('\u{1}').unwrap());
        self.say(&Message::Proven { sequence, rtt_ms: 7 });
    }
}
