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

/// An amount as people write it: digits, and a point before at most six more. A comma means one thing here and
/// another there, so it is asked about and not guessed.
pub fn amount(typed: &str) -> Option<Usd> {
    let typed = typed.trim();
    let (dollars, places) = typed.split_once('.').unwrap_or((typed, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if dollars.is_empty() || !digits(dollars) || !digits(places) || typed.ends_with('.') {
        return None;
    }
    let leading = dollars.trim_start_matches('0');
    let dollars = if leading.is_empty() { "0" } else { leading };
    let mut places = places.trim_end_matches('0').to_owned();
    while places.len() < 2 {
        places.push('0');
    }
    Usd::parse(&[dollars, ".", &places].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_taken_as_people_write_it_and_sent_in_one_spelling() {
        for (typed, sent) in [
            ("12.50", "12.50"),
            ("12.5", "12.50"),
            ("12", "12.00"),
            (" 007 ", "7.00"),
            ("0.000125", "0.000125"),
            ("1.100000", "1.10"),
            ("1.1000000", "1.10"),
            ("0", "0.00"),
            ("999999999.999999", "999999999.999999"),
        ] {
            assert_eq!(amount(typed), Usd::parse(sent).ok(), "{typed:?}");
        }
    }

    #[test]
    fn what_could_mean_something_else_is_no_amount() {
        for typed in [
            "",
            ".",
            ".5",
            "5.",
            "12,50",
            "1,000.00",
            "1 000",
            "$5",
            "5 USD",
            "-5",
            "+5",
            "1e3",
            "٥",
            "1.0000001",
            "1000000000",
        ] {
            assert_eq!(amount(typed), None, "{typed:?}");
        }
    }
}
