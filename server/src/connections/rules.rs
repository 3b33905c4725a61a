use crate::{
    problem::{Refusal, Result},
    wire::single,
};
use axum::http::{HeaderMap, header};
use holdfast_protocol::{
    base64url,
    connections::{TicketRequest, Transport},
    dpop::PublicKey,
    ids::{ConnectionId, SessionId},
    pop::Close,
    problem::Code,
};

/// Live connections and outstanding tickets that one session may hold.
pub(super) const MAX_PER_SESSION: usize = 32;

/// Every stream that a ticket can open; a further one is declared here, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// The account's own activity.
    Activity,
}

impl Stream {
    const ALL: [Stream; 1] = [Stream::Activity];

    /// Its address, which also names it.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Stream::Activity => "/v1/streams/activity",
        }
    }

    /// The application's own WebSocket subprotocol, selected where it is offered.
    pub(super) const fn subprotocol(self) -> &'static str {
        match self {
            Stream::Activity => "holdfast.activity.1",
        }
    }

    fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.path() == path)
    }
}

/// The stream that a ticket is asked for.
pub(super) fn asked_for(request: &TicketRequest) -> Result<Stream> {
    let stream = Stream::from_path(&request.stream)
        .ok_or_else(|| Refusal::with_detail(Code::InvalidRequest, "There is no stream at this path."))?;
    base64url::decode_array::<32>(&request.client_nonce)
        .map_err(|_| Refusal::with_detail(Code::InvalidRequest, "`client_nonce` is 32 bytes, base64url."))?;
    Ok(stream)
}

/// What was fixed when a ticket was minted.
#[derive(Debug, Clone)]
pub(super) struct Minted {
    pub session: SessionId,
    pub connection: ConnectionId,
    /// The path of the stream.
    pub stream: String,
    pub client_nonce: String,
    /// The key that proved the request for the ticket.
    pub key: PublicKey,
    pub expires_at_ms: i64,
}

/// A ticket opens one stream of one session, in time.
pub(super) fn require_opens(minted: &Minted, session: &SessionId, stream: Stream, now_ms: i64) -> Result<()> {
    if minted.session == *session && minted.stream == stream.path() && now_ms < minted.expires_at_ms {
        Ok(())
    } else {
        Err(Code::TicketInvalid.into())
    }
}

/// How a request wants its stream to travel.
pub(super) fn transport(headers: &HeaderMap) -> Result<Transport> {
    let upgrade = single(headers, header::UPGRADE.as_str())?;
    if upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return Ok(Transport::WebSocket);
    }
    let accepted = single(headers, header::ACCEPT.as_str())?.unwrap_or_default();
    let mut kinds = accepted.split(',').filter_map(|kind| kind.split(';').next());
    if kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")) {
        return Ok(Transport::ServerSentEvents);
    }
    let detail = "This address is a stream: open it as a WebSocket or accept text/event-stream.";
    Err(Refusal::with_detail(Code::InvalidRequest, detail))
}

/// Browsers tell where a request comes from in one header or the other; silence is a refusal.
pub(super) fn require_own_page(transport: Transport, headers: &HeaderMap, origin: &str) -> Result<()> {
    let own = match transport {
        Transport::WebSocket => single(headers, header::ORIGIN.as_str())? == Some(origin),
        Transport::ServerSentEvents => single(headers, "sec-fetch-site")? == Some("same-origin"),
    };
    if own { Ok(()) } else { Err(Code::ForeignOrigin.into()) }
}

/// Frames of the application that came while the connection was not proven.
///
/// The activity stream takes none, so their sizes are all that need be kept.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    frames: usize,
    bytes: usize,
}

impl HeldBack {
    const MAX_BYTES: usize = 64 * 1024;
    /// Empty frames are not free.
    const MAX_FRAMES: usize = 1024;

    /// A frame has come before its time.
    pub(super) fn hold(&mut self, bytes: usize) -> std::result::Result<(), Close> {
        self.frames += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.frames > Self::MAX_FRAMES || self.bytes > Self::MAX_BYTES {
            return Err(Close::TooMuchHeld);
        }
        Ok(())
    }

    /// The connection is proven: what was held reaches the stream, which takes nothing.
    pub(super) fn release(&mut self) -> std::result::Result<(), Close> {
        match std::mem::take(self).frames {
            0 => Ok(()),
            _ => Err(Close::BadMessage),
        }
    }
}

/// What the activity stream has yet to send. All of it is read when it is sent, so nothing piles up
/// here while a connection is held back.
#[derive(Debug)]
pub(super) struct Owed {
    /// The newest event that was sent.
    pub after_id: i64,
    /// There may be newer ones.
    pub activity: bool,
    connections: bool,
    connections_due_ms: u64,
}

impl Owed {
    /// The list of connections is sent at most twice a second.
    const LIST_EVERY_MS: u64 = 500;

    /// A stream that begins after this event, and with the list.
    pub(super) fn after(id: i64) -> Self {
        Self { after_id: id, activity: true, connections: true, connections_due_ms: 0 }
    }

    /// The account's connections have changed.
    pub(super) fn on_connections_changed(&mut self) {
        self.connections = true;
    }

    /// When there is something to send.
    pub(super) fn due_ms(&self) -> Option<u64> {
        if self.activity { Some(0) } else { self.connections.then_some(self.connections_due_ms) }
    }

    /// Whether the list is to be sent now; if so, it counts as sent.
    pub(super) fn take_connections(&mut self, now_ms: u64) -> bool {
        let due = self.connections && self.connections_due_ms <= now_ms;
        if due {
            self.connections = false;
            self.connections_due_ms = now_ms.saturating_add(Self::LIST_EVERY_MS);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_ticket_is_for_a_declared_stream_and_a_nonce_of_32_bytes() {
        let request = |stream: &str, nonce: &str| TicketRequest {
            stream: stream.to_owned(),
            client_nonce: nonce.to_owned(),
        };
        let nonce = base64url::encode(&[7; 32]);
        assert_eq!(asked_for(&request("/v1/streams/activity", &nonce)).unwrap(), Stream::Activity);
        for (stream, nonce) in [
            ("/v1/streams/activity/", nonce.as_str()),
            ("/v1/streams/other", &nonce),
            ("", &nonce),
            ("/v1/streams/activity", ""),
            ("/v1/streams/activity", &base64url::encode(&[7; 31])),
            ("/v1/streams/activity", &format!("{nonce}=")),
        ] {
            let refusal = asked_for(&request(stream, nonce)).unwrap_err();
            assert_eq!(refusal.code(), Code::InvalidRequest, "{stream} {nonce}");
        }
    }

    #[test]
    fn a_ticket_opens_its_own_session_and_stream_until_it_expires() {
        let session = SessionId::make([1; 16]);
        let minted = Minted {
            session: session.clone(),
            connection: ConnectionId::make([2; 16]),
            stream: Stream::Activity.path().to_owned(),
            client_nonce: String::new(),
            key: PublicKey { x: [0; 32], y: [0; 32] },
            expires_at_ms: 100,
        };
        assert!(require_opens(&minted, &session, Stream::Activity, 99).is_ok());
        let refused = |minted: &Minted, session: &SessionId, now_ms| {
            require_opens(minted, session, Stream::Activity, now_ms).unwrap_err().code()
        };
        assert_eq!(refused(&minted, &session, 100), Code::TicketInvalid);
        assert_eq!(refused(&minted, &SessionId::make([3; 16]), 99), Code::TicketInvalid);
        let other = Minted { stream: "/v1/streams/terminal".to_owned(), ..minted };
        assert_eq!(refused(&other, &session, 99), Code::TicketInvalid);
    }

    #[test]
    fn a_stream_travels_by_web_socket_or_as_events() {
        let of = |pairs| transport(&headers(pairs)).map_err(|refusal| refusal.code());
        assert_eq!(of(&[("upgrade", "WebSocket")]), Ok(Transport::WebSocket));
        assert_eq!(of(&[("accept", "text/event-stream")]), Ok(Transport::ServerSentEvents));
        assert_eq!(of(&[("accept", "text/html, Text/Event-Stream;q=0.9")]), Ok(Transport::ServerSentEvents));
        for pairs in
            [&[][..], &[("accept", "*/*")], &[("upgrade", "h2c")], &[("accept", "text/event-streams")]]
        {
            assert_eq!(of(pairs), Err(Code::InvalidRequest), "{pairs:?}");
        }
    }

    #[test]
    fn only_the_consoles_own_page_opens_a_stream() {
        let origin = "https://console.example";
        let of = |transport, pairs| {
            require_own_page(transport, &headers(pairs), origin).map_err(|refusal| refusal.code())
        };
        assert_eq!(of(Transport::WebSocket, &[("origin", "https://console.example")]), Ok(()));
        assert_eq!(of(Transport::ServerSentEvents, &[("sec-fetch-site", "same-origin")]), Ok(()));
        for (transport, pairs) in [
            (Transport::WebSocket, &[][..]),
            (Transport::WebSocket, &[("origin", "https://console.example.evil")]),
            (Transport::WebSocket, &[("origin", "null")]),
            (Transport::WebSocket, &[("sec-fetch-site", "same-origin")]),
            (Transport::ServerSentEvents, &[]),
            (Transport::ServerSentEvents, &[("sec-fetch-site", "same-site")]),
            (Transport::ServerSentEvents, &[("sec-fetch-site", "none")]),
            (Transport::ServerSentEvents, &[("origin", "https://console.example")]),
        ] {
            assert_eq!(of(transport, pairs), Err(Code::ForeignOrigin), "{pairs:?}");
        }
    }

    #[test]
    fn what_is_held_back_is_bounded_in_bytes_and_in_frames() {
        let mut held = HeldBack::default();
        assert_eq!(held.hold(HeldBack::MAX_BYTES), Ok(()));
        assert_eq!(held.hold(1), Err(Close::TooMuchHeld));
        let mut held = HeldBack::default();
        for _ in 0..HeldBack::MAX_FRAMES {
            held.hold(0).unwrap();
        }
        assert_eq!(held.hold(0), Err(Close::TooMuchHeld));
    }

    #[test]
    fn what_was_held_is_refused_once_the_connection_is_proven() {
        let mut held = HeldBack::default();
        assert_eq!(held.release(), Ok(()));
        held.hold(0).unwrap();
        assert_eq!(held.release(), Err(Close::BadMessage));
    }

    #[test]
    fn the_list_is_owed_at_first_and_then_at_most_twice_a_second() {
        let mut owed = Owed::after(5);
        owed.activity = false;
        assert_eq!(owed.due_ms(), Some(0));
        assert!(owed.take_connections(1_000));
        assert_eq!(owed.due_ms(), None);
        owed.on_connections_changed();
        assert_eq!(owed.due_ms(), Some(1_500));
        assert!(!owed.take_connections(1_499));
        assert!(owed.take_connections(1_500));
        assert!(!owed.take_connections(9_000));
        owed.activity = true;
        assert_eq!(owed.due_ms(), Some(0));
    }
}
