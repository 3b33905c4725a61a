use super::{
    frame::CONTROL,
    transcript::{Challenge, is_field},
};
use crate::{
    base64url,
    ids::ConnectionId,
    parts::{Parts, parts, push_number},
};

/// A control message. On a WebSocket a text frame that begins with U+0001; in server-sent events the
/// data of an event named `pop`; an answer of the latter is the body of a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Server: sign this.
    Challenge(Challenge),
    /// Browser: signed.
    Answer {
        /// Of the challenge.
        sequence: u64,
        /// r‖s over the transcript.
        signature: [u8; 64],
    },
    /// Browser: this challenge is none of mine.
    Refuse {
        /// Of the challenge.
        sequence: u64,
        /// Why.
        why: Refusal,
    },
    /// Browser: challenge me now (after a sleep, before it trusts the connection).
    Ask,
    /// Server: the answer was right; data flows.
    Proven {
        /// Of the challenge.
        sequence: u64,
        /// Milliseconds from the challenge's sending to the answer's arrival.
        rtt_ms: u32,
    },
    /// Server: held back from here on.
    Held {
        /// Of the failed challenge.
        sequence: u64,
        /// Why.
        why: Held,
    },
    /// Server: the last message (server-sent events have no close code).
    End {
        /// A WebSocket close code.
        code: u16,
    },
}

/// Most messages are shorter.
const CAPACITY: usize = 128;

/// Why a browser does not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The challenge names another connection: somebody relays it.
    Relayed,
    /// The sequence number does not rise: somebody replays it.
    Stale,
    /// The browser has no key any more.
    NoKey,
}

/// Why a connection is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// No answer in time.
    Late,
    /// The signature is not the bound key's.
    Wrong,
    /// The browser refused the challenge.
    Refused(Refusal),
}

impl Refusal {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::Relayed => "relayed",
            Refusal::Stale => "stale",
            Refusal::NoKey => "no-key",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Refusal::Relayed, Refusal::Stale, Refusal::NoKey].into_iter().find(|why| why.as_str() == text)
    }
}

impl Held {
    const ALL: [Held; 5] = [
        Held::Late,
        Held::Wrong,
        Held::Refused(Refusal::Relayed),
        Held::Refused(Refusal::Stale),
        Held::Refused(Refusal::NoKey),
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Held::Late => "late",
            Held::Wrong => "wrong",
            Held::Refused(why) => why.as_str(),
        }
    }
}

/// The text is not a control message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAMessage;

impl core::fmt::Display for NotAMessage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a control message")
    }
}

impl std::error::Error for NotAMessage {}

impl Message {
    /// The longest control message, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// Reads exactly what [`Message::encode`] writes.
    pub fn parse(text: &str) -> Result<Self, NotAMessage> {
        Self::of_server(text).or_else(|NotAMessage| Self::of_browser(text))
    }

    /// Reads what a server says, and nothing else.
    pub fn of_server(text: &str) -> Result<Self, NotAMessage> {
        let mut words = words(text)?;
        let mut word = || words.next().ok_or(NotAMessage);
        let message = match word()? {
            "challenge" => Message::Challenge(Challenge {
                connection: ConnectionId::parse(word()?).map_err(|_| NotAMessage)?,
                sequence: number(word()?)?,
                nonce: field(word()?)?,
                expires_at_ms: number(word()?)?,
            }),
            "proven" => Message::Proven {
                sequence: number(word()?)?,
                rtt_ms: u32::try_from(number(word()?)?).map_err(|_| NotAMessage)?,
            },
            "held" => {
                let (sequence, why) = (number(word()?)?, word()?);
                let why = Held::ALL.into_iter().find(|held| held.as_str() == why).ok_or(NotAMessage)?;
                Message::Held { sequence, why }
            }
            "end" => Message::End { code: u16::try_from(number(word()?)?).map_err(|_| NotAMessage)? },
            _ => return Err(NotAMessage),
        };
        if words.next().is_some() { Err(NotAMessage) } else { Ok(message) }
    }

    fn of_browser(text: &str) -> Result<Self, NotAMessage> {
        let mut words = words(text)?;
        let mut word = || words.next().ok_or(NotAMessage);
        let message = match word()? {
            "answer" => Message::Answer {
                sequence: number(word()?)?,
                signature: base64url::decode_array(word()?).map_err(|_| NotAMessage)?,
            },
            "refuse" => Message::Refuse {
                sequence: number(word()?)?,
                why: Refusal::parse(word()?).ok_or(NotAMessage)?,
            },
            "ask" => Message::Ask,
            _ => return Err(NotAMessage),
        };
        if words.next().is_some() { Err(NotAMessage) } else { Ok(message) }
    }

    /// Words with one space between them; ASCII.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(CAPACITY);
        self.push_to(&mut text);
        text
    }

    /// The same as a text frame of a WebSocket.
    pub fn to_frame(&self) -> String {
        let mut text = String::with_capacity(CAPACITY);
        text.push(CONTROL);
        self.push_to(&mut text);
        text
    }

    fn push_to(&self, text: &mut String) {
        match self {
            Message::Challenge(challenge) => {
                text.push_str("challenge ");
                text.push_str(challenge.connection.as_str());
                text.push(' ');
                push_number(text, challenge.sequence);
                text.push(' ');
                text.push_str(&challenge.nonce);
                text.push(' ');
                push_number(text, challenge.expires_at_ms);
            }
            Message::Answer { sequence, signature } => {
                text.push_str("answer ");
                push_number(text, *sequence);
                text.push(' ');
                base64url::push(text, signature);
            }
            Message::Refuse { sequence, why } => {
                text.push_str("refuse ");
                push_number(text, *sequence);
                text.push(' ');
                text.push_str(why.as_str());
            }
            Message::Ask => text.push_str("ask"),
            Message::Proven { sequence, rtt_ms } => {
                text.push_str("proven ");
                push_number(text, *sequence);
                text.push(' ');
                push_number(text, u64::from(*rtt_ms));
            }
            Message::Held { sequence, why } => {
                text.push_str("held ");
                push_number(text, *sequence);
                text.push(' ');
                text.push_str(why.as_str());
            }
            Message::End { code } => {
                text.push_str("end ");
                push_number(text, u64::from(*code));
            }
        }
    }
}

fn words(text: &str) -> Result<Parts<'_>, NotAMessage> {
    if text.len() > Message::MAX_BYTES { Err(NotAMessage) } else { Ok(parts(text, b' ')) }
}

fn field(text: &str) -> Result<String, NotAMessage> {
    if is_field(text) { Ok(text.to_owned()) } else { Err(NotAMessage) }
}

/// Decimal, no sign, no leading zero, at most 2^53 − 1, so that every language reads the same number.
fn number(text: &str) -> Result<u64, NotAMessage> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.len() > 16 || (text.len() > 1 && text.starts_with('0')) {
        return Err(NotAMessage);
    }
    let number = text.bytes().fold(0_u64, |sum, byte| sum * 10 + u64::from(byte - b'0'));
    if number < 1 << 53 { Ok(number) } else { Err(NotAMessage) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pop::{Frame, unescape};
    use proptest::prelude::*;

    fn messages() -> impl Strategy<Value = Message> {
        let number = || 0_u64..1 << 53;
        prop_oneof![
            (any::<[u8; 16]>(), number(), "[A-Za-z0-9_-]{1,64}", number()).prop_map(
                |(id, sequence, nonce, expires_at_ms)| Message::Challenge(Challenge {
                    connection: ConnectionId::make(id),
                    sequence,
                    nonce,
                    expires_at_ms
                })
            ),
            (number(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(sequence, r, s)| {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&r);
                signature[32..].copy_from_slice(&s);
                Message::Answer { sequence, signature }
            }),
            number().prop_map(|sequence| Message::Refuse { sequence, why: Refusal::Relayed }),
            Just(Message::Ask),
            (number(), any::<u32>()).prop_map(|(sequence, rtt_ms)| Message::Proven { sequence, rtt_ms }),
            (number(), 0..Held::ALL.len())
                .prop_map(|(sequence, why)| Message::Held { sequence, why: Held::ALL[why] }),
            any::<u16>().prop_map(|code| Message::End { code }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(message in messages()) {
            let (text, frame) = (message.encode(), message.to_frame());
            prop_assert_eq!(unescape(&frame), Frame::Control(&text));
            prop_assert_eq!(Message::parse(&text), Ok(message));
        }

        #[test]
        fn whatever_is_read_has_one_spelling(text in "(challenge|answer|refuse|ask|proven|held|end)[ 0-9a-z_-]{0,40}") {
            if let Ok(message) = Message::parse(&text) {
                prop_assert_eq!(message.encode(), text);
            }
        }

        #[test]
        fn noise_is_refused_without_a_panic(text in any::<String>()) {
            let _: Result<Message, NotAMessage> = Message::parse(&text);
        }
    }

    #[test]
    fn numbers_have_one_spelling_and_stay_below_2_to_the_53() {
        for bad in [
            "proven 01 1",
            "proven 9007199254740992 1",
            "proven -1 1",
            "proven +1 1",
            "proven 1  1",
            "proven 1 1 ",
            "end 65536",
        ] {
            assert_eq!(Message::parse(bad), Err(NotAMessage), "{bad}");
        }
        assert!(Message::parse("proven 9007199254740991 1").is_ok());
    }
}
