use crate::browser::{Source, function, global, member, text_member};
use js_sys::Function;
use wasm_bindgen::JsCast as _;

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

/// Listens to the page's life; stops when dropped. In a worker there is only the network.
pub(crate) struct Lifecycle(Vec<Listening>);

struct Listening {
    target: Source,
    event: &'static str,
    function: Function,
}

impl Lifecycle {
    pub(crate) fn listen(hear: impl Fn(Moment) + Clone + 'static) -> Self {
        let mut all = Self(Vec::new());
        let page: Source = global().unchecked_into();
        let told = hear.clone();
        all.add(&page, "online", function(move |_| told(Moment::Woken)));
        let Some(document) = member(&global(), "document") else { return all };

        let told = hear.clone();
        let state = document.clone();
        all.add(
            document.unchecked_ref(),
            "visibilitychange",
            function(move |_| {
                if text_member(&state, "visibilityState").as_deref() == Some("visible") {
                    told(Moment::Woken);
                }
            }),
        );
        let told = hear.clone();
        all.add(document.unchecked_ref(), "resume", function(move |_| told(Moment::Woken)));
        for (event, moment) in [("pagehide", Moment::Cached), ("pageshow", Moment::Uncached)] {
            let told = hear.clone();
            all.add(
                &page,
                event,
                function(move |event| {
                    if member(&event, "persisted").is_some_and(|persisted| persisted.is_truthy()) {
                        told(moment);
                    }
                }),
            );
        }
        all
    }

    fn add(&mut self, target: &Source, event: &'static str, function: Function) {
        target.listen(event, &function);
        self.0.push(Listening { target: target.clone(), event, function });
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        for Listening { target, event, function } in &self.0 {
            target.unlisten(event, function);
        }
    }
}
