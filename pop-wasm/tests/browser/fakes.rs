//! `fakes.js`, and what the tests share.

use holdfast_pop::{NewKey, Options, PopClient};
use holdfast_protocol::dpop::{PublicKey, SignedProof, UnverifiedProof};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/tests/browser/fakes.js")]
extern "C" {
    async fn stored() -> JsValue;
    pub(crate) async fn wipe();
    async fn leaks() -> JsValue;
    pub(crate) async fn corrupt(how: &str);
    #[wasm_bindgen(js_name = breakStore)]
    pub(crate) fn break_store(how: &str);
    #[wasm_bindgen(js_name = fakeNetwork)]
    pub(crate) fn fake_network();
    #[wasm_bindgen(js_name = answerNext)]
    pub(crate) fn answer_next(status: u16, headers: &str, body: &str);
    #[wasm_bindgen(js_name = requestCount)]
    pub(crate) fn request_count() -> usize;
    #[wasm_bindgen(js_name = requestUrl)]
    pub(crate) fn request_url(at: usize) -> String;
    #[wasm_bindgen(js_name = requestHeader)]
    pub(crate) fn request_header(at: usize, name: &str) -> Option<String>;
    #[wasm_bindgen(js_name = requestBody)]
    pub(crate) fn request_body(at: usize) -> String;
    #[wasm_bindgen(js_name = requestOption)]
    pub(crate) fn request_option(at: usize, name: &str) -> String;
    #[wasm_bindgen(js_name = dialCount)]
    pub(crate) fn dial_count() -> usize;
    #[wasm_bindgen(js_name = dialUrl)]
    pub(crate) fn dial_url(at: usize) -> String;
    #[wasm_bindgen(js_name = dialProtocols)]
    pub(crate) fn dial_protocols(at: usize) -> String;
    #[wasm_bindgen(js_name = dialClosed)]
    pub(crate) fn dial_closed(at: usize) -> bool;
    #[wasm_bindgen(js_name = dialClosedWith)]
    pub(crate) fn dial_closed_with(at: usize) -> Option<String>;
    #[wasm_bindgen(js_name = sentCount)]
    pub(crate) fn sent_count(at: usize) -> usize;
    #[wasm_bindgen(js_name = sentText)]
    pub(crate) fn sent_text(at: usize, message: usize) -> String;
    pub(crate) fn opened(at: usize);
    pub(crate) fn arrive(at: usize, name: &str, data: &str);
    #[wasm_bindgen(js_name = arriveBytes)]
    pub(crate) fn arrive_bytes(at: usize, bytes: &[u8]);
    pub(crate) fn lost(at: usize, code: u16);
    #[wasm_bindgen(js_name = setCookie)]
    pub(crate) fn set_cookie(cookie: &str);
    #[wasm_bindgen(js_name = isPage)]
    pub(crate) fn is_page() -> bool;
    #[wasm_bindgen(js_name = pageEvent)]
    pub(crate) fn page_event(name: &str, persisted: bool);
    pub(crate) fn online();
    #[wasm_bindgen(js_name = holdLock)]
    pub(crate) async fn hold_lock(name: &str);
    async fn waiting(name: &str) -> JsValue;
    pub(crate) fn isolate();
    pub(crate) fn hurry(times: u32);
    fn repair();
    /// Waits until whatever was under way has had its turn.
    #[wasm_bindgen(js_name = untilIdle)]
    pub(crate) async fn until_idle();
    async fn sleep(ms: u32);
}

pub(crate) const ORIGIN: &str = "https://console.example";

/// Puts everything back, whatever a test before this one has left.
pub(crate) async fn fresh() -> PopClient {
    repair();
    wipe().await;
    fake_network();
    open().await
}

pub(crate) async fn open() -> PopClient {
    PopClient::open(Options::new(ORIGIN)).await.unwrap()
}

/// A client whose key a ceremony has vouched for.
pub(crate) async fn signed_in() -> PopClient {
    let client = fresh().await;
    let key = client.make_key().await.unwrap();
    client.adopt(key).await.unwrap();
    client
}

pub(crate) async fn is_stored() -> bool {
    !stored().await.is_undefined()
}

pub(crate) async fn waiting_for(name: &str) -> Option<f64> {
    waiting(name).await.as_f64()
}

pub(crate) async fn leaked() -> String {
    leaks().await.as_string().unwrap()
}

pub(crate) fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(&key.to_sec1()).unwrap();
    key.verify(message, &Signature::from_slice(signature).unwrap()).is_ok()
}

pub(crate) fn verified(proof: &str, method: &str, path: &str) -> SignedProof {
    let url = [ORIGIN, path].concat();
    let proof = UnverifiedProof::read(proof).unwrap().verify(verifies).unwrap();
    proof.require_for(method, &url).unwrap();
    proof
}

/// The public half, which every proof carries.
pub(crate) async fn public_key(client: &PopClient) -> PublicKey {
    let proof = client.proof("GET", "/").await.unwrap();
    UnverifiedProof::read(&proof).unwrap().unverified_key
}

pub(crate) async fn thumbprint_of(key: &NewKey, client: &PopClient) -> String {
    let proof = key.proof(client, "POST", "/v1/login/verify").await.unwrap();
    verified(&proof, "POST", "/v1/login/verify").jkt.to_string()
}

/// Waits for what happens by itself.
pub(crate) async fn until(what: &str, happened: impl Fn() -> bool) {
    for _ in 0..500 {
        if happened() {
            return;
        }
        sleep(10).await;
    }
    panic!("never: {what}");
}
