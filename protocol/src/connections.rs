use crate::{
    history::Device,
    ids::{ConnectionId, SessionId},
    pop::Standing,
};
use serde::{Deserialize, Serialize};

/// `POST /v1/connections/tickets`: asks for a ticket for one stream. Answers [`Ticket`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// The path of the stream, as `/v1/streams/activity`.
    pub stream: String,
    /// 32 random bytes of the browser, base64url: what makes a transcript this connection's.
    pub client_nonce: String,
}

/// A one-time secret that opens one connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ticket {
    /// The connection that it opens.
    pub connection: ConnectionId,
    /// Goes into the query of the stream's address: `?ticket=…`.
    pub ticket: String,
    /// Seconds that it lives, at most 60.
    pub expires_in_s: u32,
}

impl core::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ticket").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// `GET /v1/connections`, and the event `connections` of the activity stream: every live connection
/// of the account, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionList {
    /// The connections.
    pub connections: Vec<ConnectionView>,
}

/// A live connection as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionView {
    /// Unchanging.
    pub id: ConnectionId,
    /// The session that it belongs to.
    pub session: SessionId,
    /// The path of the stream.
    pub stream: String,
    /// From the user agent that opened it.
    pub device: Device,
    /// How it travels.
    pub transport: Transport,
    /// Milliseconds since 1970.
    pub opened_at_ms: u64,
    /// Whether application data flows.
    pub standing: Standing,
    /// The last answers, the oldest first, at most [`BEATS`].
    pub beats: Vec<Beat>,
    /// Milliseconds since 1970 of the last success.
    pub proven_at_ms: Option<u64>,
    /// Failures since it was opened.
    pub failures: u32,
    /// It belongs to the session that asks.
    pub this_browser: bool,
}

/// How many answers a connection remembers.
pub const BEATS: usize = 30;

/// How one challenge went. On the wire it is the number of milliseconds, or null: a list of connections
/// holds thirty for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "Option<u32>", into = "Option<u32>")]
pub enum Beat {
    /// Answered rightly after so many milliseconds.
    Proven {
        /// From the challenge's sending to the answer's arrival.
        rtt_ms: u32,
    },
    /// Answered wrongly, late, or not.
    Failed,
}

impl From<Option<u32>> for Beat {
    fn from(rtt_ms: Option<u32>) -> Self {
        rtt_ms.map_or(Beat::Failed, |rtt_ms| Beat::Proven { rtt_ms })
    }
}

impl From<Beat> for Option<u32> {
    fn from(beat: Beat) -> Self {
        match beat {
            Beat::Proven { rtt_ms } => Some(rtt_ms),
            Beat::Failed => None,
        }
    }
}

/// How a connection travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// RFC 6455.
    WebSocket,
    /// HTML Living Standard, `text/event-stream`.
    ServerSentEvents,
}

/// `POST /v1/connections/end`: ends one connection of the account. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndConnectionRequest {
    /// Which.
    pub id: ConnectionId,
}
