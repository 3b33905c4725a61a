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
    use crate::browser::{Thenable, function};
    use js_sys::Promise;
    use std::{
        cell::{Cell, RefCell},
        pin::Pin,
        rc::Rc,
        sync::Arc,
        task::{Context, Poll, Wake, Waker},
    };
    use wasm_bindgen::{JsCast as _, JsValue};

    type Work = Pin<Box<dyn Future<Output = ()>>>;

    enum Place {
        Free,
        Running,
        Waiting(Work),
    }

    thread_local! {
        static PLACES: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
    }

    /// Goes on with the work at this place.
    struct Alarm(usize);

    impl Wake for Alarm {
        fn wake(self: Arc<Self>) {
            let work = put(self.0, Place::Running);
            let Place::Waiting(mut work) = work else { return };
            let place = self.0;
            let left = match work.as_mut().poll(&mut Context::from_waker(&self.into())) {
                Poll::Pending => Place::Waiting(work),
                Poll::Ready(()) => Place::Free,
            };
            put(place, left);
        }
    }

    /// Puts something else at a place, and gives what was there.
    fn put(place: usize, what: Place) -> Place {
        PLACES.with_borrow_mut(|places| match places.get_mut(place) {
            Some(found) => std::mem::replace(found, what),
            None => {
                places.push(what);
                Place::Free
            }
        })
    }

    pub(super) fn start(work: Work) {
        let free = |places: &Vec<Place>| {
            places.iter().position(|place| matches!(place, Place::Free)).unwrap_or(places.len())
        };
        let place = PLACES.with_borrow(free);
        put(place, Place::Waiting(work));
        wake_after(&Promise::resolve(&JsValue::UNDEFINED), &Arc::new(Alarm(place)).into(), &Rc::default());
    }

    type Outcome = Rc<Cell<Option<Result<JsValue, JsValue>>>>;

    fn wake_after(promise: &Promise, waker: &Waker, outcome: &Outcome) {
        let settle = |call: fn(JsValue) -> Result<JsValue, JsValue>| {
            let (waker, outcome) = (waker.clone(), Rc::clone(outcome));
            function(move |value| {
                outcome.set(Some(call(value)));
                waker.wake_by_ref();
            })
        };
        promise.unchecked_ref::<Thenable>().then_call(&settle(Ok), &settle(Err));
    }

    /// What a promise comes to.
    pub(crate) struct Settled {
        promise: Option<Promise>,
        outcome: Outcome,
    }

    impl From<Promise> for Settled {
        fn from(promise: Promise) -> Self {
            Self { promise: Some(promise), outcome: Rc::default() }
        }
    }

    impl Future for Settled {
        type Output = Result<JsValue, JsValue>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            if let Some(promise) = self.promise.take() {
                wake_after(&promise, context.waker(), &self.outcome);
            }
            self.outcome.take().map_or(Poll::Pending, Poll::Ready)
        }
    }
}
