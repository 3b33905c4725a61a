use crate::{
    browser::{Thenable, function, global, member, object, set},
    task::Settled,
};
use js_sys::{Function, Object, Promise};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::AbortSignal;

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        held: &Function,
    ) -> Result<Promise, JsValue>;
}

/// A Web Lock: one tab of this origin at a time. Released when dropped.
pub struct Lock(Option<Function>);

impl Lock {
    /// Around every change of the stored key, so that what one tab stores and what it tells the others
    /// stay in one order. Without it a single transaction is atomic anyway.
    pub(crate) async fn of_the_key() -> Self {
        Self::acquire("holdfast-pop", 3_000).await
    }

    /// Waits for the other tabs. Where there are no locks it goes on without, and where nobody lets go for
    /// so long: a tab that holds on is frozen or broken, and waiting for it would hang this one.
    pub async fn acquire(name: &str, patience_ms: u32) -> Self {
        let options = object(&[]);
        set(&options, "signal", &AbortSignal::timeout_with_u32(patience_ms));
        let got = Rc::new(Cell::new(None));
        let waited = Promise::new(&mut |done, failed| {
            let slot = Rc::clone(&got);
            let then = done.clone();
            let granted = move |lock| {
                slot.set(Some(lock));
                let _ = then.call0(&JsValue::UNDEFINED);
            };
            if !request(name, &options, Box::new(granted), &failed) {
                let _ = done.call0(&JsValue::UNDEFINED);
            }
        });
        let _ = Settled::from(waited).await;
        got.take().unwrap_or(Self(None))
    }

    /// Waits until this signal, or without one takes the lock from whoever holds it. `lost` is called when
    /// somebody does so to this one, and where nobody may wait. False: there are no locks.
    pub(crate) fn wait(
        name: &str,
        until: Option<&AbortSignal>,
        granted: impl FnOnce(Self) + 'static,
        lost: &Function,
    ) -> bool {
        let options = object(&[]);
        match until {
            Some(until) => set(&options, "signal", until),
            None => set(&options, "steal", &JsValue::TRUE),
        }
        request(name, &options, Box::new(granted), lost)
    }
}

/// The lock is held until the promise that is given back to the browser is settled.
fn request(name: &str, options: &Object, granted: Box<dyn FnOnce(Lock)>, failed: &Function) -> bool {
    let locks = member(&global(), "navigator").and_then(|navigator| member(&navigator, "locks"));
    let Some(locks) = locks else { return false };
    let held = Closure::once_into_js(move |_: JsValue| {
        let mut lock = Lock(None);
        let until = Promise::new(&mut |release, _| lock.0 = Some(release));
        granted(lock);
        until
    });
    let request = locks.unchecked_ref::<LockManager>().request(name, options, held.unchecked_ref());
    match request {
        Ok(request) => request.unchecked_into::<Thenable>().then_call(&function(|_| {}), failed),
        Err(error) => drop(failed.call1(&JsValue::UNDEFINED, &error)),
    }
    true
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}
