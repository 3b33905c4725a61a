use crate::{
    text,
    ui::{Focus, Icon, picture},
    words::{Tone, Words},
};
use yew::prelude::{Callback, Html, html};

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
    let again = again.map(|Again { label, run }| {
        html! { <button type="button" class="btn" onclick={move |_| run.emit(())}>{ label }</button> }
    });
    html! {
        <div {id} class={alert_class(words.tone)} role="alert" tabindex="-1">
            <span class="alert-icon">{ picture(Icon::Warning) }</span>
            <div class="alert-words">
                <p><strong>{ words.what.to_string() }</strong></p>
                <p>{ words.way_on.to_string() }</p>
                { again }
            </div>
            <Focus {id} cue={words.what.to_string()} />
        </div>
    }
}

/// Something worth knowing that is no failure of what the person just did.
pub fn notice(tone: Tone, said: &str) -> Html {
    html! {
        <div class={alert_class(tone)}>
            <span class="alert-icon">{ picture(Icon::Info) }</span>
            <div class="alert-words"><p>{ said }</p></div>
        </div>
    }
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
pub fn status(said: Option<&str>) -> Html {
    html! { <p class="status" role="status">{ said.unwrap_or_default() }</p> }
}

/// A wait, shown as one and read aloud politely; `None`: there is none.
pub fn waiting(said: Option<&str>) -> Html {
    html! {
        <p class="status" role="status">
            if let Some(said) = said {
                <span class="spinner" aria-hidden="true"></span>{ said }
            }
        </p>
    }
}

/// A word or two that stand out.
pub fn tag(tone: Tone, said: &str) -> Html {
    let class = match tone {
        Tone::Broken => "tag broken",
        Tone::Wait => "tag wait",
        Tone::Held => "tag held",
        Tone::Plain => "tag",
    };
    html! { <span {class}>{ said }</span> }
}
