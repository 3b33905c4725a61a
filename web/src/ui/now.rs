use crate::store::{use_effect_of, use_value};
use crate::{browser, clock};
use gloo_timers::callback::Interval;
use yew::prelude::hook;

/// The time, told anew at intervals for as long as somebody can see it.
#[hook]
pub fn use_now(every_ms: u32) -> u64 {
    let now = use_value(clock::now_ms);
    let setter = now.setter();
    use_effect_of(every_ms, move |every_ms| {
        Interval::new(*every_ms, move || {
            if browser::is_visible() {
                setter.set(clock::now_ms());
            }
        })
    });
    *now
}
