use crate::browser::{Thenable, function, member, object, set};
use js_sys::{Function, Promise, global};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
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
        let locks = member(&global(), "navigator").and_then(|navigator| member(&navigator, "locks"));
        let Some(locks) = locks else { return Self(None) };
        let granted = Promise::new(&mut |granted, refused| {
            // The lock is held until the promise that this returns is settled.
            let held = Closure::once_into_js(move |_: JsValue| {
                Promise::new(&mut |release, _| {
                    let _ = granted.call1(&JsValue::UNDEFINED, &release);
                })
            });
            let signal = AbortSignal::timeout_with_u32(patience_ms);
            let options = object(&[]);
            set(&options, "signal", &signal);
            let locks = locks.unchecked_ref::<LockManager>();
            match locks.request(name, &options, held.unchecked_ref()) {
                Ok(request) => {
                    request.unchecked_into::<Thenable>().then_call(&function(|_| {}), &refused);
                }
                Err(error) => {
                    let _ = refused.call1(&JsValue::UNDEFINED, &error);
                }
            }
        });
        Self(JsFuture::from(granted).await.ok().and_then(|release| release.dyn_into().ok()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}
