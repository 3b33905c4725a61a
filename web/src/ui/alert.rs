use crate::{
    text,
    ui::{Content, Element, Focus, Icon, button, div, element, p, picture, span},
    words::{Tone, Words},
};
use yew::prelude::{Callback, Html};

/// A way on, where trying again is one.
pub struct Again {
    /// What the button says.
    pub label: &'static str,
    /// What it does.
    pub run: Callback<()>,
}

impl Again {
    /// `Try again`
    pub fn new(run: &Callback<()>) -> Self {
        Self { label: text::TRY_AGAIN, run: run.clone() }
    }
}

/// A failure: what happened, what to do. It takes the focus when it appears, so that it is read.
pub fn alert(id: &'static str, words: &Words, again: Option<Again>) -> Html {
    let said = div("alert-words")
        .with(p("").with(element("strong").with(words.what.clone())))
        .with(p("").with(words.way_on.clone()))
        .with(again.map(|Again { label, run }| button("btn", run).with(label)));
    div(alert_class(words.tone))
        .attr("id", id)
        .attr("role", "alert")
        .attr("tabindex", "-1")
        .with(span("alert-icon").with(picture(Icon::Warning)))
        .with(said)
        .with(Focus::again_at(id, words.what.to_string()))
        .into_html()
}

/// Something worth knowing that is no failure of what the person just did.
pub fn notice(tone: Tone, said: &str) -> Html {
    div(alert_class(tone))
        .with(span("alert-icon").with(picture(Icon::Info)))
        .with(div("alert-words").with(p("").with(said.to_owned())))
        .into_html()
}

fn alert_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Broken => "alert broken",
        Tone::Wait => "alert wait",
        Tone::Held => "alert held",
        Tone::Plain => "alert plain",
    }
}

/// A result, read aloud politely. It is always there, so that a change of its text is heard.
pub fn status(said: Option<&'static str>) -> Html {
    p("status").attr("role", "status").with(said.unwrap_or_default()).into_html()
}

/// A wait, shown as one and read aloud politely; `None`: there is none.
pub fn waiting(said: Option<&'static str>) -> Html {
    let spinner = said.map(|_| hidden(span("spinner")));
    p("status").attr("role", "status").with(spinner).with(said).into_html()
}

/// Only for the eye.
pub fn hidden(element: Element) -> Element {
    element.attr("aria-hidden", "true")
}

/// A word or two that stand out.
pub fn tag(tone: Tone, said: impl Content) -> Html {
    let class = match tone {
        Tone::Broken => "tag broken",
        Tone::Wait => "tag wait",
        Tone::Held => "tag held",
        Tone::Plain => "tag",
    };
    span(class).with(said).into_html()
}
