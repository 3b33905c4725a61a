//! A live connection as the browser has it: it answers challenges until it is told to stop.

use super::{opening::Socket, people::Person, tally::Tally};
use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_protocol::pop::{Frame, Message, Prover, unescape};
use std::convert::Infallible;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as WsMessage;

/// One of many.
pub struct Line<'a> {
    pub number: usize,
    pub person: &'a Person,
    pub tally: &'a Tally,
    pub socket: Socket,
    pub prover: Prover,
}

impl Line<'_> {
    /// Until it is over, which it should not be: gives the reason.
    pub async fn live(mut self) -> String {
        let Err(over) = self.answer_for_ever().await;
        over
    }

    async fn answer_for_ever(&mut self) -> Result<Infallible, String> {
        let mut answered_at = Instant::now();
        loop {
            let frame = self.socket.next().await.ok_or("ended without a close")?;
            let text = match frame.map_err(|error| format!("broken: {error}"))? {
                WsMessage::Text(text) => text,
                WsMessage::Close(Some(close)) => return Err(format!("closed with {}", close.code)),
                other => return Err(format!("a frame that nobody awaits: {other:?}")),
            };
            let Frame::Control(message) = unescape(&text) else {
                self.tally.on_data();
                continue;
            };
            match Message::parse(message).map_err(|_| "a message that is none")? {
                Message::Challenge(challenge) => {
                    let to_sign = self.prover.on_challenge(&challenge);
                    let to_sign = to_sign.map_err(|_| "a challenge that is not to be signed")?;
                    let answer = to_sign.answer(self.person.sign(to_sign.transcript.as_bytes()));
                    let frame = WsMessage::text(format!("\u{1}{}", answer.encode()));
                    answered_at = Instant::now();
                    self.socket.send(frame).await.map_err(|error| format!("broken: {error}"))?;
                }
                Message::Proven { rtt_ms, .. } => {
                    self.tally.on_proven(self.number, answered_at.elapsed(), rtt_ms);
                }
                // It may still be proven; that it was held is wrong all the same.
                Message::Held { why, .. } => self.tally.on_failure(format!("held: {}", why.as_str())),
                other => return Err(format!("a message that nobody awaits: {}", other.encode())),
            }
        }
    }
}
