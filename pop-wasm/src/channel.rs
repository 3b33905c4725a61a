use crate::browser::{Source, function};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// The channel of this name among the tabs of this origin; closed when dropped.
pub(crate) struct Channel(BroadcastChannel);

impl Channel {
    /// None where the browser has no channels.
    pub(crate) fn open(name: &str, hear: impl Fn(JsValue) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let hear = function(move |event| hear(event.unchecked_into::<MessageEvent>().data()));
        channel.unchecked_ref::<Source>().listen("message", &hear);
        Some(Self(channel))
    }

    /// Tells all the others.
    pub(crate) fn post(&self, message: &JsValue) {
        // Fails only on a closed channel, and this one is open.
        let _ = self.0.post_message(message);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.0.close();
    }
}
