use crate::browser::{function, run};
use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = listenToLife)]
    fn listen_to_life(tell: &Function) -> Function;
}

/// What browsers do to pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Visible again, thawed, or back on the network: trust nothing before a round trip.
    Woken,
    /// Going into the back/forward cache.
    Cached,
    /// Taken out of it.
    Uncached,
}

/// Listens to the page's life; stops when dropped.
pub(crate) struct Lifecycle(Function);

impl Lifecycle {
    pub(crate) fn listen(hear: impl Fn(Moment) + 'static) -> Self {
        Self(listen_to_life(&function(move |moment, _| {
            hear(match moment {
                0 => Moment::Woken,
                1 => Moment::Cached,
                _ => Moment::Uncached,
            });
        })))
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        run(&self.0);
    }
}
