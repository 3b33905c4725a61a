use crate::json;
use js_sys::{Array, Date, Intl, Object, Reflect};
use std::cell::{Cell, OnceCell};
use wasm_bindgen::{JsCast as _, JsValue};

thread_local! {
    /// Server's time less browser's, in milliseconds: the browser's clock may be months off.
    static OFFSET_MS: Cell<f64> = const { Cell::new(0.0) };
    static DATE: OnceCell<js_sys::Function> = const { OnceCell::new() };
    static DATE_TIME: OnceCell<js_sys::Function> = const { OnceCell::new() };
}

/// Now as the server would tell it: milliseconds since 1970.
pub fn now_ms() -> u64 {
    json::whole((Date::now() + OFFSET_MS.get()).floor())
        .and_then(|ms| u64::try_from(ms).ok())
        .unwrap_or_default()
}

/// Takes the `Date` header of an answer. Its resolution is a second, so small differences are none.
pub fn note_server_date(header: &str) {
    let offset = Date::parse(header) - Date::now();
    if offset.is_finite() {
        OFFSET_MS.set(if offset.abs() < 3_000.0 { 0.0 } else { offset });
    }
}

/// Milliseconds of a clock that nobody can set.
pub fn steady_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// `3 March 2026`, as the person's locale writes it.
pub fn date(at_ms: u64) -> String {
    DATE.with(|format| written(format, at_ms, &[("dateStyle", "long")]))
}

/// Date and time, as the person's locale writes them.
pub fn date_time(at_ms: u64) -> String {
    DATE_TIME.with(|format| written(format, at_ms, &[("dateStyle", "medium"), ("timeStyle", "short")]))
}

/// For the `datetime` of a `time` element.
pub fn iso(at_ms: u64) -> String {
    String::from(js_date(at_ms).to_iso_string())
}

fn written(format: &OnceCell<js_sys::Function>, at_ms: u64, options: &[(&str, &str)]) -> String {
    let format = format.get_or_init(|| {
        let bag = Object::new();
        for (name, value) in options {
            // Setting a property of a fresh object cannot fail.
            let _ = Reflect::set(&bag, &JsValue::from_str(name), &JsValue::from_str(value));
        }
        Intl::DateTimeFormat::new(&Array::new(), &bag).format()
    });
    format
        .call1(&JsValue::UNDEFINED, js_date(at_ms).as_ref())
        .ok()
        .and_then(|text| text.dyn_into::<js_sys::JsString>().ok())
        .map(String::from)
        .unwrap_or_default()
}

fn js_date(at_ms: u64) -> Date {
    Date::new(&JsValue::from_f64(float(at_ms)))
}

/// Exact up to 2^53.
fn float(number: u64) -> f64 {
    let [high, low] =
        [number >> 32, number & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or_default());
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_survive_the_way_to_javascript() {
        assert_eq!(super::float(1_796_000_123_456), 1_796_000_123_456.0);
    }
}
