use super::{
    effects::HistoryHandle,
    state::{self, History, Loaded, Older},
    text,
};
use crate::{
    console,
    ui::{
        Again, Content as _, Element, Icon, Panel, alert, button, classed, div, group, moment, p, picture,
        span, tag, waiting,
    },
    words::{Tone, Words},
};
use holdfast_pop::Kept;
use holdfast_protocol::history::{Activity, ActivityEvent};
use yew::prelude::Html;

/// Shown above everything else, for as long as there is cause.
pub fn alarm(handle: &HistoryHandle, now_ms: u64) -> Html {
    if state::alarm(&handle.events, now_ms).is_none() {
        return Html::default();
    }
    let words = Words { what: text::ALARM.into(), way_on: text::ALARM_DO.into(), tone: Tone::Broken };
    alert("alarm", &words, None)
}

/// Everything that happened, the newest first.
pub fn activity_panel(handle: &HistoryHandle, kept: Kept, now_ms: u64) -> Html {
    let HistoryHandle { history, events, fetch, older } = handle;
    let rows = events.iter().map(|event| row(event, now_ms));
    let rows = classed("ol", "rows events").attr("role", "list").with_each(rows);
    let content = match &**history {
        History::Loading if events.is_empty() => div("inset").with(waiting(Some(text::LOADING))).into_html(),
        History::Loading => rows.into_html(),
        History::Failed(failure) => {
            let failure = alert("activity-failure", &failure.words(), Some(Again::new(fetch)));
            group().with(div("inset").with(failure)).with(rows).into_html()
        }
        History::Loaded(_) if events.is_empty() => p("inset muted").with(text::NONE).into_html(),
        History::Loaded(Loaded { older: below, .. }) => {
            let below = match below {
                Older::None => p("small muted").with(text::ALL).into_html(),
                Older::Failed(failure) => alert("older-failure", &failure.words(), Some(Again::new(older))),
                Older::There | Older::Fetching => div("actions")
                    .with(button("btn", older.clone()).with(text::OLDER))
                    .with(waiting((*below == Older::Fetching).then_some(text::LOADING_OLDER)))
                    .into_html(),
            };
            group().with(rows).with(div("inset below").with(below)).into_html()
        }
    };
    let confirmations =
        console::link(kept, "small", console::Surface::Confirmations.path(), text::CONFIRMATIONS);
    Panel { title: text::TITLE, id: "activity", beside: confirmations.into_html() }.show(content)
}

fn row(event: &ActivityEvent, now_ms: u64) -> Element {
    let text::Sentence { said, tone, way_on } = text::sentence(&event.what);
    let device = event.device.as_ref().map(|device| [", ", &device.browser, " on ", &device.system].concat());
    let class = match tone {
        Tone::Broken => "event broken",
        Tone::Wait => "event wait",
        Tone::Plain | Tone::Held => "event",
    };
    let title =
        p("row-title").with(span("said").with(said)).with(text::mark(tone).map(|mark| tag(tone, mark)));
    let what = div("row-what")
        .with(title)
        .with(way_on.map(|way_on| p("small way-on").with(way_on)))
        .with(p("small muted").with(moment(event.at_ms, now_ms)).with(device));
    classed("li", class)
        .key(&event.id.to_string())
        .with(span("row-icon").with(picture(icon(&event.what))))
        .with(what)
}

const fn icon(what: &Activity) -> Icon {
    match what {
        Activity::AccountCreated => Icon::Person,
        Activity::PasskeyAdded { .. }
        | Activity::PasskeyRenamed { .. }
        | Activity::SignedIn { .. }
        | Activity::PasskeyRemoved { .. }
        | Activity::CredentialRead { .. }
        | Activity::StepUp { .. }
        | Activity::Agent { .. } => Icon::Key,
        Activity::RecoveryCodesCreated | Activity::RecoveryCodesReplaced => Icon::List,
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
