use crate::{browser, clock};
use gloo_timers::callback::Interval;
use yew::prelude::{hook, use_effect_with, use_state_eq};

/// The time, told anew at intervals for as long as somebody can see it.
#[hook]
pub fn use_now(every_ms: u32) -> u64 {
    let now = use_state_eq(clock::now_ms);
    let setter = now.setter();
    use_effect_with(every_ms, move |every_ms| {
        let ticking = Interval::new(*every_ms, move || {
            if browser::is_visible() {
                setter.set(clock::now_ms());
            }
        });
        move || drop(ticking)
    });
    *now
}
