//! Server-sent events: control messages are events named `pop` between the application's own, and answers
//! come by POST.

use super::{
    events::Events,
    mailbox::{Left, Over},
    opening::Opened,
    registry::{Answer, Entry},
    runner::{self, Carrier, Ending, Flow, Received, Sending, Sent},
};
use crate::{clock::Clock, problem::Result};
use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::ws::{CloseFrame, Message},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{Stream, StreamExt as _, future::BoxFuture};
use holdfast_protocol::{
    pop::{self, Close, EVENT},
    problem::Code,
};
use std::{
    collections::VecDeque,
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Read ahead of a reader who does not read.
const AHEAD_BYTES: usize = 16 * 1024;

/// Starts the connection, and answers with its events. It ends when the browser no longer reads them.
pub(super) fn respond(opened: Opened, response: Response) -> Result<Response> {
    if response.status().is_client_error() || response.status().is_server_error() {
        return Ok(response);
    }
    if !is_stream(response.status(), response.headers()) {
        tracing::error!("a handler behind `pop::layer` answered with what is no text/event-stream; refused");
        return Err(Code::Internal.into());
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies would hold events back until they have a page full.
    parts.headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    parts.headers.remove(header::CONTENT_LENGTH);

    let outlet = Arc::new(Outlet {
        inside: Mutex::default(),
        connection: opened.registered.entry.clone(),
        clock: opened.app.clock.clone(),
    });
    let source = Source::Open(body.into_data_stream());
    let carrier = Blocks { outlet: outlet.clone(), source, events: Events::default() };
    tokio::spawn(runner::run(opened, carrier));
    Ok(Response::from_parts(parts, Body::from_stream(Reader(outlet))))
}

/// Nothing can be put between the events of a body that is packed.
fn is_stream(status: StatusCode, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    status == StatusCode::OK
        && kind.eq_ignore_ascii_case("text/event-stream")
        && !headers.contains_key(header::CONTENT_ENCODING)
}

/// From the connection's task to that of the HTTP server, which takes as fast as the browser reads.
struct Outlet {
    inside: Mutex<Inside>,
    connection: Arc<Entry>,
    clock: Clock,
}

#[derive(Default)]
struct Inside {
    controls: VecDeque<Bytes>,
    data: VecDeque<Bytes>,
    data_bytes: usize,
    /// 0 while nothing flows. Asked at every taking, so that a deadline that has passed stops it although
    /// nobody has said so yet.
    flows_until_ms: u64,
    over: bool,
    /// The reader has taken something since somebody asked.
    took: bool,
    /// The browser has left.
    gone: bool,
    reader: Option<Waker>,
}

impl Inside {
    fn put_data(&mut self, data: Bytes) {
        self.data_bytes += data.len();
        self.data.push_back(data);
    }

    fn take_data(&mut self) -> Option<Bytes> {
        let data = self.data.pop_front()?;
        self.data_bytes -= data.len();
        Some(data)
    }

    fn void(&mut self) {
        self.flows_until_ms = 0;
        self.data = VecDeque::new();
        self.data_bytes = 0;
    }
}

impl Outlet {
    fn open(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is inside, and lets the reader look.
    fn change(&self, change: impl FnOnce(&mut Inside)) {
        let mut inside = self.open();
        change(&mut inside);
        let reader = inside.reader.take();
        drop(inside);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn flows(&self, inside: &Inside) -> bool {
        self.clock.now().monotonic_ms < inside.flows_until_ms
    }

    fn end(&self) {
        self.change(|inside| {
            inside.over = true;
            inside.void();
        });
    }
}

/// The body of the answer.
struct Reader(Arc<Outlet>);

impl Stream for Reader {
    type Item = std::result::Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inside = self.0.open();
        let next = match inside.controls.pop_front() {
            None if self.0.flows(&inside) => inside.take_data(),
            control => control,
        };
        if let Some(bytes) = next {
            inside.took = true;
            drop(inside);
            self.0.connection.ring();
            return Poll::Ready(Some(Ok(bytes)));
        }
        if inside.over {
            return Poll::Ready(None);
        }
        inside.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.open().gone = true;
        self.0.connection.ring();
    }
}

/// The connection's end of server-sent events.
struct Blocks {
    outlet: Arc<Outlet>,
    source: Source,
    events: Events,
}

/// The application's stream.
enum Source {
    Open(BodyDataStream),
    Left(Left),
}

/// What it says next.
enum Next {
    Bytes(Bytes),
    Nothing,
    Left(Left),
}

impl Source {
    fn poll(&mut self, context: &mut Context<'_>) -> Next {
        let Self::Open(body) = self else { return Next::Nothing };
        // A panic must not take the connection along, which still has to be closed with its code.
        match catch_unwind(AssertUnwindSafe(|| body.poll_next_unpin(context))) {
            Ok(Poll::Pending) => Next::Nothing,
            Ok(Poll::Ready(Some(Ok(bytes)))) => Next::Bytes(bytes),
            Ok(Poll::Ready(None)) => Next::Left(Left::Done),
            Ok(Poll::Ready(Some(Err(error)))) => {
                tracing::error!(%error, "the application behind server-sent events failed");
                Next::Left(Left::Failed)
            }
            Err(_) => {
                tracing::error!("the application behind server-sent events panicked");
                Next::Left(Left::Failed)
            }
        }
    }
}

impl Carrier for Blocks {
    fn poll_receive(&mut self, _: &mut Context<'_>, _: &Clock) -> Poll<Option<Received>> {
        if self.outlet.open().gone {
            return Poll::Ready(None);
        }
        // The bell rings for the next.
        self.outlet.connection.take_answer().map_or(Poll::Pending, |Answer { at, message }| {
            Poll::Ready(Some(Received { at, what: Sent::Control(message) }))
        })
    }

    fn deliver(&mut self, _: Message) -> std::result::Result<(), Ending> {
        // Only control messages are posted.
        Err(Close::BadMessage.into())
    }

    fn is_stuffed(&self) -> bool {
        false
    }

    fn flow(&mut self, flow: Flow) {
        self.outlet.change(|inside| inside.flows_until_ms = flow.until_ms());
    }

    fn control(&mut self, message: &pop::Message) {
        let block = format!("event: {EVENT}\ndata: {}\n\n", message.encode());
        self.outlet.change(|inside| inside.controls.push_back(block.into()));
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Sending {
        loop {
            let inside = self.outlet.open();
            let flows = self.outlet.flows(&inside);
            let (full, is_read) = (inside.data_bytes >= AHEAD_BYTES, inside.data.is_empty());
            let waits = !inside.controls.is_empty() || (flows && !is_read);
            drop(inside);
            match &self.source {
                // What it said before is read first.
                Source::Left(left) if is_read => return Sending::Over((*left).into()),
                Source::Open(_) if flows && !full => {}
                Source::Left(_) | Source::Open(_) => {
                    return if waits { Sending::Blocked } else { Sending::Idle };
                }
            }
            match self.source.poll(context) {
                Next::Bytes(bytes) => match self.events.complete(bytes) {
                    Ok(whole) if whole.is_empty() => {}
                    Ok(whole) => self.outlet.change(|inside| inside.put_data(whole)),
                    Err(close) => return Sending::Over(close.into()),
                },
                Next::Left(left) => self.source = Source::Left(left),
                Next::Nothing => return if waits { Sending::Blocked } else { Sending::Idle },
            }
        }
    }

    fn took(&mut self) -> bool {
        std::mem::take(&mut self.outlet.open().took)
    }

    fn stop(&mut self, _: Over) {
        self.source = Source::Left(Left::Done);
        self.outlet.change(Inside::void);
    }

    fn say_goodbye(&mut self, goodbye: Option<CloseFrame>, _: Clock) -> BoxFuture<'_, ()> {
        if let Some(CloseFrame { code, .. }) = goodbye {
            self.control(&pop::Message::End { code });
        }
        Box::pin(std::future::ready(()))
    }
}

/// However it comes to an end, the reader hears of it.
impl Drop for Blocks {
    fn drop(&mut self) {
        self.outlet.end();
    }
}
