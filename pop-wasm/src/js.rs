//! The exports of the ES module. `js/index.mjs` is what an application imports, and `js/index.d.ts`
//! documents it: doc comments here would travel to every browser.

use crate::{
    Connection, End, EventStream, Kept, NewKey, Options, PopClient, PopError, State, Status, browser::set,
    http, key::Key, link::Link, told::Told,
};
use js_sys::{Error, Function, Promise, Uint8Array};
use std::{cell::RefCell, pin::Pin, rc::Rc};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;

// A sixth of the size of the standard library's, which is made for larger programs.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

// The client of one origin.
#[wasm_bindgen(js_name = PopClient)]
pub struct JsClient(PopClient);

// A key that no ceremony has vouched for yet.
#[wasm_bindgen(js_name = NewKey)]
pub struct JsNewKey(RefCell<Option<NewKey>>);

// A WebSocket, or a stream of server-sent events, that is proven and comes back by itself.
#[wasm_bindgen(js_name = Connection)]
pub struct JsConnection(Rc<Link>);

#[wasm_bindgen(js_class = PopClient)]
impl JsClient {
    // Finds the stored key, if there is one.
    #[wasm_bindgen(unchecked_return_type = "Promise<PopClient>")]
    pub fn open(origin: String) -> Promise {
        promise(async { PopClient::open(Options { origin }).await.map(|client| Self(client).into()) })
    }

    // The thumbprint of the current key.
    #[wasm_bindgen(getter)]
    pub fn thumbprint(&self) -> Option<String> {
        self.0.thumbprint().map(|thumbprint| thumbprint.as_str().to_owned())
    }

    // Makes a fresh key, for a ceremony to vouch for.
    #[wasm_bindgen(js_name = makeKey, unchecked_return_type = "Promise<NewKey>")]
    pub fn make_key(&self) -> Promise {
        let client = self.0.clone();
        promise(async move { client.make_key().await.map(|key| JsNewKey(RefCell::new(Some(key))).into()) })
    }

    // The server has accepted the ceremony: the key is current. Gives `stored` or `memory-only`.
    #[wasm_bindgen(unchecked_return_type = "Promise<'stored' | 'memory-only'>")]
    pub fn adopt(&self, key: &JsNewKey) -> Promise {
        let (client, key) = (self.0.clone(), key.0.take());
        promise(async move {
            Ok(JsValue::from_str(match client.adopt(key.ok_or(PopError::NoKey)?).await? {
                Kept::Stored => "stored",
                Kept::MemoryOnly => "memory-only",
            }))
        })
    }

    // Whether another tab has stored a newer key, which is current now.
    #[wasm_bindgen(js_name = refreshKey, unchecked_return_type = "Promise<boolean>")]
    pub fn refresh_key(&self) -> Promise {
        let client = self.0.clone();
        promise(async move { Ok(JsValue::from_bool(client.refresh_key().await)) })
    }

    // The value of the header `DPoP` for one request.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn proof(&self, method: String, path: String) -> Promise {
        proof_of(&self.0, self.0.key(), method, path)
    }

    // The CSRF token of the session.
    #[wasm_bindgen(unchecked_return_type = "Promise<string | undefined>")]
    pub fn csrf() -> Promise {
        promise(async { Ok(http::csrf_token().await.into()) })
    }

    // Keeps the header `DPoP-Nonce` of a response.
    #[wasm_bindgen(js_name = noteNonce)]
    pub fn note_nonce(&self, nonce: &str) {
        self.0.note_nonce(nonce);
    }

    // Opens a WebSocket that offers these subprotocols, with commas between them, or without any a stream
    // of server-sent events; and keeps it open until `close()`.
    pub fn dial(&self, path: &str, protocols: Option<String>) -> Result<JsConnection, JsValue> {
        let link = match protocols {
            Some(protocols) => {
                let protocols: Vec<&str> = protocols.split(',').filter(|name| !name.is_empty()).collect();
                self.0.connect(path, &protocols).map(Connection::live_until_it_ends)
            }
            None => self.0.stream(path).map(EventStream::live_until_it_ends),
        };
        link.map(JsConnection).map_err(thrown)
    }

    // Calls with `key-replaced`, `signed-out` or `memory-only`.
    #[wasm_bindgen(js_name = onStatus)]
    pub fn on_status(&self, listener: Function) {
        let told = move |status| {
            let word = match status {
                Status::KeyReplaced => "key-replaced",
                Status::SignedOut => "signed-out",
                Status::MemoryOnly => "memory-only",
            };
            // What a listener throws is the listener's.
            let _ = listener.call1(&JsValue::UNDEFINED, &JsValue::from_str(word));
        };
        self.0.on_status(told).forget();
    }

    // Removes the key, ends every connection, tells the other tabs.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn destroy(&self) -> Promise {
        let client = self.0.clone();
        promise(async move { client.destroy().await.map(|()| JsValue::UNDEFINED) })
    }
}

#[wasm_bindgen(js_class = NewKey)]
impl JsNewKey {
    // For the ceremony's token.
    #[wasm_bindgen(getter)]
    pub fn thumbprint(&self) -> Option<String> {
        self.0.borrow().as_ref().map(|key| key.thumbprint().as_str().to_owned())
    }

    // A proof with this key, for the request that ends the ceremony.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn proof(&self, client: &JsClient, method: String, path: String) -> Promise {
        proof_of(&client.0, self.0.borrow().as_ref().map(NewKey::key), method, path)
    }
}

#[wasm_bindgen(js_class = Connection)]
impl JsConnection {
    // Calls with what comes and how it stands: `("message", data)`, `("event", name, data, id)`, or the name
    // of a state with its number or word.
    pub fn hear(&self, listener: Function) {
        let told = move |told: &Told| {
            let (kind, first, second, third) = match told {
                Told::Text(text) => ("message", text.into(), JsValue::UNDEFINED, JsValue::UNDEFINED),
                Told::Bytes(bytes) => {
                    let bytes = Uint8Array::from(bytes.as_slice()).into();
                    ("message", bytes, JsValue::UNDEFINED, JsValue::UNDEFINED)
                }
                Told::Event { name, data, id } => ("event", name.into(), data.into(), id.into()),
                Told::State(state) => {
                    let (state, detail) = described(*state);
                    (state, detail, JsValue::UNDEFINED, JsValue::UNDEFINED)
                }
            };
            // What a listener throws is the listener's; it must not stop the connection.
            let _ = listener.call4(&JsValue::UNDEFINED, &kind.into(), &first, &second, &third);
        };
        self.0.on_told(told).forget();
    }

    // Hears server-sent events of this name, too.
    pub fn listen(&self, name: &str) {
        self.0.listen(name);
    }

    // Sends a string or a `Uint8Array`; held back until proven.
    pub fn send(&self, data: &JsValue) -> Result<(), JsValue> {
        match data.as_string() {
            Some(text) => self.0.send_text(&text),
            None => self.0.send_bytes(&Uint8Array::new(data).to_vec()),
        }
        .map_err(thrown)
    }

    // What was sent and has not left this browser, in bytes.
    #[wasm_bindgen(getter, js_name = bufferedAmount)]
    pub fn buffered_amount(&self) -> u32 {
        self.0.buffered_amount()
    }

    // The subprotocol that the server has chosen.
    #[wasm_bindgen(getter)]
    pub fn protocol(&self) -> String {
        self.0.protocol()
    }

    // Does not wait for the next try.
    #[wasm_bindgen(js_name = retryNow)]
    pub fn retry_now(&self) {
        self.0.retry_now();
    }

    // Ends it.
    pub fn close(&self) {
        self.0.end(End::Closed);
    }
}

// Boxed, so that the glue exists once and not for each export.
fn promise(work: impl Future<Output = Result<JsValue, PopError>> + 'static) -> Promise {
    promise_of(Box::pin(work))
}

fn proof_of(client: &PopClient, key: Option<Rc<Key>>, method: String, path: String) -> Promise {
    let client = client.clone();
    promise(async move {
        let path = client.origin().path(&path)?;
        client.prove(&*key.ok_or(PopError::NoKey)?, &method, &path).await.map(JsValue::from)
    })
}

fn promise_of(work: Pin<Box<dyn Future<Output = Result<JsValue, PopError>>>>) -> Promise {
    future_to_promise(async { work.await.map_err(thrown) })
}

fn described(state: State) -> (&'static str, JsValue) {
    match state {
        State::Connecting => ("connecting", JsValue::UNDEFINED),
        State::Proving => ("proving", JsValue::UNDEFINED),
        State::Open { rtt_ms } => ("open", rtt_ms.into()),
        State::Held => ("held", JsValue::UNDEFINED),
        State::Waiting { retry_in_ms } => ("waiting", retry_in_ms.into()),
        State::Ended(why) => ("ended", End::code(why).into()),
    }
}

// An `Error` with the stable code as `code`.
fn thrown(error: PopError) -> JsValue {
    let thrown = Error::new(error.sentence());
    thrown.set_name("PopError");
    set(&thrown, "code", &JsValue::from_str(error.code()));
    thrown.unchecked_into()
}
