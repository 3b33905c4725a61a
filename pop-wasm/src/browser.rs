//! What windows and workers alike have: timers, clocks, randomness, objects.

use crate::PopError;
use js_sys::{Function, Promise, Reflect};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// Calls with a nought and the promise's value, or with a one and its error.
    pub(crate) fn settle(promise: &Promise, done: &Function);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Function, delay_ms: f64, what: u32) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: f64);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<(), JsValue>;

    type Callable;
    #[wasm_bindgen(method, js_name = call)]
    fn call(this: &Callable);
}

/// Calls what does not throw.
pub(crate) fn run(function: &Function) {
    function.unchecked_ref::<Callable>().call();
}

/// A member that is there.
pub(crate) fn member(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// A member that is text.
pub(crate) fn text_member(of: &JsValue, name: &str) -> Option<String> {
    member(of, name)?.as_string()
}

/// Fills with random bytes.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), PopError> {
    get_random_values(bytes).map_err(|_| PopError::NotSupported)
}

/// Random bytes for what is public and must never come twice. Drawn in bulk: each call into the
/// browser costs a tenth of a signature.
pub(crate) struct Pool(RefCell<Vec<u8>>);

impl Pool {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// 16 bytes that nobody has had before.
    pub(crate) fn take(&self) -> Result<[u8; 16], PopError> {
        let mut pool = self.0.borrow_mut();
        if pool.len() < 16 {
            pool.resize(1024, 0);
            if let Err(error) = random(&mut pool) {
                // Zeros are not random.
                pool.clear();
                return Err(error);
            }
        }
        let Some((rest, taken)) = pool.split_last_chunk() else { return Err(PopError::NotSupported) };
        let (left, taken) = (rest.len(), *taken);
        pool.truncate(left);
        Ok(taken)
    }
}

/// For jitter, where nothing depends on it.
pub(crate) fn random_u32() -> u32 {
    let mut bytes = [0; 4];
    match random(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => 1 << 31,
    }
}

/// Milliseconds since the page began; never goes back.
pub(crate) fn now_ms() -> u64 {
    whole(performance_now())
}

/// Seconds since 1970, by whatever the browser believes.
pub(crate) fn unix_s() -> u64 {
    whole(js_sys::Date::now()) / 1000
}

#[expect(clippy::as_conversions, reason = "the only way from a float; it saturates, and NaN becomes 0")]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

#[expect(clippy::as_conversions, reason = "milliseconds stay far below 2^53")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

/// One timer: arming it again forgets the earlier time.
pub(crate) struct Timer {
    then: Function,
    armed: Cell<Option<u64>>,
    id: Cell<f64>,
}

impl Timer {
    pub(crate) fn new(then: Function) -> Self {
        Self { then, armed: Cell::new(None), id: Cell::new(0.0) }
    }

    /// Wants to be called at `deadline_ms`; may be called earlier, never later. An armed timer that is
    /// early enough stays: a heartbeat that moves its deadline costs no call.
    pub(crate) fn arm(&self, deadline_ms: Option<u64>, now_ms: u64) {
        match (deadline_ms, self.armed.get()) {
            (Some(deadline_ms), Some(armed_ms)) if armed_ms <= deadline_ms => {}
            (Some(deadline_ms), _) => {
                self.clear();
                let delay_ms = deadline_ms.saturating_sub(now_ms);
                self.id.set(set_timeout(&self.then, float(delay_ms), 0));
                self.armed.set(Some(deadline_ms));
            }
            (None, _) => self.clear(),
        }
    }

    /// It has called.
    pub(crate) fn fired(&self) {
        self.armed.set(None);
    }

    fn clear(&self) {
        if self.armed.take().is_some() {
            clear_timeout(self.id.get());
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A function for the browser that lives as long as the browser holds it: it can never be called
/// after its end, and what it captures should be weak. Of whatever it tells, the scripts in this crate say
/// with the first argument which it is, and with the second what comes with it.
pub(crate) fn function(call: impl Fn(u32, JsValue) + 'static) -> Function {
    // Boxed here, so that the glue exists once and not for each closure: a tenth of the module.
    let call: Box<dyn Fn(u32, JsValue)> = Box::new(call);
    Closure::wrap(call).into_js_value().unchecked_into()
}
