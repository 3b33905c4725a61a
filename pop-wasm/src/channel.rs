use crate::browser::function;
use js_sys::Function;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = openChannel)]
    fn open_channel(name: &str, tell: &Function) -> Option<BroadcastChannel>;

    type BroadcastChannel;
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post(this: &BroadcastChannel, message: &JsValue);
    #[wasm_bindgen(method)]
    fn close(this: &BroadcastChannel);
}

/// The channel of this name among the tabs of this origin; closed when dropped.
pub(crate) struct Channel(BroadcastChannel);

impl Channel {
    /// None where the browser has no channels.
    pub(crate) fn open(name: &str, hear: impl Fn(JsValue) + 'static) -> Option<Self> {
        open_channel(name, &function(move |_, message| hear(message))).map(Self)
    }

    /// Tells all the others.
    pub(crate) fn post(&self, message: &JsValue) {
        self.0.post(message);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.0.close();
    }
}
