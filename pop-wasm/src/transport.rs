//! A dialled connection, as the browser knows it. Dropping one closes it, and nothing is heard from
//! it afterwards.

use crate::browser::{Source, function};
use js_sys::{Array, Function, Uint8Array};
use std::rc::{Rc, Weak};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{BinaryType, CloseEvent, EventSource, MessageEvent, WebSocket};

/// What a transport tells.
pub(crate) enum Signal {
    /// It stands.
    Opened,
    /// A text frame, control or application.
    Text(String),
    /// A binary frame of the application.
    Bytes(Vec<u8>),
    /// The data of an event named `pop`.
    Control(String),
    /// An event of the application.
    Event {
        /// Its name.
        name: String,
        /// Its data.
        data: String,
        /// The last `id` that the server gave; empty where it gave none.
        id: String,
    },
    /// Gone, with a close code; 1006 where there is none.
    Lost(u16),
}

/// Who is told.
type Hear = Rc<dyn Fn(Signal)>;

pub(crate) enum Transport {
    Socket(Socket),
    Events(Events),
}

impl Transport {
    /// Whether it seems to stand. The browser may not know yet that it does not.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Transport::Socket(Socket { socket, .. }) => socket.ready_state() == WebSocket::OPEN,
            Transport::Events(Events { source, .. }) => source.ready_state() == EventSource::OPEN,
        }
    }
}

/// A WebSocket.
pub(crate) struct Socket {
    socket: WebSocket,
    /// The browser's functions hold it weakly: with the transport ends what they tell.
    _hear: Hear,
}

impl Socket {
    pub(crate) fn dial(address: &str, protocols: &[String], hear: Hear) -> Option<Self> {
        let offered = Array::new();
        for protocol in protocols {
            offered.push(&JsValue::from_str(protocol));
        }
        let socket = WebSocket::new_with_str_sequence(address, &offered).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let source = socket.unchecked_ref::<Source>();
        source.listen("open", &telling(&hear, |_| Some(Signal::Opened)));
        source.listen("message", &telling(&hear, frame));
        // `error` says nothing that `close` does not.
        let closed = |event: JsValue| Some(Signal::Lost(event.unchecked_into::<CloseEvent>().code()));
        source.listen("close", &telling(&hear, closed));
        Some(Self { socket, _hear: hear })
    }

    pub(crate) fn send_text(&self, text: &str) {
        // Throws only while connecting, when nobody sends; a closing socket tells by `close`.
        let _ = self.socket.send_with_str(text);
    }

    pub(crate) fn send_bytes(&self, bytes: &[u8]) {
        let _ = self.socket.send_with_u8_array(bytes);
    }

    /// What the browser has taken and not sent yet, in bytes.
    #[cfg(feature = "js")]
    pub(crate) fn buffered_amount(&self) -> u32 {
        self.socket.buffered_amount()
    }

    /// The subprotocol that the server has chosen.
    #[cfg(feature = "js")]
    pub(crate) fn protocol(&self) -> String {
        self.socket.protocol()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails only for a code, and there is none.
        let _ = self.socket.close();
    }
}

/// Server-sent events.
pub(crate) struct Events {
    source: EventSource,
    heard: Function,
    names: Vec<String>,
    _hear: Hear,
}

impl Events {
    pub(crate) fn dial(address: &str, names: &[String], hear: Hear) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let target = source.unchecked_ref::<Source>();
        target.listen("open", &telling(&hear, |_| Some(Signal::Opened)));
        // The browser's own reconnection would spend the same ticket twice: the first error is the end.
        target.listen("error", &telling(&hear, |_| Some(Signal::Lost(1006))));
        let mut events = Self { source, heard: telling(&hear, event), names: Vec::new(), _hear: hear };
        events.listen(holdfast_protocol::pop::EVENT);
        for name in names {
            events.listen(name);
        }
        Some(events)
    }

    /// Hears events of this name, too.
    pub(crate) fn listen(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.source.unchecked_ref::<Source>().listen(name, &self.heard);
            self.names.push(name.to_owned());
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn telling(hear: &Hear, signal: fn(JsValue) -> Option<Signal>) -> Function {
    let hear: Weak<_> = Rc::downgrade(hear);
    function(move |event| {
        if let Some(hear) = hear.upgrade()
            && let Some(signal) = signal(event)
        {
            hear(signal);
        }
    })
}

fn frame(event: JsValue) -> Option<Signal> {
    let data = event.unchecked_into::<MessageEvent>().data();
    Some(match data.as_string() {
        Some(text) => Signal::Text(text),
        None => Signal::Bytes(Uint8Array::new(&data).to_vec()),
    })
}

fn event(event: JsValue) -> Option<Signal> {
    let event = event.unchecked_into::<MessageEvent>();
    let (name, data) = (event.type_(), event.data().as_string()?);
    Some(if name == holdfast_protocol::pop::EVENT {
        Signal::Control(data)
    } else {
        Signal::Event { name, data, id: event.last_event_id() }
    })
}
