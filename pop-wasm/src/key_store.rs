//! The only file that touches IndexedDB: database `holdfast-pop`, store `keys`, record `current`,
//! `{privateKey, x, y, thumbprint}`. The database is opened for each operation and closed after it,
//! since an open one keeps a page out of the back/forward cache.

use crate::{key::Key, task::Settled};
use holdfast_protocol::ids::Thumbprint;
use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(inline_js = r#"
// IndexedDB is known to hang; a page without its store goes on in memory.
const PATIENCE_MS = 4000;

const first = (source, good, bad) =>
  new Promise((done, failed) => {
    source.addEventListener(good, done);
    source.addEventListener(bad, failed);
    setTimeout(failed, PATIENCE_MS);
  });

// One transaction, committed.
const ask = async (mode, request) => {
  const opening = indexedDB.open("holdfast-pop", 1);
  const close = () => opening.result.close();
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  try {
    await first(opening, "success", "error");
  } catch (error) {
    // Too late is not never: nobody would close it then, and nobody could delete it.
    opening.onsuccess = close;
    throw error;
  }
  try {
    const transaction = opening.result.transaction("keys", mode);
    // Throws where the browser does not clone keys; a transaction without requests completes.
    const asked = request(transaction.objectStore("keys"));
    // An error of a request aborts its transaction.
    await first(transaction, "complete", "abort");
    return asked.result;
  } finally {
    close();
  }
};

export const readRecord = async () => {
  const record = await ask("readonly", (keys) => keys.get("current"));
  // A browser that has no keys for this place gives null for the record: WebKitGTK in shared workers. It
  // is there all the same, and belongs to those who can read it.
  if (record === null) throw record;
  return record;
};

export const writeRecord = (record) => ask("readwrite", (keys) => keys.put(record, "current"));

export const deleteRecord = () => ask("readwrite", (keys) => keys.delete("current"));

// That of another thumbprint stays.
export const deleteRecordOf = async (thumbprint) => {
  const stored = (await readRecord())?.thumbprint;
  if (typeof stored !== "string" || stored === thumbprint) await deleteRecord();
};
"#)]
extern "C" {
    #[wasm_bindgen(js_name = readRecord)]
    fn read_record() -> Promise;
    #[wasm_bindgen(js_name = writeRecord)]
    fn write_record(record: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = deleteRecord)]
    fn delete_record() -> Promise;
    #[wasm_bindgen(js_name = deleteRecordOf)]
    fn delete_record_of(thumbprint: &str) -> Promise;
}

/// The browser stores nothing, or no keys: private windows, lockdown modes, a full or broken disk.
#[derive(Debug)]
pub(crate) struct StoreRefused;

/// The stored key. A record that is no key is removed.
pub(crate) async fn load() -> Result<Option<Key>, StoreRefused> {
    let record = Settled::from(read_record()).await.map_err(|_| StoreRefused)?;
    if record.is_undefined() {
        return Ok(None);
    }
    let key = Key::restore(record).await;
    if key.is_none() {
        done(delete_record()).await?;
    }
    Ok(key)
}

/// Puts the key in the place of the one before it; done when the browser has committed it.
pub(crate) fn store(key: &Key) -> impl Future<Output = Result<(), StoreRefused>> + use<> {
    done(write_record(key.record()))
}

/// Removes the key with this thumbprint; another tab's newer one stays.
pub(crate) fn remove(thumbprint: &Thumbprint) -> impl Future<Output = Result<(), StoreRefused>> + use<> {
    done(delete_record_of(thumbprint.as_str()))
}

async fn done(promise: Promise) -> Result<(), StoreRefused> {
    Settled::from(promise).await.map(drop).map_err(|_| StoreRefused)
}
