//! Server-sent events: control messages are events named `pop`, answers come by POST.

use super::{
    opening::Opened,
    queue::{self, Data, Incoming, Outgoing},
};
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use holdfast_protocol::pop::{EVENT, Message};
use std::convert::Infallible;
use tokio::sync::mpsc;

/// Starts the connection and answers with its events. It ends when the browser no longer reads them.
pub(super) fn respond(opened: Opened, received: mpsc::Receiver<Incoming>) -> Response {
    let (outbound, mut to_send) = queue::outbound(opened.newest_id);
    tokio::spawn(opened.runner(received, outbound).run());
    let events = stream::poll_fn(move |context| {
        to_send.poll_next(context).map(|next| next.map(|outgoing| Ok::<_, Infallible>(written(outgoing))))
    });
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies would hold events back until they have a page full.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn written(outgoing: Outgoing) -> Event {
    match outgoing {
        Outgoing::Control(message) => Event::default().event(EVENT).data(message.encode()),
        Outgoing::Data(Data { name, json, .. }) => Event::default().event(name).data(json),
        Outgoing::Close(close) => {
            Event::default().event(EVENT).data(Message::End { code: close.code() }.encode())
        }
    }
}
