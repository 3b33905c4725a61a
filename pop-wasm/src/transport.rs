//! A dialled connection, as the browser knows it. Dropping one closes it, and nothing is heard from
//! it afterwards.

use crate::{
    address::Address,
    browser::{Source, function, global, member},
    proof::joined,
};
use holdfast_protocol::pop::SUBPROTOCOL;
use js_sys::{Function, JsString, Uint8Array};
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
pub(crate) type Hear = Rc<dyn Fn(Signal)>;

/// A dialled connection. An object, so that a page without WebSockets carries no code for them.
pub(crate) trait Transport {
    /// Whether it seems to stand. The browser may not know yet that it does not.
    fn is_open(&self) -> bool;

    /// False: this way leads only from the server to the browser.
    fn send_text(&self, _text: &str) -> bool {
        false
    }

    fn send_bytes(&self, _bytes: &[u8]) {}

    /// Hears events of this name, too.
    fn listen(&mut self, _name: &str) {}

    /// What the browser has taken and not sent yet, in bytes.
    #[cfg(feature = "js")]
    fn buffered_amount(&self) -> u32 {
        0
    }

    /// The subprotocol that the server has chosen.
    #[cfg(feature = "js")]
    fn protocol(&self) -> String {
        String::new()
    }
}

/// A WebSocket.
pub(crate) struct Socket {
    socket: WebSocket,
    /// The browser's functions hold it weakly: with the transport ends what they tell.
    _hear: Hear,
}

impl Socket {
    /// With our subprotocol on offer, and those of the application after it.
    pub(crate) fn dial(
        address: &Address<'_>,
        protocols: &[String],
        hear: Hear,
    ) -> Option<Box<dyn Transport>> {
        let offered: JsString = joined(&[SUBPROTOCOL, protocols.first()?]).into();
        let offered = offered.split(",");
        let socket = WebSocket::new_with_str_sequence(&address.socket(), &offered).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let source = socket.unchecked_ref::<Source>();
        source.listen("open", &telling(&hear, |_| Some(Signal::Opened)));
        source.listen("message", &telling(&hear, frame));
        // `error` says nothing that `close` does not.
        let closed = |event: JsValue| Some(Signal::Lost(event.unchecked_into::<CloseEvent>().code()));
        source.listen("close", &telling(&hear, closed));
        Some(Box::new(Self { socket, _hear: hear }))
    }
}

impl Transport for Socket {
    fn is_open(&self) -> bool {
        self.socket.ready_state() == WebSocket::OPEN
    }

    fn send_text(&self, text: &str) -> bool {
        // Throws only while connecting, when nobody sends; a closing socket tells by `close`.
        let _ = self.socket.send_with_str(text);
        true
    }

    fn send_bytes(&self, bytes: &[u8]) {
        let _ = self.socket.send_with_u8_array(bytes);
    }

    #[cfg(feature = "js")]
    fn buffered_amount(&self) -> u32 {
        self.socket.buffered_amount()
    }

    #[cfg(feature = "js")]
    fn protocol(&self) -> String {
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
    /// Whether there are such streams here.
    pub(crate) fn exist() -> bool {
        member(&global(), "EventSource").is_some()
    }

    /// Hears events of these names.
    pub(crate) fn dial(address: &Address<'_>, names: &[String], hear: Hear) -> Option<Box<dyn Transport>> {
        let source = EventSource::new(&address.events()).ok()?;
        let target = source.unchecked_ref::<Source>();
        target.listen("open", &telling(&hear, |event| of_browser(&event, Signal::Opened)));
        // The browser's own reconnection would spend the same ticket twice: the first error is the end.
        target.listen("error", &telling(&hear, |event| of_browser(&event, Signal::Lost(1006))));
        let mut events = Self { source, heard: telling(&hear, event), names: Vec::new(), _hear: hear };
        events.listen(holdfast_protocol::pop::EVENT);
        for name in names {
            events.listen(name);
        }
        Some(Box::new(events))
    }
}

impl Transport for Events {
    fn is_open(&self) -> bool {
        self.source.ready_state() == EventSource::OPEN
    }

    fn listen(&mut self, name: &str) {
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

/// The application may have events of the browser's names, too: what the browser tells has no data.
fn of_browser(event: &JsValue, signal: Signal) -> Option<Signal> {
    member(event, "data").is_none().then_some(signal)
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
