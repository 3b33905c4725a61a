use super::text;
use crate::{
    ui::{Content as _, Heading, Icon, Step, button, div, group, p, picture, span, steps, tag},
    words::Tone,
};
use yew::prelude::{Callback, Html};

/// The wizard's last step; `open` leaves it.
pub fn done(open: Callback<()>) -> Html {
    let card = div("card finished")
        .with(span("finished-seal").with(picture(Icon::Check)))
        .with(tag(Tone::Held, text::TIER))
        .with(Heading { text: text::LOCKED_TITLE, tab: text::TIER }.show())
        .with(p("muted").with(text::DONE_BODY))
        .with(button("btn primary", open).with(text::OPEN_SECURITY));
    group().with(steps(Step::Done)).with(card).into_html()
}
