//! The exports of the ES module: [`open`], which gives a client. It, its keys and its connections are functions
//! of the browser: they take a verb, and an array of whom to tell what comes of it and of what else the verb
//! needs. Classes with a method for each would be a twelfth of the module. `js/index.mjs` is what an application
//! imports, and `js/index.d.ts` documents it: doc comments here would travel to every browser.

use crate::{
    End, Kept, NewKey, Options, PopClient, PopError, State,
    browser::function,
    http,
    key::Key,
    link::Link,
    task::spawn,
    told::{Kind, Told},
};
use js_sys::{Array, Function, Uint8Array};
use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    fn tell(listener: &Function, kind: &JsValue, first: &JsValue, second: &JsValue, third: &JsValue);
}

// A sixth of the size of the standard library's, which is made for larger programs.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

// The verbs, as js/index.mjs numbers them.
mod verb {
    // Of a client and of a key.
    pub(super) const THUMBPRINT: u32 = 0;
    // Method, path.
    pub(super) const PROVE: u32 = 1;
    // Of a client and of a connection: calls with what comes and how it stands, as `telling` says.
    pub(super) const HEAR: u32 = 2;
    // Of a client.
    pub(super) const MAKE_KEY: u32 = 3;
    pub(super) const REFRESH_KEY: u32 = 4;
    pub(super) const CSRF: u32 = 5;
    pub(super) const NOTE_NONCE: u32 = 6;
    // Path and subprotocols, with a comma before each, that a WebSocket would take; or path alone, of a
    // stream of server-sent events.
    pub(super) const DIAL: u32 = 7;
    pub(super) const DESTROY: u32 = 8;
    // Of a key: it is its client's from now on. Gives `stored` or `memory-only`.
    pub(super) const ADOPT: u32 = 9;
    // Of a connection.
    pub(super) const LISTEN: u32 = 10;
    // A string or a `Uint8Array`.
    pub(super) const SEND: u32 = 11;
    pub(super) const HELD_BYTES: u32 = 12;
    // The browser's own `WebSocket`, where it is one.
    pub(super) const WIRE: u32 = 13;
    pub(super) const RETRY_NOW: u32 = 14;
    pub(super) const CLOSE: u32 = 15;
}

type Outcome = Result<JsValue, PopError>;

// Finds the stored key, if there is one. `done` gets the client, or behind nothing code and sentence of the
// error.
#[wasm_bindgen]
pub fn open(origin: String, csrf: Option<Function>, done: Function) {
    tell_later(done, async { PopClient::open(Options { origin, csrf }).await.map(client) });
}

// What comes with a verb.
struct With(Array);

impl With {
    fn function(&self, at: u32) -> Function {
        self.0.get(at).unchecked_into()
    }

    fn text(&self, at: u32) -> String {
        self.text_if_any(at).unwrap_or_default()
    }

    fn text_if_any(&self, at: u32) -> Option<String> {
        self.0.get(at).as_string()
    }

    fn done(&self, outcome: Outcome) {
        finish(&self.function(0), outcome);
    }

    fn later(&self, work: impl Future<Output = Outcome> + 'static) {
        tell_later(self.function(0), work);
    }
}

// Something that obeys verbs.
fn object(obey: impl Fn(u32, &With) + 'static) -> JsValue {
    function(move |verb, with| obey(verb, &With(with.unchecked_into()))).into()
}

fn client(client: PopClient) -> JsValue {
    object(move |verb, with| {
        let own = client.clone();
        match verb {
            verb::THUMBPRINT => {
                let thumbprint = own.thumbprint();
                with.done(Ok(thumbprint.map_or(JsValue::UNDEFINED, |thumbprint| thumbprint.as_str().into())));
            }
            verb::PROVE => prove(&own, own.key(), with),
            verb::HEAR => own.on_told(telling(with.function(1))).forget(),
            verb::MAKE_KEY => with.later(async move { Ok(key(own.make_key().await?, own)) }),
            verb::REFRESH_KEY => with.later(async move { Ok(own.refresh_key().await.into()) }),
            verb::CSRF => with.done(Ok(http::csrf_token(own.csrf()).into())),
            verb::NOTE_NONCE => own.note_nonce(&with.text(1)),
            verb::DIAL => with.done(dial(&own, with)),
            verb::DESTROY => with.later(async move { own.destroy().await.map(|()| JsValue::UNDEFINED) }),
            _ => {}
        }
    })
}

fn key(key: NewKey, client: PopClient) -> JsValue {
    let place = RefCell::new(Some(key));
    object(move |verb, with| match verb {
        verb::THUMBPRINT => {
            let key = place.borrow();
            with.done(Ok(key.as_ref().map_or(JsValue::UNDEFINED, |key| key.thumbprint().as_str().into())));
        }
        verb::PROVE => prove(&client, place.borrow().as_ref().map(NewKey::key), with),
        verb::ADOPT => {
            let (client, key) = (client.clone(), place.take());
            with.later(async move {
                Ok(JsValue::from_str(match client.adopt(key.ok_or(PopError::NoKey)?).await? {
                    Kept::Stored => "stored",
                    Kept::MemoryOnly => "memory-only",
                }))
            });
        }
        _ => {}
    })
}

fn dial(client: &PopClient, with: &With) -> Outcome {
    let path = with.text(1);
    let link = match with.text_if_any(2) {
        Some(protocols) => client.link(&path, Kind::socket(protocols)),
        None => client.events_link(&path),
    };
    link.map(connection)
}

// In JavaScript nobody drops a handle: it lives until it is closed or ends.
fn connection(link: Rc<Link>) -> JsValue {
    let own = Cell::new(Some(Rc::clone(&link)));
    let kept = link.on_told(move |told| {
        if matches!(told, Told::State(State::Ended(_))) {
            // Not at once: whoever listens after this hears of the end, too.
            let own = own.take();
            spawn(async { drop(own) });
        }
    });
    kept.forget();
    object(move |verb, with| match verb {
        verb::HEAR => link.on_told(telling(with.function(1))).forget(),
        verb::LISTEN => link.listen(&with.text(1)),
        verb::SEND => {
            let sent = match with.text_if_any(1) {
                Some(text) => link.send_text(&text),
                None => link.send_bytes(&Uint8Array::new(&with.0.get(1)).to_vec()),
            };
            with.done(sent.map(|()| JsValue::UNDEFINED));
        }
        verb::HELD_BYTES => with.done(Ok(link.held_bytes().into())),
        verb::WIRE => with.done(Ok(link.wire().map_or(JsValue::UNDEFINED, JsValue::from))),
        verb::RETRY_NOW => link.retry_now(),
        verb::CLOSE => link.end(End::Closed),
        _ => {}
    })
}

// Calls with `("message", data)`, `("event", name, data, id)`, `("status", word)`, or the name of a state with
// its number or word.
fn telling(listener: Function) -> impl Fn(&Told) {
    move |told| {
        let none = JsValue::UNDEFINED;
        let (kind, first, second, third) = match told {
            Told::Status(status) => ("status", status.code().into(), none.clone(), none.clone()),
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
        tell(&listener, &kind.into(), &first, &second, &third);
    }
}

// Boxed, so that it exists once and not for each kind of work.
fn tell_later(done: Function, work: impl Future<Output = Outcome> + 'static) {
    let work: Pin<Box<dyn Future<Output = Outcome>>> = Box::pin(work);
    tell_boxed(done, work);
}

fn tell_boxed(done: Function, work: Pin<Box<dyn Future<Output = Outcome>>>) {
    spawn(async move { finish(&done, work.await) });
}

fn finish(done: &Function, outcome: Outcome) {
    let none = JsValue::UNDEFINED;
    match outcome {
        Ok(value) => tell(done, &value, &none, &none, &none),
        Err(error) => {
            // The stable code and a sentence, of which the façade makes an error.
            tell(done, &none, &error.code().into(), &error.sentence().into(), &none);
        }
    }
}

fn prove(client: &PopClient, key: Option<Rc<Key>>, with: &With) {
    let made = || {
        let key = key.ok_or(PopError::NoKey)?;
        let (method, path) = (with.text(1), with.text(2));
        let path = client.origin().path(&path)?;
        Ok((client.unsigned_proof(&key, &method, &path)?, key))
    };
    match made() {
        Ok((proof, key)) => {
            key.prove_for(&proof, &with.function(0));
        }
        Err(error) => with.done(Err(error)),
    }
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
