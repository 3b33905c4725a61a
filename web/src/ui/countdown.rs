use crate::{
    clock, text,
    ui::{Again, Content as _, button, component_of, div, p, span, use_now},
};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct CountdownProps {
    /// Milliseconds since 1970, the server's clock.
    pub until_ms: u64,
    /// What the button says when it is over.
    pub label: &'static str,
    pub run: Callback<()>,
}

/// How long something still lasts, to the second; and when it is over, a way on.
#[component]
pub fn Countdown(props: &CountdownProps) -> Html {
    let left_ms = props.until_ms.saturating_sub(use_now(1_000));
    if left_ms == 0 {
        let again = button("btn", props.run.clone()).with(props.label);
        return div("countdown").with(p("").with(text::OVER)).with(again).into_html();
    }
    // Not announced at every second: who listens asks for it.
    let left = span("countdown-left").attr("role", "timer").with(text::left(left_ms));
    let until = span("small muted").with([text::UNTIL, &clock::date_time(props.until_ms)].concat());
    div("countdown").with(left).with(until).into_html()
}

impl Countdown {
    /// Until then.
    pub fn show(until_ms: u64, Again { label, run }: Again) -> Html {
        component_of::<Self>(CountdownProps { until_ms, label, run }, None)
    }
}
