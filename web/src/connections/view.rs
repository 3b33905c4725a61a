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
    ui::{Focus, Icon, Panel, alert, picture, status, tag, use_now, waiting},
    words::Tone,
};
use holdfast_protocol::{connections::ConnectionView, ids::ConnectionId, pop::Standing};
use web_sys::MouseEvent;
use yew::prelude::{Callback, Html, Properties, component, html};

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
        None if state.failure.is_some() => html! {},
        None => html! { <div class="inset">{ waiting(Some(text::LOADING)) }</div> },
        // A page that hears nothing does not know whether somebody is.
        Some(list) if list.is_empty() && !hears => html! {},
        Some(list) if list.is_empty() => html! { <p class="inset muted">{ text::NONE }</p> },
        Some(list) => {
            let rows = list.iter().map(|view| {
                let ending = if state.ending.contains(&view.id) { Ending::Asked } else { Ending::Not };
                let standing = if hears { text::standing(view.standing) } else { text::AS_LAST_HEARD };
                row(view, standing, now_ms, ending, &end)
            });
            html! { <ul class="rows" role="list">{ for rows }</ul> }
        }
    };
    let failure = state.failure.as_ref().map(|failure| {
        html! { <div class="inset">{ alert("connections-failure", &failure.words(), None) }</div> }
    });
    let result = (!state.ended.is_empty()).then_some(text::ENDED);
    Panel { title: text::TITLE, id: ID, beside: standing(&props.live, now_ms) }.show(html! {
        <>
            <p class="inset small muted">{ text::INTRO }</p>
            { failure }
            { list }
            if !state.ended.is_empty() { <Focus id={ID} cue={state.ended.len().to_string()} /> }
            <div class="hush">{ status(result) }</div>
        </>
    })
}

/// How this page's own stream stands.
fn standing(handle: &LiveHandle, now_ms: u64) -> Html {
    let (class, said) = match handle.live.link {
        Link::Connecting => ("tag wait", "connecting".to_owned()),
        Link::Proving => ("tag wait", "proving itself".to_owned()),
        Link::Proven { at_ms, .. } => ("tag held", text::proven(now_ms.saturating_sub(at_ms))),
        Link::Held => ("tag wait", "held back".to_owned()),
        Link::Waiting { until_ms } => ("tag wait", text::reconnecting(until_ms.saturating_sub(now_ms))),
        Link::Ended(end) => ("tag broken", text::ended(end).to_owned()),
    };
    let button = match handle.live.link {
        Link::Waiting { .. } => Some(words::TRY_NOW),
        Link::Ended(_) => Some(text::CONNECT_AGAIN),
        _ => None,
    };
    let retry = handle.retry.clone();
    let onclick = move |_| {
        retry.emit(());
        // The button goes; the focus stays here.
        browser::focus(ID);
    };
    html! {
        <>
            <span {class}><span class="spot" aria-hidden="true"></span>{ said }</span>
            if let Some(label) = button {
                <button type="button" class="btn" {onclick}>{ label }</button>
            }
        </>
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Not,
    Asked,
}

fn row(
    view: &ConnectionView,
    (tone, standing): (Tone, &str),
    now_ms: u64,
    ending: Ending,
    end: &Callback<ConnectionId>,
) -> Html {
    let stream = text::stream(&view.stream);
    let device = [&view.device.browser, " on ", &view.device.system].concat();
    let small = matches!(view.device.system.as_str(), "Android" | "iPhone" | "iPad");
    let onclick = {
        let (end, id) = (end.clone(), view.id.clone());
        move |_: MouseEvent| {
            if ending == Ending::Not {
                end.emit(id.clone());
            }
        }
    };
    let age = text::open_for(now_ms.saturating_sub(view.opened_at_ms));
    let said = [&device, ", ", &age, ", by ", text::transport(view.transport)].concat();
    html! {
        <li key={view.id.as_str()} class="connection">
            <span class="row-icon">{ picture(if small { Icon::Phone } else { Icon::Laptop }) }</span>
            <div class="row-what">
                <p class="row-title">
                    <strong>{ stream }</strong>
                    { tag(tone, standing) }
                    if view.this_browser { { tag(Tone::Plain, text::THIS_BROWSER) } }
                </p>
                <p class="small muted">{ said }</p>
                if view.standing == Standing::Held { <p class="fault wait">{ text::HELD }</p> }
            </div>
            <div class="row-pulse">
                { pulse(&view.beats, tone) }
                if let Some(rtt_ms) = median_ms(&view.beats) {
                    <span class="small muted mono rtt">{ [&rtt_ms.to_string(), " ms"].concat() }</span>
                }
            </div>
            <button type="button" class="btn danger row-end" aria-label={text::end_label(stream, &device)}
                aria-disabled={(ending == Ending::Asked).then_some("true")} {onclick}>
                { text::END }
            </button>
        </li>
    }
}
