use crate::{
    clock, text,
    ui::{Content as _, element},
};
use yew::prelude::Html;

/// When something was: how long ago while it is near, then the date; the exact time is its title.
/// Both in milliseconds since 1970, now as the server would tell it.
pub fn moment(at_ms: u64, now_ms: u64) -> Html {
    let said = text::ago(now_ms, at_ms).unwrap_or_else(|| clock::date(at_ms));
    element("time")
        .attr("datetime", clock::iso(at_ms))
        .attr("title", clock::date_time(at_ms))
        .with(said)
        .into_html()
}
