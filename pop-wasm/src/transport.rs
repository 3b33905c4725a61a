//! A dialled connection, as the browser knows it. Dropping one closes it.

use crate::{
    address::Address,
    browser::{text_member, whole},
    machine::Dialling,
    proof::joined,
};
use holdfast_protocol::pop::SUBPROTOCOL;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = dialSocket)]
    fn dial_socket(address: &str, protocols: &str, tell: &Function) -> Option<Wire>;
    #[wasm_bindgen(js_name = dialEvents)]
    fn dial_events(address: &str, tell: &Function) -> Option<Wire>;
    #[wasm_bindgen(js_name = hearEvents)]
    fn hear_events(source: &Wire, name: &str, tell: &Function);
    /// Whether there are streams of server-sent events here.
    #[wasm_bindgen(js_name = hasEvents)]
    pub(crate) fn has_events() -> bool;

    /// A `WebSocket` or an `EventSource`.
    #[derive(Clone)]
    pub(crate) type Wire;
    #[wasm_bindgen(method, getter, js_name = readyState)]
    fn ready_state(this: &Wire) -> u32;
    #[wasm_bindgen(method)]
    fn close(this: &Wire);
    // An `EventSource` says neither, and does not mind.
    #[wasm_bindgen(method, js_name = close)]
    fn close_with(this: &Wire, code: u16, reason: &str);
    // What browser.js has kept of a WebSocket's end.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn closed(this: &Wire) -> JsValue;
    // Throws only while connecting, when nobody sends; a closing socket tells by `close`.
    #[wasm_bindgen(method, js_name = send)]
    fn send_text(this: &Wire, text: &str);
    #[wasm_bindgen(method, js_name = send)]
    fn send_bytes(this: &Wire, bytes: &[u8]);
}

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

impl Signal {
    /// Reads what the browser has told.
    pub(crate) fn of(kind: u32, what: &JsValue) -> Option<Self> {
        Some(match kind {
            0 => Signal::Opened,
            1 => match what.as_string() {
                Some(text) => Signal::Text(text),
                None => Signal::Bytes(Uint8Array::new(what).to_vec()),
            },
            2 => Signal::Lost(u16::try_from(whole(what.as_f64()?)).ok()?),
            3 => Signal::Control(what.as_string()?),
            _ => {
                let text = |name| text_member(what, name);
                Signal::Event { name: text("type")?, data: text("data")?, id: text("lastEventId")? }
            }
        })
    }
}

/// A dialled connection: a WebSocket, which carries both ways, or server-sent events.
pub(crate) struct Transport {
    wire: Wire,
    tell: Function,
    dialling: Dialling,
}

impl Transport {
    /// `names` are those of subprotocols, each with a comma before it, or of events. What happens is told
    /// as [`Signal::of`] reads it.
    pub(crate) fn dial(
        address: &Address<'_>,
        dialling: Dialling,
        names: &[String],
        tell: Function,
    ) -> Option<Self> {
        let wire = match dialling {
            // With our subprotocol on offer, and those of the application after it.
            Dialling::Alone => dial_socket(&address.socket(), &joined(&[SUBPROTOCOL, names.first()?]), &tell),
            Dialling::Shared => dial_events(&address.events(), &tell),
        };
        let transport = Self { wire: wire?, tell, dialling };
        for name in names {
            transport.listen(name);
        }
        Some(transport)
    }

    /// Whether it seems to stand. The browser may not know yet that it does not.
    pub(crate) fn is_open(&self) -> bool {
        self.wire.ready_state() == 1
    }

    /// False: this way leads only from the server to the browser.
    pub(crate) fn send_text(&self, text: &str) -> bool {
        let both_ways = self.dialling == Dialling::Alone;
        if both_ways {
            self.wire.send_text(text);
        }
        both_ways
    }

    /// Behind what was sent. Dropped, it closes without a word.
    pub(crate) fn close_with(&self, code: u16, reason: &str) {
        self.wire.close_with(code, reason);
    }

    /// Of a WebSocket.
    pub(crate) fn send_bytes(&self, bytes: &[u8]) {
        if self.dialling == Dialling::Alone {
            self.wire.send_bytes(bytes);
        }
    }

    /// Hears server-sent events of this name, too.
    pub(crate) fn listen(&self, name: &str) {
        if self.dialling == Dialling::Shared {
            hear_events(&self.wire, name, &self.tell);
        }
    }

    /// The browser's own, which is still there when this one is dropped.
    pub(crate) fn wire(&self) -> Wire {
        self.wire.clone()
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.wire.close();
    }
}
