use super::{
    effects::HistoryHandle,
    state::{self, History, Loaded, Older},
    text,
};
use crate::{
    ui::{Again, Icon, Panel, alert, moment, picture, tag, waiting},
    words::{Tone, Words},
};
use holdfast_protocol::history::{Activity, ActivityEvent};
use yew::prelude::{Html, html};

/// Shown above everything else, for as long as there is cause.
pub fn alarm(handle: &HistoryHandle, now_ms: u64) -> Html {
    if state::alarm(&handle.events, now_ms).is_none() {
        return html! {};
    }
    let words = Words { what: text::ALARM.into(), way_on: text::ALARM_DO.into(), tone: Tone::Broken };
    alert("alarm", &words, None)
}

/// Everything that happened, the newest first.
pub fn activity_panel(handle: &HistoryHandle, now_ms: u64) -> Html {
    let HistoryHandle { history, events, fetch, older } = handle;
    let rows = events.iter().map(|event| row(event, now_ms));
    let rows = html! { <ol class="rows events" role="list">{ for rows }</ol> };
    let content = match &**history {
        History::Loading if events.is_empty() => {
            html! { <div class="inset">{ waiting(Some(text::LOADING)) }</div> }
        }
        History::Loading => rows,
        History::Failed(failure) => {
            let failure = alert("activity-failure", &failure.words(), Some(Again::new(fetch)));
            html! { <><div class="inset">{ failure }</div>{ rows }</> }
        }
        History::Loaded(_) if events.is_empty() => html! { <p class="inset muted">{ text::NONE }</p> },
        History::Loaded(Loaded { older: below, .. }) => {
            let ask = older.clone();
            let below = match below {
                Older::None => html! { <p class="small muted">{ text::ALL }</p> },
                Older::Failed(failure) => alert("older-failure", &failure.words(), Some(Again::new(older))),
                Older::There | Older::Fetching => html! {
                    <div class="actions">
                        <button type="button" class="btn" onclick={move |_| ask.emit(())}>{ text::OLDER }</button>
                        { waiting((*below == Older::Fetching).then_some(text::LOADING_OLDER)) }
                    </div>
                },
            };
            html! { <>{ rows }<div class="inset below">{ below }</div></> }
        }
    };
    Panel { title: text::TITLE, id: "activity", beside: html! {} }.show(content)
}

fn row(event: &ActivityEvent, now_ms: u64) -> Html {
    let text::Sentence { said, tone, way_on } = text::sentence(&event.what);
    let device = event.device.as_ref().map(|device| [", ", &device.browser, " on ", &device.system].concat());
    let class = match tone {
        Tone::Broken => "event broken",
        Tone::Wait => "event wait",
        Tone::Plain | Tone::Held => "event",
    };
    html! {
        <li key={event.id.to_string()} {class}>
            <span class="row-icon">{ picture(icon(&event.what)) }</span>
            <div class="row-what">
                <p class="row-title">
                    <span class="said">{ said.to_string() }</span>
                    { text::mark(tone).map(|mark| tag(tone, mark)) }
                </p>
                if let Some(way_on) = way_on { <p class="small way-on">{ way_on }</p> }
                <p class="small muted">{ moment(event.at_ms, now_ms) }{ device }</p>
            </div>
        </li>
    }
}

const fn icon(what: &Activity) -> Icon {
    match what {
        Activity::AccountCreated => Icon::Person,
        Activity::PasskeyAdded { .. } | Activity::PasskeyRenamed { .. } | Activity::SignedIn { .. } => {
            Icon::Key
        }
        Activity::RecoveryCodesCreated => Icon::List,
        Activity::SignedOut | Activity::SignedOutEverywhere => Icon::Door,
        Activity::ConnectionHeld { .. }
        | Activity::ConnectionClosed { .. }
        | Activity::ConnectionEnded { .. } => Icon::Pulse,
        Activity::PasskeySuspect { .. }
        | Activity::SignInRefused { .. }
        | Activity::TheftSuspected { .. }
        | Activity::CookieWithoutKey
        | Activity::RelayRefused { .. } => Icon::Warning,
    }
}
