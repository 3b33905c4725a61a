use super::streams::{Stream, Streams};
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
    problem::Code,
};

/// Live connections and outstanding tickets that one session may hold.
pub(super) const MAX_PER_SESSION: usize = 32;

/// The stream that a ticket is asked for.
pub(super) fn asked_for(request: &TicketRequest, streams: &Streams) -> Result<Stream> {
    let stream = streams
        .find(&request.stream)
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
pub(super) fn require_opens(minted: &Minted, session: &SessionId, stream: &str, now_ms: i64) -> Result<()> {
    if minted.session == *session && minted.stream == stream && now_ms < minted.expires_at_ms {
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
        let streams = Streams::default();
        streams.declare(&"/streams/chat".into());
        let nonce = base64url::encode(&[7; 32]);
        assert_eq!(&*asked_for(&request("/streams/chat", &nonce), &streams).unwrap().path, "/streams/chat");
        for (stream, nonce) in [
            ("/streams/chat/", nonce.as_str()),
            ("/streams/other", &nonce),
            ("", &nonce),
            ("/streams/chat", ""),
            ("/streams/chat", &base64url::encode(&[7; 31])),
            ("/streams/chat", &format!("{nonce}=")),
        ] {
            let refusal = asked_for(&request(stream, nonce), &streams).unwrap_err();
            assert_eq!(refusal.code(), Code::InvalidRequest, "{stream} {nonce}");
        }
    }

    #[test]
    fn a_ticket_opens_its_own_session_and_stream_until_it_expires() {
        let session = SessionId::make([1; 16]);
        let minted = Minted {
            session: session.clone(),
            connection: ConnectionId::make([2; 16]),
            stream: "/streams/chat".to_owned(),
            client_nonce: String::new(),
            key: PublicKey { x: [0; 32], y: [0; 32] },
            expires_at_ms: 100,
        };
        assert!(require_opens(&minted, &session, "/streams/chat", 99).is_ok());
        let refused = |minted: &Minted, session: &SessionId, now_ms| {
            require_opens(minted, session, "/streams/chat", now_ms).unwrap_err().code()
        };
        assert_eq!(refused(&minted, &session, 100), Code::TicketInvalid);
        assert_eq!(refused(&minted, &SessionId::make([3; 16]), 99), Code::TicketInvalid);
        let other = Minted { stream: "/streams/terminal".to_owned(), ..minted };
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
}
