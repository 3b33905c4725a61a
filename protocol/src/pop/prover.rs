use super::{
    Standing,
    message::{Message, Refusal},
    transcript::{Binding, Challenge},
};

/// The browser's half of a connection.
///
/// It signs only for the connection that it was made for, and only for rising sequence numbers: what
/// it hands to the key is a transcript of its own, never bytes that somebody gave it.
#[derive(Debug)]
pub struct Prover {
    binding: Binding,
    last_sequence: u64,
    standing: Standing,
}

/// A transcript that waits for the key.
#[derive(Debug, PartialEq, Eq)]
pub struct ToSign {
    /// Of the challenge.
    pub sequence: u64,
    /// The bytes to sign.
    pub transcript: String,
}

impl ToSign {
    /// The message that carries the signature.
    pub fn answer(&self, signature: [u8; 64]) -> Message {
        Message::Answer { sequence: self.sequence, signature }
    }
}

impl Prover {
    /// For a connection that this browser is opening.
    pub fn new(binding: Binding) -> Self {
        Self { binding, last_sequence: 0, standing: Standing::Unproven }
    }

    /// Whether the application's data may be sent.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// A challenge has come: sign it, or send the refusal.
    pub fn on_challenge(&mut self, challenge: &Challenge) -> Result<ToSign, Message> {
        let sequence = challenge.sequence;
        if challenge.connection != *self.binding.connection() {
            return Err(Message::Refuse { sequence, why: Refusal::Relayed });
        }
        if sequence <= self.last_sequence {
            return Err(Message::Refuse { sequence, why: Refusal::Stale });
        }
        self.last_sequence = sequence;
        Ok(ToSign { sequence, transcript: self.binding.transcript(challenge) })
    }

    /// The server says how the connection stands. True: it changed.
    pub fn on_verdict(&mut self, verdict: &Message) -> bool {
        let next = match verdict {
            // A verdict on a challenge that was overtaken says nothing of the newest.
            Message::Proven { sequence, .. } if *sequence == self.last_sequence => Standing::Proven,
            Message::Held { .. } => Standing::Held,
            _ => return false,
        };
        core::mem::replace(&mut self.standing, next) != next
    }

    /// The page was asleep or without network: trust nothing until one round trip is over.
    pub fn on_resume(&mut self) -> Message {
        if self.standing == Standing::Proven {
            self.standing = Standing::Unproven;
        }
        Message::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ConnectionId, Thumbprint};

    fn prover() -> (Prover, Challenge) {
        let connection = ConnectionId::make([1; 16]);
        let binding = Binding::new(
            "https://console.example",
            connection.clone(),
            "nonce",
            Thumbprint::from_hash(&[2; 32]),
        )
        .unwrap();
        (Prover::new(binding), Challenge { connection, sequence: 1, nonce: "n".to_owned(), expires_at_ms: 5 })
    }

    #[test]
    fn a_challenge_of_another_connection_is_refused() {
        let (mut prover, mut challenge) = prover();
        challenge.connection = ConnectionId::make([9; 16]);
        let refusal = Message::Refuse { sequence: 1, why: Refusal::Relayed };
        assert_eq!(prover.on_challenge(&challenge), Err(refusal));
    }

    #[test]
    fn a_sequence_number_is_signed_once() {
        let (mut prover, mut challenge) = prover();
        assert!(prover.on_challenge(&challenge).is_ok());
        challenge.nonce = "other".to_owned();
        let refusal = Message::Refuse { sequence: 1, why: Refusal::Stale };
        assert_eq!(prover.on_challenge(&challenge), Err(refusal));
    }

    #[test]
    fn the_verdict_on_an_overtaken_challenge_proves_nothing() {
        let (mut prover, mut challenge) = prover();
        prover.on_challenge(&challenge).unwrap();
        challenge.sequence = 2;
        prover.on_challenge(&challenge).unwrap();
        assert!(!prover.on_verdict(&Message::Proven { sequence: 1, rtt_ms: 1 }));
        assert_eq!(prover.standing(), Standing::Unproven);
        assert!(prover.on_verdict(&Message::Proven { sequence: 2, rtt_ms: 1 }));
        assert_eq!(prover.standing(), Standing::Proven);
        prover.on_resume();
        assert_eq!(prover.standing(), Standing::Unproven);
    }

    #[test]
    fn what_is_signed_is_eight_lines() {
        let (mut prover, challenge) = prover();
        let signed = prover.on_challenge(&challenge).unwrap().transcript;
        let thumbprint = Thumbprint::from_hash(&[2; 32]);
        let lines = [
            "holdfast-pop/1",
            "https://console.example",
            challenge.connection.as_str(),
            "nonce",
            "1",
            "n",
            "5",
            thumbprint.as_str(),
        ];
        assert_eq!(signed, lines.join("\n"));
    }
}
