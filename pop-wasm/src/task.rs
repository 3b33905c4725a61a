//! Work that waits for promises. With the feature `js`, where each byte counts, by an executor that can do
//! just that and is smaller than the general one; otherwise by that of wasm-bindgen, which the
//! application has anyway.

#[cfg(not(feature = "js"))]
pub(crate) use wasm_bindgen_futures::JsFuture as Settled;
#[cfg(not(feature = "js"))]
use wasm_bindgen_futures::spawn_local as start;

#[cfg(feature = "js")]
pub(crate) use own::Settled;
#[cfg(feature = "js")]
use own::start;

use std::pin::Pin;

/// Goes on with the work after the caller has returned.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    // Boxed here, so that the glue exists once and not for each kind of work.
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    start(work);
}

#[cfg(feature = "js")]
mod own {
    use crate::browser::{function, settle};
    use js_sys::{Function, Promise};
    use std::{
        cell::{Cell, RefCell},
        pin::Pin,
        rc::Rc,
        task::{Context, Poll, Waker},
    };
    use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

    #[wasm_bindgen(module = "/src/browser.js")]
    extern "C" {
        fn soon(then: &Function);
    }

    /// Work that waits for a promise; nothing while it goes on, and when it is done.
    type Task = Rc<Cell<Option<Pin<Box<dyn Future<Output = ()>>>>>>;

    thread_local! {
        /// The one that goes on now: whatever promise it waits for goes on with it.
        static NOW: RefCell<Option<Task>> = const { RefCell::new(None) };
    }

    pub(super) fn start(work: Pin<Box<dyn Future<Output = ()>>>) {
        let task = Rc::new(Cell::new(Some(work)));
        soon(&function(move |_, _| go_on(&task)));
    }

    fn go_on(task: &Task) {
        let Some(mut work) = task.take() else { return };
        NOW.set(Some(Rc::clone(task)));
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            task.set(Some(work));
        }
    }

    /// What a promise comes to.
    pub(crate) struct Settled {
        promise: Option<Promise>,
        outcome: Rc<Cell<Option<Result<JsValue, JsValue>>>>,
    }

    impl From<Promise> for Settled {
        fn from(promise: Promise) -> Self {
            Self { promise: Some(promise), outcome: Rc::default() }
        }
    }

    impl Future for Settled {
        type Output = Result<JsValue, JsValue>;

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            if let Some(promise) = self.promise.take()
                && let Some(task) = NOW.with_borrow(Clone::clone)
            {
                let outcome = Rc::clone(&self.outcome);
                let settled = function(move |failed, value| {
                    outcome.set(Some(if failed == 0 { Ok(value) } else { Err(value) }));
                    go_on(&task);
                });
                settle(&promise, &settled);
            }
            self.outcome.take().map_or(Poll::Pending, Poll::Ready)
        }
    }
}
