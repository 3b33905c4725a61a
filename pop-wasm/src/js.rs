//! The exports of the ES module. `js/index.mjs` is what an application imports, and `js/index.d.ts`
//! documents it: doc comments here would travel to every browser.

use crate::{
    Connection, End, EventStream, Kept, NewKey, Options, PopClient, PopError, State, Status,
    browser::Thenable,
    http,
    key::{Key, signature_bytes},
    link::Link,
    task::spawn,
    told::Told,
};
use js_sys::{Array, Function, Promise, Uint8Array};
use std::{cell::RefCell, pin::Pin, rc::Rc};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, prelude::wasm_bindgen};

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
    pub fn open(origin: String, csrf: Option<Function>) -> Promise {
        promise(async { PopClient::open(Options { origin, csrf }).await.map(|client| Self(client).into()) })
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
    pub fn proof(&self, method: &str, path: &str) -> Promise {
        proof_of(&self.0, self.0.key(), method, path)
    }

    // The CSRF token of the session.
    #[wasm_bindgen(unchecked_return_type = "Promise<string | undefined>")]
    pub fn csrf(&self) -> Promise {
        let client = self.0.clone();
        promise(async move { Ok(http::csrf_token(&client).await.into()) })
    }

    // Keeps the header `DPoP-Nonce` of a response.
    #[wasm_bindgen(js_name = noteNonce)]
    pub fn note_nonce(&self, nonce: &str) {
        self.0.note_nonce(nonce);
    }

    // Opens a WebSocket that offers these subprotocols, with a comma before each, and which a WebSocket would
    // take; or without any a stream of server-sent events. Keeps it open until `close()`.
    pub fn dial(&self, path: &str, protocols: Option<String>) -> Result<JsConnection, JsValue> {
        let link = match protocols {
            Some(protocols) => self.0.connect_checked(path, protocols).map(Connection::live_until_it_ends),
            None => self.0.stream(path).map(EventStream::live_until_it_ends),
        };
        link.map(JsConnection).map_err(thrown)
    }

    // Calls with `("status", word)`.
    #[wasm_bindgen(js_name = onStatus)]
    pub fn on_status(&self, listener: Function) {
        self.0.on_told(telling(listener)).forget();
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
    pub fn proof(&self, client: &JsClient, method: &str, path: &str) -> Promise {
        proof_of(&client.0, self.0.borrow().as_ref().map(NewKey::key), method, path)
    }
}

#[wasm_bindgen(js_class = Connection)]
impl JsConnection {
    // Calls with what comes and how it stands: `("message", data)`, `("event", name, data, id)`, or the name
    // of a state with its number or word.
    pub fn hear(&self, listener: Function) {
        self.0.on_told(telling(listener)).forget();
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

// Boxed, so that it exists once.
fn telling(listener: Function) -> Box<dyn Fn(&Told)> {
    Box::new(move |told| {
        let none = JsValue::UNDEFINED;
        let (kind, first, second, third) = match told {
            Told::Status(status) => ("status", spelled_status(*status).into(), none.clone(), none.clone()),
            Told::State(state) => {
                let (state, detail) = spelled(*state);
                (state, detail, none.clone(), none.clone())
            }
            Told::Text(text) => ("message", text.into(), none.clone(), none.clone()),
            Told::Bytes(bytes) => {
                ("message", Uint8Array::from(bytes.as_slice()).into(), none.clone(), none.clone())
            }
            Told::Event { name, data, id } => ("event", name.into(), data.into(), id.into()),
        };
        // What a listener throws is the listener's; it must not stop the connection.
        let _ = listener.call4(&none, &kind.into(), &first, &second, &third);
    })
}

fn spelled_status(status: Status) -> &'static str {
    match status {
        Status::KeyReplaced => "key-replaced",
        Status::SignedOut => "signed-out",
        Status::MemoryOnly => "memory-only",
    }
}

// Boxed, so that the glue exists once and not for each export.
fn promise(work: impl Future<Output = Result<JsValue, PopError>> + 'static) -> Promise {
    promise_of(Box::pin(work))
}

fn proof_of(client: &PopClient, key: Option<Rc<Key>>, method: &str, path: &str) -> Promise {
    let begun = move || {
        let key = key.ok_or(PopError::NoKey)?;
        let path = client.origin().path(path)?;
        let proof = client.unsigned_proof(&key, method, &path)?;
        Ok((key.begin(&proof), proof))
    };
    let (signature, proof) = match begun() {
        Ok(begun) => begun,
        Err(error) => return Promise::reject(&thrown(error)),
    };
    let signed = Closure::once_into_js(move |signature: JsValue| proof.signed(&signature_bytes(&signature)));
    // A browser that refuses to sign rejects with an error of its own, which the façade calls by our name.
    signature.unchecked_into::<Thenable>().then_value(&signed)
}

fn promise_of(work: Pin<Box<dyn Future<Output = Result<JsValue, PopError>>>>) -> Promise {
    let mut work = Some(work);
    Promise::new(&mut move |resolve, reject| {
        let Some(work) = work.take() else { return };
        spawn(async move {
            let _ = match work.await {
                Ok(value) => resolve.call1(&JsValue::UNDEFINED, &value),
                Err(error) => reject.call1(&JsValue::UNDEFINED, &thrown(error)),
            };
        });
    })
}

// The name of a state, and the number or word that belongs to it.
fn spelled(state: State) -> (&'static str, JsValue) {
    match state {
        State::Connecting => ("connecting", JsValue::UNDEFINED),
        State::Proving => ("proving", JsValue::UNDEFINED),
        State::Open { rtt_ms } => ("open", rtt_ms.into()),
        State::Held => ("held", JsValue::UNDEFINED),
        State::Waiting { retry_in_ms } => ("waiting", retry_in_ms.into()),
        State::Ended(why) => ("ended", why.code().into()),
    }
}

// The stable code and a sentence, of which the façade makes an error.
fn thrown(error: PopError) -> JsValue {
    Array::of2(&error.code().into(), &error.sentence().into()).into()
}
