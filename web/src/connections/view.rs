use super::{
    effects::use_connections,
    pulse::{median_ms, pulse},
    text,
};
use crate::{
    api::Api,
    browser,
    live::{Link, LiveHandle},
    text as words,
    ui::{
        Content as _, Element, Focus, Group, Icon, Panel, alert, button, classed, div, element, group,
        hidden, p, picture, span, status, tag, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{connections::ConnectionView, ids::ConnectionId, pop::Standing};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct ConnectionsPanelProps {
    pub api: Api,
    pub live: LiveHandle,
}

/// The panel's heading.
const ID: &str = "connections";

/// Every live connection of the account.
#[component]
pub fn ConnectionsPanel(props: &ConnectionsPanelProps) -> Html {
    let (state, end) = use_connections(&props.api);
    let now_ms = use_now(1_000);
    let hears = matches!(props.live.live.link, Link::Proven { .. });
    let list = match state.shown(props.live.live.connections.as_ref()) {
        None if state.failure.is_some() => None,
        None => Some(div("inset").with(waiting(Some(text::LOADING)))),
        // A page that hears nothing does not know whether somebody is.
        Some(list) if list.is_empty() && !hears => None,
        Some(list) if list.is_empty() => Some(p("inset muted").with(text::NONE)),
        Some(list) => {
            let rows = list.iter().map(|view| {
                let ending = if state.ending.contains(&view.id) { Ending::Asked } else { Ending::Not };
                let standing = if hears { text::standing(view.standing) } else { text::AS_LAST_HEARD };
                row(view, standing, now_ms, ending, &end)
            });
            Some(classed("ul", "rows").attr("role", "list").with_each(rows))
        }
    };
    let failure = state
        .failure
        .as_ref()
        .map(|failure| div("inset").with(alert("connections-failure", &failure.words(), None)));
    let result = (!state.ended.is_empty()).then_some(text::ENDED);
    let focus = result.map(|_| Focus::again_at(ID, state.ended.len().to_string()));
    Panel { title: text::TITLE, id: ID, beside: standing(&props.live, now_ms).into_html() }.show(
        group()
            .with(p("inset small muted").with(text::INTRO))
            .with(failure)
            .with(list)
            .with(focus)
            .with(div("hush").with(status(result))),
    )
}

/// How this page's own stream stands.
fn standing(handle: &LiveHandle, now_ms: u64) -> Group {
    let (class, said) = match handle.live.link {
        Link::Connecting => ("tag wait", "connecting".to_owned()),
        Link::Proving => ("tag wait", "proving itself".to_owned()),
        Link::Proven { at_ms, .. } => ("tag held", text::proven(now_ms.saturating_sub(at_ms))),
        Link::Held => ("tag wait", "held back".to_owned()),
        Link::Waiting { until_ms } => ("tag wait", text::reconnecting(until_ms.saturating_sub(now_ms))),
        Link::Ended(end) => ("tag broken", text::ended(end).to_owned()),
    };
    let label = match handle.live.link {
        Link::Waiting { .. } => Some(words::TRY_NOW),
        Link::Ended(_) => Some(text::CONNECT_AGAIN),
        _ => None,
    };
    let retry = handle.retry.clone();
    let again = Callback::from(move |()| {
        retry.emit(());
        // The button goes; the focus stays here.
        browser::focus(ID);
    });
    group()
        .with(span(class).with(hidden(span("spot"))).with(said))
        .with(label.map(|label| button("btn", again).with(label)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Not,
    Asked,
}

fn row(
    view: &ConnectionView,
    (tone, standing): (Tone, &'static str),
    now_ms: u64,
    ending: Ending,
    end: &Callback<ConnectionId>,
) -> Element {
    let stream = text::stream(&view.stream);
    let device = [&view.device.browser, " on ", &view.device.system].concat();
    let small = matches!(view.device.system.as_str(), "Android" | "iPhone" | "iPad");
    let ended = {
        let (end, id) = (end.clone(), view.id.clone());
        Callback::from(move |()| {
            if ending == Ending::Not {
                end.emit(id.clone());
            }
        })
    };
    let age = text::open_for(now_ms.saturating_sub(view.opened_at_ms));
    let said = [&device, ", ", &age, ", by ", text::transport(view.transport)].concat();
    let title = p("row-title")
        .with(element("strong").with(stream.to_owned()))
        .with(tag(tone, standing))
        .with(view.this_browser.then(|| tag(Tone::Plain, text::THIS_BROWSER)));
    let what = div("row-what")
        .with(title)
        .with(p("small muted").with(said))
        .with((view.standing == Standing::Held).then(|| p("fault wait").with(text::HELD)));
    let rtt = median_ms(&view.beats)
        .map(|rtt_ms| span("small muted mono rtt").with([&rtt_ms.to_string(), " ms"].concat()));
    let end = button("btn danger row-end", ended)
        .attr("aria-label", text::end_label(stream, &device))
        .attr("aria-disabled", (ending == Ending::Asked).then_some("true"))
        .with(text::END);
    classed("li", "connection")
        .key(view.id.as_str())
        .with(span("row-icon").with(picture(if small { Icon::Phone } else { Icon::Laptop })))
        .with(what)
        .with(div("row-pulse").with(pulse(&view.beats, tone)).with(rtt))
        .with(end)
}
