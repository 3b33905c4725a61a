//! The only file that touches `SubtleCrypto`. The private half never leaves it but into the key
//! store, as the browser's own opaque object; what it signs is a proof or a transcript, by type.

use crate::{
    PopError,
    browser::{member, text_member},
    proof::{PublicHalf, UnsignedProof},
    task::Settled,
};
use holdfast_protocol::{ids::Thumbprint, pop::ToSign};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(inline_js = r#"
const kind = { name: "ECDSA", namedCurve: "P-256" };
// Made once: WebCrypto reads it anew for every signature.
const signing = { name: "ECDSA", hash: "SHA-256" };

// Secure contexts alone have WebCrypto.
export const isSupported = () => !!globalThis.crypto?.subtle;

// Not extractable, for signing alone.
export const makeRecord = async () => {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(kind, false, ["sign"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  return { privateKey, x, y };
};

// Whether it is what `makeRecord` makes.
export const isAsMade = ({ privateKey: key }) =>
  key instanceof CryptoKey &&
  key.type === "private" &&
  !key.extractable &&
  key.usages.includes("sign") &&
  key.algorithm.name === kind.name &&
  key.algorithm.namedCurve === kind.namedCurve;

export const named = ({ privateKey, x, y }, thumbprint) => ({ privateKey, x, y, thumbprint });

export const sha256 = (bytes) => crypto.subtle.digest("SHA-256", bytes);

export const sign = (key, bytes) => crypto.subtle.sign(signing, key, bytes);

// The signature goes straight to `done`.
export const signFor = (key, bytes, done) =>
  sign(key, bytes).then((signature) => done(0, signature), () => done(1));

const spelling = { alphabet: "base64url", omitPadding: true };
const others = { "+": "-", "/": "_", "=": "" };

// Young browsers spell base64url themselves, in a third of the time.
const withSignature = (text, signature) => {
  const bytes = new Uint8Array(signature);
  const spelled = bytes.toBase64
    ? bytes.toBase64(spelling)
    : btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (other) => others[other]);
  return `${text}.${spelled}`;
};

// The proof that `text`, whose bytes are `bytes`, becomes with its signature.
export const prove = async (key, bytes, text) => withSignature(text, await sign(key, bytes));

// It goes straight to `done`; where there is none, code and sentence of `PopError::KeyRefused` do.
export const proveFor = (key, bytes, text, done) =>
  sign(key, bytes).then(
    (signature) => done(withSignature(text, signature)),
    () => done(undefined, "key_refused", "The browser could not use this session's key. Sign in again."),
  );

export const copy = (from, into) => into.set(new Uint8Array(from));
"#)]
extern "C" {
    #[wasm_bindgen(js_name = isSupported)]
    pub(crate) fn is_supported() -> bool;
    #[wasm_bindgen(js_name = makeRecord)]
    fn make_record() -> Promise;
    #[wasm_bindgen(js_name = isAsMade)]
    fn is_as_made(record: &JsValue) -> bool;
    fn named(record: &JsValue, thumbprint: &str) -> JsValue;
    fn sha256(bytes: &[u8]) -> Promise;
    fn prove(key: &JsValue, bytes: &[u8], text: &str) -> Promise;
    #[wasm_bindgen(js_name = proveFor)]
    fn prove_for(key: &JsValue, bytes: &[u8], text: &str, done: &Function);
    #[wasm_bindgen(js_name = signFor)]
    fn sign_for(key: &JsValue, bytes: &[u8], done: &Function);
    fn copy(from: &JsValue, into: &mut [u8]);
}

/// A P-256 key that can sign and cannot be copied.
pub(crate) struct Key {
    /// `{privateKey, x, y, thumbprint}`, as it is stored.
    record: JsValue,
    private: JsValue,
    thumbprint: Thumbprint,
    proof_head: String,
}

impl Key {
    /// A fresh key, not extractable, for signing alone.
    pub(crate) async fn make() -> Result<Self, PopError> {
        let record = Settled::from(make_record()).await.map_err(|_| PopError::NotSupported)?;
        let (thumbprint, proof_head) = public_half(&record).await.ok_or(PopError::NotSupported)?;
        let record = named(&record, thumbprint.as_str());
        Self::of(record, thumbprint, proof_head).ok_or(PopError::NotSupported)
    }

    /// A stored key, if it is one: the private object must be what [`Key::make`] makes, and the
    /// thumbprint that of the public half.
    pub(crate) async fn restore(record: JsValue) -> Option<Self> {
        let stored = text_member(&record, "thumbprint")?;
        let (thumbprint, proof_head) = public_half(&record).await?;
        if stored != thumbprint.as_str() {
            return None;
        }
        Self::of(record, thumbprint, proof_head)
    }

    fn of(record: JsValue, thumbprint: Thumbprint, proof_head: String) -> Option<Self> {
        // A fresh one, too: the browser may not be alone with what it is asked for.
        if !is_as_made(&record) {
            return None;
        }
        let private = member(&record, "privateKey")?;
        Some(Self { record, private, thumbprint, proof_head })
    }

    /// For the key store.
    pub(crate) fn record(&self) -> &JsValue {
        &self.record
    }

    pub(crate) fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The first part of every proof.
    pub(crate) fn proof_head(&self) -> &str {
        &self.proof_head
    }

    /// Signs a proof: the header's value.
    pub(crate) async fn prove(&self, proof: UnsignedProof) -> Result<String, PopError> {
        let text = proof.as_str();
        let proven = Settled::from(prove(&self.private, text.as_bytes(), text)).await;
        proven.ok().and_then(|proven| proven.as_string()).ok_or(PopError::KeyRefused)
    }

    /// The same for a script, without a future in between, which costs about a seventh of the signature:
    /// `done` gets the header's value, or behind nothing code and sentence of the error.
    #[cfg(feature = "js")]
    pub(crate) fn prove_for(&self, proof: &UnsignedProof, done: &Function) {
        let text = proof.as_str();
        prove_for(&self.private, text.as_bytes(), text, done);
    }

    /// Signs a transcript, likewise. No future in between: from the challenge's event to its answer there
    /// is one turn of the microtask queue, the signature's own.
    pub(crate) fn answer(&self, challenge: &ToSign, done: &Function) {
        sign_for(&self.private, challenge.transcript.as_bytes(), done);
    }
}

/// r‖s, as WebCrypto gives it: always 64 bytes for a P-256 key.
pub(crate) fn signature_bytes(signature: &JsValue) -> [u8; 64] {
    let mut bytes = [0; 64];
    copy(signature, &mut bytes);
    bytes
}

/// The thumbprint of a record's public half, and the first part of its proofs.
async fn public_half(record: &JsValue) -> Option<(Thumbprint, String)> {
    let public = PublicHalf::parse(text_member(record, "x")?, text_member(record, "y")?)?;
    let hash = Settled::from(sha256(public.thumbprint_input().as_bytes())).await.ok()?;
    let mut bytes = [0; 32];
    copy(&hash, &mut bytes);
    Some((Thumbprint::from_hash(&bytes), public.proof_head()))
}
