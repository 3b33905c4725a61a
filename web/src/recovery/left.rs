use super::text;
use crate::{
    ui::{Panel, moment, notice, tag},
    words::Tone,
};
use holdfast_protocol::recovery::RecoveryCodesView;
use yew::prelude::{Html, html};

/// Few enough to warn about.
const FEW: u32 = 3;

/// How many codes still work.
pub fn codes_left(codes: &RecoveryCodesView, now_ms: u64) -> Html {
    let RecoveryCodesView { left, total, created_at_ms } = *codes;
    let few = left <= FEW;
    let tone = if few { Tone::Wait } else { Tone::Held };
    let beside = tag(tone, &text::left(left, total));
    Panel { title: text::LIST, id: "recovery-codes", beside }.show(html! {
        <div class="inset">
            <p class="small muted">{ text::LEFT_BODY }{ text::LEFT_MADE }{ moment(created_at_ms, now_ms) }{ "." }</p>
            if few { { notice(tone, text::LEFT_FEW) } }
        </div>
    })
}
