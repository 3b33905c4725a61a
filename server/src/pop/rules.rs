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

/// The query of an opening: the ticket, and what is the application's.
///
/// A ticket is for a path, as a proof is (RFC 9449, section 4.2), and says nothing about the query: that is the
/// word of whoever opens. Another site cannot, nor can anybody without the session's cookie, and whoever does
/// without its key gets nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening<'a> {
    pub ticket: &'a str,
    pub rest: String,
}

impl<'a> Opening<'a> {
    /// Wants one ticket, in its one spelling.
    pub(super) fn read(query: &'a str) -> Result<Self> {
        let name = |part: &'a str| part.split_once('=').unwrap_or((part, ""));
        let (tickets, rest): (Vec<_>, Vec<_>) = query.split('&').partition(|part| name(part).0 == "ticket");
        let [ticket] = tickets[..] else {
            return Err(Refusal::with_detail(Code::InvalidRequest, "The query has one `ticket`."));
        };
        Ok(Self { ticket: name(ticket).1, rest: rest.join("&") })
    }
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

    #[test]
    fn a_query_holds_one_ticket_and_the_rest_stays_as_it_came() {
        for (query, rest) in [
            ("ticket=abc", ""),
            ("room=7&ticket=abc", "room=7"),
            ("ticket=abc&room=a%20b&x", "room=a%20b&x"),
            ("a=1&&ticket=abc&a=2", "a=1&&a=2"),
            ("tickets=1&ticket=abc&%74icket=x", "tickets=1&%74icket=x"),
        ] {
            let opening = Opening::read(query).unwrap();
            assert_eq!(opening, Opening { ticket: "abc", rest: rest.to_owned() }, "{query}");
        }
        for none in
            ["", "room=7", "Ticket=abc", "ticket=abc&ticket=abc", "ticket=abc&x=1&ticket", "%74icket=abc"]
        {
            assert!(Opening::read(none).is_err(), "{none}");
        }
    }

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
