//! The only file that touches `SubtleCrypto`. The private half never leaves it but into the key
//! store, as the browser's own opaque object; what it signs is a proof or a transcript, by type.

use crate::{
    PopError,
    browser::{Thenable, global, member, object, text_member},
    proof::{PublicHalf, UnsignedProof},
    task::Settled,
};
use holdfast_protocol::{ids::Thumbprint, pop::ToSign};
use js_sys::{Array, Function, Object, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{CryptoKey, SubtleCrypto};

#[wasm_bindgen]
extern "C" {
    /// `SubtleCrypto` once more: what goes wrong is in the promise, so there is nothing to catch.
    type Signer;
    #[wasm_bindgen(method)]
    fn sign(this: &Signer, algorithm: &Object, key: &CryptoKey, bytes: &[u8]) -> Promise;
    /// Copies bytes in.
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn fill(into: &mut [u8], from: &Uint8Array);
}

/// A P-256 key that can sign and cannot be copied.
pub(crate) struct Key {
    subtle: SubtleCrypto,
    /// Made once: WebCrypto reads it anew for every signature.
    algorithm: Object,
    private: CryptoKey,
    public: PublicHalf,
    thumbprint: Thumbprint,
    proof_head: String,
}

/// What the key store keeps of a key.
pub(crate) struct Parts {
    pub(crate) private: CryptoKey,
    pub(crate) public: PublicHalf,
    pub(crate) thumbprint: Thumbprint,
}

impl Key {
    /// A fresh key, not extractable, for signing alone.
    pub(crate) async fn make() -> Result<Self, PopError> {
        let subtle = subtle().ok_or(PopError::NotSupported)?;
        let algorithm = object(&[("name", "ECDSA"), ("namedCurve", "P-256")]);
        let usages = Array::of1(&JsValue::from_str("sign"));
        let pair = subtle.generate_key_with_object(&algorithm, false, &usages);
        let pair = settled(pair).await.map_err(|_| PopError::NotSupported)?;
        let half = |name| member(&pair, name).map(CryptoKey::unchecked_from_js);
        let (Some(private), Some(public)) = (half("privateKey"), half("publicKey")) else {
            return Err(PopError::NotSupported);
        };
        let jwk = settled(subtle.export_key("jwk", &public)).await.map_err(|_| PopError::NotSupported)?;
        let half = |name| text_member(&jwk, name).ok_or(PopError::NotSupported);
        let public = PublicHalf::parse(half("x")?, half("y")?).ok_or(PopError::NotSupported)?;
        let thumbprint = thumbprint(&subtle, &public).await.ok_or(PopError::NotSupported)?;
        Ok(Self::of(subtle, Parts { private, public, thumbprint }))
    }

    /// A stored key, if it is one: the private object must be what [`Key::make`] makes, and the
    /// thumbprint that of the public half.
    pub(crate) async fn restore(parts: Parts) -> Option<Self> {
        let subtle = subtle()?;
        let private = &parts.private;
        let algorithm: JsValue = private.algorithm().ok()?.into();
        let named = |name: &str, value: &str| {
            member(&algorithm, name).is_some_and(|found| found.as_string().as_deref() == Some(value))
        };
        let may_sign = private.usages().includes(&JsValue::from_str("sign"), 0);
        let as_made = private.type_() == "private" && !private.extractable() && may_sign;
        if !as_made || !named("name", "ECDSA") || !named("namedCurve", "P-256") {
            return None;
        }
        let thumbprint = thumbprint(&subtle, &parts.public).await?;
        (thumbprint == parts.thumbprint).then(|| Self::of(subtle, parts))
    }

    fn of(subtle: SubtleCrypto, parts: Parts) -> Self {
        let algorithm = object(&[("name", "ECDSA"), ("hash", "SHA-256")]);
        let proof_head = parts.public.proof_head();
        let Parts { private, public, thumbprint } = parts;
        Self { subtle, algorithm, private, public, thumbprint, proof_head }
    }

    /// For the key store.
    pub(crate) fn parts(&self) -> Parts {
        let (private, public) = (self.private.clone(), self.public.clone());
        Parts { private, public, thumbprint: self.thumbprint.clone() }
    }

    pub(crate) fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The first part of every proof.
    pub(crate) fn proof_head(&self) -> &str {
        &self.proof_head
    }

    /// Signs a proof.
    pub(crate) async fn prove(&self, proof: UnsignedProof) -> Result<String, PopError> {
        let signature = Settled::from(self.begin(&proof)).await.map_err(|_| PopError::KeyRefused)?;
        Ok(proof.signed(&signature_bytes(&signature)))
    }

    /// Begins to sign a proof, for who takes the signature without a future in between: a future costs
    /// about a seventh of the signature.
    pub(crate) fn begin(&self, proof: &UnsignedProof) -> Promise {
        self.sign(proof.signing_input())
    }

    /// Signs a transcript; the signature goes straight to `done`. No future in between: from the
    /// challenge's event to its answer there is one turn of the microtask queue, the signature's own.
    pub(crate) fn answer(&self, challenge: &ToSign, done: &Function, failed: &Function) {
        let signature = self.sign(challenge.transcript.as_bytes());
        signature.unchecked_into::<Thenable>().then_call(done, failed);
    }

    fn sign(&self, bytes: &[u8]) -> Promise {
        self.subtle.unchecked_ref::<Signer>().sign(&self.algorithm, &self.private, bytes)
    }
}

/// Whether there is WebCrypto, which only secure contexts have.
pub(crate) fn is_supported() -> bool {
    subtle().is_some()
}

fn subtle() -> Option<SubtleCrypto> {
    member(&member(&global(), "crypto")?, "subtle").map(JsCast::unchecked_into)
}

/// r‖s, as WebCrypto gives it: always 64 bytes for a P-256 key.
pub(crate) fn signature_bytes(signature: &JsValue) -> [u8; 64] {
    let mut bytes = [0; 64];
    fill(&mut bytes, &Uint8Array::new(signature));
    bytes
}

async fn thumbprint(subtle: &SubtleCrypto, public: &PublicHalf) -> Option<Thumbprint> {
    let input = public.thumbprint_input();
    let hash = subtle.digest_with_str_and_u8_array("SHA-256", input.as_bytes());
    let hash = Uint8Array::new(&settled(hash).await.ok()?).to_vec();
    Some(Thumbprint::from_hash(&<[u8; 32]>::try_from(hash).ok()?))
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    Settled::from(promise?).await
}
