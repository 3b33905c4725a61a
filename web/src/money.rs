use holdfast_protocol::wallet::Usd;
use js_sys::{Array, Function, Intl, JsString, Object, Reflect};
use std::cell::OnceCell;
use wasm_bindgen::{JsCast as _, JsValue};

thread_local! {
    static FORMAT: OnceCell<Function> = const { OnceCell::new() };
}

/// `$12.50`, as the person's locale writes it.
pub fn money(amount: Usd) -> String {
    // The browser takes the decimal text itself: no amount is a floating-point number on its way.
    let exact = JsValue::from_str(&amount.to_string());
    FORMAT
        .with(|format| format.get_or_init(format_of_dollars).call1(&JsValue::UNDEFINED, &exact))
        .ok()
        .and_then(|text| text.dyn_into::<JsString>().ok())
        .map(String::from)
        .unwrap_or_default()
}

fn format_of_dollars() -> Function {
    let bag = Object::new();
    for (name, value) in [
        ("style", JsValue::from_str("currency")),
        ("currency", JsValue::from_str("USD")),
        ("maximumFractionDigits", JsValue::from_f64(6.0)),
    ] {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&bag, &JsValue::from_str(name), &value);
    }
    Intl::NumberFormat::new(&Array::new(), &bag).format()
}
