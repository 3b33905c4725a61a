use super::text;
use crate::{
    ui::{Heading, Icon, Step, picture, steps, tag},
    words::Tone,
};
use yew::prelude::{Callback, Html, html};

/// The wizard's last step; `open` leaves it.
pub fn done(open: Callback<()>) -> Html {
    html! {
        <>
            { steps(Step::Done) }
            <div class="card finished">
                <span class="finished-seal">{ picture(Icon::Check) }</span>
                { tag(Tone::Held, text::TIER) }
                { Heading { text: text::LOCKED_TITLE, tab: text::TIER }.show() }
                <p class="muted">{ text::DONE_BODY }</p>
                <button type="button" class="btn primary" onclick={move |_| open.emit(())}>
                    { text::OPEN_SECURITY }
                </button>
            </div>
        </>
    }
}
