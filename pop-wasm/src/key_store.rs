//! The only file that touches IndexedDB: database `holdfast-pop`, store `keys`, record `current`,
//! `{privateKey, x, y, thumbprint}`. The database is opened for each operation and closed after it,
//! since an open one keeps a page out of the back/forward cache.

use crate::{
    browser::{Source, function, global, member, object, set, text_member, within},
    key::{Key, Parts},
    proof::PublicHalf,
};
use holdfast_protocol::ids::Thumbprint;
use js_sys::{Object, Promise};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbTransactionMode};

const DATABASE: &str = "holdfast-pop";
const STORE: &str = "keys";
const RECORD: &str = "current";
/// IndexedDB is known to hang; a page without its store goes on in memory.
const PATIENCE_MS: u64 = 4_000;

/// The browser stores nothing, or no keys: private windows, lockdown modes, a full or broken disk.
#[derive(Debug)]
pub(crate) struct StoreRefused;

impl From<JsValue> for StoreRefused {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// What the store holds.
pub(crate) enum Found {
    Nothing,
    Key(Box<Key>),
}

/// The stored key. A record that is no key is removed.
pub(crate) async fn load() -> Result<Found, StoreRefused> {
    let record = ask(Request::Read).await?;
    if record.is_undefined() {
        return Ok(Found::Nothing);
    }
    if let Some(parts) = parts(&record)
        && let Some(key) = Key::restore(parts).await
    {
        return Ok(Found::Key(Box::new(key)));
    }
    ask(Request::Delete).await?;
    Ok(Found::Nothing)
}

/// Puts the key in the place of the one before it; done when the browser has committed it.
pub(crate) async fn store(key: &Key) -> Result<(), StoreRefused> {
    let Parts { private, public, thumbprint } = key.parts();
    let record = object(&[("x", &public.x), ("y", &public.y), ("thumbprint", thumbprint.as_str())]);
    set(&record, "privateKey", &private);
    ask(Request::Write(record)).await?;
    Ok(())
}

/// Removes the key with this thumbprint; another tab's newer one stays.
pub(crate) async fn remove(thumbprint: &Thumbprint) -> Result<(), StoreRefused> {
    let record = ask(Request::Read).await?;
    if text_member(&record, "thumbprint").is_none_or(|stored| stored == thumbprint.as_str()) {
        ask(Request::Delete).await?;
    }
    Ok(())
}

fn parts(record: &JsValue) -> Option<Parts> {
    let private = member(record, "privateKey")?.dyn_into::<CryptoKey>().ok()?;
    let public = PublicHalf::parse(text_member(record, "x")?, text_member(record, "y")?)?;
    let thumbprint = Thumbprint::parse(&text_member(record, "thumbprint")?).ok()?;
    Some(Parts { private, public, thumbprint })
}

enum Request {
    Read,
    Write(Object),
    Delete,
}

/// One transaction, committed.
async fn ask(request: Request) -> Result<JsValue, StoreRefused> {
    let factory: IdbFactory = member(&global(), "indexedDB").ok_or(StoreRefused)?.unchecked_into();
    let opening = factory.open_with_u32(DATABASE, 1)?;
    let upgraded = opening.clone();
    let upgrade = function(move |_| {
        if let Some(database) = database(&upgraded) {
            // Where this fails, so does every transaction on the store that is not there.
            let _ = database.create_object_store(STORE);
        }
    });
    opening.unchecked_ref::<Source>().listen("upgradeneeded", &upgrade);
    if within(first(&opening, "success", "error"), PATIENCE_MS).await.is_err() {
        // Too late is not never: nobody would close it then, and nobody could delete it.
        let late = opening.clone();
        let close = function(move |_| drop(database(&late).map(Open)));
        opening.unchecked_ref::<Source>().listen("success", &close);
        return Err(StoreRefused);
    }
    let open = Open(database(&opening).ok_or(StoreRefused)?);

    let mode = match request {
        Request::Read => IdbTransactionMode::Readonly,
        Request::Write(_) | Request::Delete => IdbTransactionMode::Readwrite,
    };
    let transaction = open.0.transaction_with_str_and_mode(STORE, mode)?;
    // An error of a request aborts its transaction.
    let committed = first(&transaction, "complete", "abort");
    let keys = transaction.object_store(STORE)?;
    let record = JsValue::from_str(RECORD);
    let asked = match &request {
        Request::Read => keys.get(&record),
        // Throws where the browser does not clone keys; a transaction without requests completes.
        Request::Write(value) => keys.put_with_key(value, &record),
        Request::Delete => keys.delete(&record),
    };
    within(committed, PATIENCE_MS).await?;
    let found = asked?.result()?;
    // A browser that has no keys for this place gives null for the record: WebKitGTK in shared workers. It
    // is there all the same, and belongs to those who can read it.
    if found.is_null() { Err(StoreRefused) } else { Ok(found) }
}

/// An open database; closed when dropped.
struct Open(IdbDatabase);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn database(request: &IdbOpenDbRequest) -> Option<IdbDatabase> {
    request.result().ok().filter(JsValue::is_truthy).map(JsCast::unchecked_into)
}

/// Settles with the first of two events: the functions of the promise are their listeners.
fn first(source: &JsValue, good: &str, bad: &str) -> Promise {
    Promise::new(&mut |resolve, reject| {
        let source = source.unchecked_ref::<Source>();
        source.listen(good, &resolve);
        source.listen(bad, &reject);
    })
}
