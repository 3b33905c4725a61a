use super::text;
use crate::{
    console,
    ui::{Element, Panel, div, moment, notice, p, tag},
    words::Tone,
};
use holdfast_pop::Kept;
use holdfast_protocol::recovery::RecoveryCodesView;
use yew::prelude::Html;

/// Few enough to warn about.
const FEW: u32 = 3;

/// How many codes are left.
pub fn codes_left(codes: &RecoveryCodesView, kept: Kept, now_ms: u64) -> Html {
    let replace = console::link(kept, "small", console::Surface::Codes.path(), text::REPLACE);
    let panel = Panel { title: text::LIST, id: "recovery-codes", beside: number_left(codes) };
    panel.show(left(codes, now_ms).with(replace))
}

pub(super) fn number_left(codes: &RecoveryCodesView) -> Html {
    tag(tone(codes), text::left(codes.left, codes.total))
}

/// What they are for and since when, and a warning where few are left.
pub(super) fn left(codes: &RecoveryCodesView, now_ms: u64) -> Element {
    let said = p("small muted")
        .with(text::LEFT_BODY)
        .with(text::LEFT_MADE)
        .with(moment(codes.created_at_ms, now_ms))
        .with(".");
    div("inset").with(said).with((codes.left <= FEW).then(|| notice(tone(codes), text::LEFT_FEW)))
}

fn tone(codes: &RecoveryCodesView) -> Tone {
    if codes.left <= FEW { Tone::Wait } else { Tone::Held }
}
