use super::text;
use crate::{
    ui::{Panel, div, moment, notice, p, tag},
    words::Tone,
};
use holdfast_protocol::recovery::RecoveryCodesView;
use yew::prelude::Html;

/// Few enough to warn about.
const FEW: u32 = 3;

/// How many codes still work.
pub fn codes_left(codes: &RecoveryCodesView, now_ms: u64) -> Html {
    let RecoveryCodesView { left, total, created_at_ms } = *codes;
    let few = left <= FEW;
    let tone = if few { Tone::Wait } else { Tone::Held };
    let beside = tag(tone, text::left(left, total));
    let said = p("small muted")
        .with(text::LEFT_BODY)
        .with(text::LEFT_MADE)
        .with(moment(created_at_ms, now_ms))
        .with(".");
    Panel { title: text::LIST, id: "recovery-codes", beside }
        .show(div("inset").with(said).with(few.then(|| notice(tone, text::LEFT_FEW))))
}
