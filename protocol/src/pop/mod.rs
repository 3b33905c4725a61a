//! Two pure machines and what they say to each other; `pop.md` is the text that another
//! implementation is written from.
//!
//! ```text
//!                 ┌──────────────┐  answer right   ┌───────────┐
//!   open ───────▶ │ ExpectAnswer │ ──────────────▶ │ ExpectDue │  application data flows
//!   (unproven)    └──────────────┘ ◀────────────── └───────────┘
//!                   │          ▲     due, or asked
//!     wrong or late │          │ first failure: held back, challenged again at once
//!                   └──────────┘
//!                   │ second failure in a row
//!                   ▼
//!                 Closed (4401)
//! ```
//!
//! The server runs a `Verifier` for each connection, the browser a `Prover`. Both take messages
//! and the time, and give messages and the next deadline. Neither reads a clock, draws a random
//! number or touches a socket.

mod frame;
mod message;
mod prover;
mod transcript;
mod verifier;

pub use frame::{Frame, escape, unescape};
pub use message::{Held, Message, NotAMessage, Refusal};
pub use prover::{Prover, ToSign};
pub use transcript::{Binding, Challenge, NotAField, is_field};
pub use verifier::{Fresh, Now, Outcome, Step, Timing, Verifier};

/// The WebSocket subprotocol, offered beside the application's own.
pub const SUBPROTOCOL: &str = "holdfast.pop.1";
/// The first line of everything that is signed.
pub const DOMAIN: &str = "holdfast-pop/1";
/// Name of the server-sent events that carry control messages.
pub const EVENT: &str = "pop";

/// Why a connection is closed; the number is the WebSocket close code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// Two failures in a row. A new connection needs a new ticket.
    Unproven,
    /// The session has ended: sign in again.
    SessionEnded,
    /// The owner ended this connection.
    EndedByOwner,
    /// A control message that is none, or a frame that the stream does not take.
    BadMessage,
    /// More was held back than is kept, or the reader is too slow.
    TooMuchHeld,
    /// The server is stopping: come back.
    GoingAway,
}

impl Close {
    /// All of them.
    pub const ALL: [Close; 6] = [
        Close::Unproven,
        Close::SessionEnded,
        Close::EndedByOwner,
        Close::BadMessage,
        Close::TooMuchHeld,
        Close::GoingAway,
    ];

    /// The WebSocket close code.
    pub const fn code(self) -> u16 {
        match self {
            Close::Unproven => 4401,
            Close::SessionEnded => 4403,
            Close::EndedByOwner => 4404,
            Close::BadMessage => 4400,
            Close::TooMuchHeld => 4413,
            Close::GoingAway => 1001,
        }
    }

    /// From a close code.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|close| close.code() == code)
    }

    /// Whether a client may try again with a new ticket; otherwise the person must act.
    pub const fn may_reconnect(self) -> bool {
        match self {
            Close::Unproven | Close::TooMuchHeld | Close::GoingAway => true,
            Close::SessionEnded | Close::EndedByOwner | Close::BadMessage => false,
        }
    }
}

/// Whether a WebSocket that its application closes with this code is over for good, and not to be opened anew:
/// it is done (1000), or will not have what it was sent (RFC 6455 section 7.4.1), or says so in its own words.
pub const fn is_last_word(code: u16) -> bool {
    matches!(code, 1000 | 1002 | 1003 | 1007..=1010 | 3000..=4399 | 4500..=4999)
}

/// Whether an application may close with this code. 4400 to 4499 are this protocol's, and the rest are nobody's:
/// what a browser makes up where it heard none (1005, 1006, 1015), and what is not given away yet.
pub const fn is_applications(code: u16) -> bool {
    is_last_word(code) || matches!(code, 1001 | 1011..=1014)
}

/// Whether application data flows on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Standing {
    /// Not proven since it was opened: nothing flows.
    Unproven,
    /// The last challenge was answered, or is still in time: data flows.
    Proven,
    /// The last challenge failed: nothing flows until the next success.
    Held,
}

/// ECDSA over P-256 with SHA-256 under the key that the connection is bound to.
pub trait VerifySignature {
    /// Whether `signature` (r‖s) is the bound key's over `message`.
    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_says_no_application_says() {
        for close in Close::ALL {
            assert!(!is_last_word(close.code()), "{close:?}");
            assert_eq!(is_applications(close.code()), close == Close::GoingAway, "{close:?}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 4400, 4450, 4499, 5000, u16::MAX] {
            assert!(!is_applications(code), "{code}");
        }
    }

    #[test]
    fn an_application_that_is_done_is_done_and_one_that_failed_may_work_again() {
        for code in [1000, 1002, 1003, 1007, 1008, 1010, 3000, 4000, 4399, 4500, 4999] {
            assert!(is_last_word(code) && is_applications(code), "{code}");
        }
        for code in [1001, 1011, 1012, 1013, 1014] {
            assert!(!is_last_word(code) && is_applications(code), "{code}");
        }
    }
}
