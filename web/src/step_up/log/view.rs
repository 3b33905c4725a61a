use super::{
    effects::{Handles, use_log},
    state::{Filter, Loaded, Log, Older},
    text,
};
use crate::{
    api::Api,
    live::Live,
    text::claims_verification,
    ui::{
        Again, Content as _, Element, Group as Nodes, Icon, Panel, alert, button, classed, div, element,
        group, moment, notice, p, picture, span, tag, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    history::{Activity, ActivityEvent},
    step_up::Group,
};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct ConfirmationsProps {
    pub api: Api,
    pub live: Live,
}

/// Everything that was confirmed, or was not.
#[component]
pub fn Confirmations(props: &ConfirmationsProps) -> Html {
    let handles = use_log(&props.api, &props.live);
    let now_ms = use_now(10_000);
    let content = match &*handles.log {
        Log::Failed(failure) => {
            let failure = alert("log-failure", &failure.words(), Some(Again::new(&handles.fetch)));
            group().with(div("inset").with(failure))
        }
        Log::Loaded(loaded) if loaded.filter == handles.filter => entries(loaded, &handles, now_ms),
        Log::Loading | Log::Loaded(_) => group().with(div("inset").with(waiting(Some(text::LOADING)))),
    };
    let switched_off = match &*handles.log {
        Log::Loaded(loaded) if !loaded.switched_off.is_empty() => {
            Some(notice(Tone::Wait, &text::switched_off(&loaded.switched_off)))
        }
        _ => None,
    };
    let panel = Panel { title: text::TITLE, id: "log", beside: Html::default() };
    let above = div("inset stack").with(p("muted").with(text::INTRO)).with(filters(&handles));
    group().with(switched_off).with(panel.show(group().with(above).with(content))).into_html()
}

fn filters(handles: &Handles) -> Element {
    let each = Filter::all().map(|filter| {
        let choose = {
            let choose = handles.choose.clone();
            Callback::from(move |()| choose.emit(filter))
        };
        let pressed = if filter == handles.filter { "true" } else { "false" };
        button("btn filter", choose).attr("aria-pressed", pressed).with(text::filter(filter))
    });
    div("filters").attr("role", "group").attr("aria-label", text::FILTERS).with_each(each)
}

fn entries(loaded: &Loaded, handles: &Handles, now_ms: u64) -> Nodes {
    if loaded.events.is_empty() {
        return group().with(p("inset muted").with(text::none(loaded.filter)));
    }
    let rows = loaded.events.iter().filter_map(|event| entry(event, loaded.claims_of(event.id), now_ms));
    let rows = classed("ol", "rows events").attr("role", "list").with_each(rows);
    let below = match &loaded.older {
        Older::None => p("small muted").with(text::BEGINNING).into_html(),
        Older::Failed(failure) => alert("older-failure", &failure.words(), Some(Again::new(&handles.older))),
        Older::There | Older::Fetching => div("actions")
            .with(button("btn", handles.older.clone()).with(text::OLDER))
            .with(waiting((loaded.older == Older::Fetching).then_some(text::LOADING_OLDER)))
            .into_html(),
    };
    group().with(rows).with(div("inset below").with(below))
}

/// The log holds nothing but step-ups.
fn entry(event: &ActivityEvent, claimed_by: Option<&str>, now_ms: u64) -> Option<Element> {
    let Activity::StepUp { action, outcome, sentence, code } = &event.what else { return None };
    let (tone, became) = text::outcome(*outcome, code.as_deref());
    let class = match tone {
        Tone::Broken => "event broken",
        Tone::Wait => "event wait",
        Tone::Plain | Tone::Held => "event",
    };
    let why = code.as_deref().and_then(text::why).map(|why| [why, "."].concat());
    let device = event.device.as_ref().map(|device| [", ", &device.browser, " on ", &device.system].concat());
    let kind = element("code").with(action.as_str());
    let what = div("row-what")
        .with(p("row-title").with(span("said").with(sentence.clone())))
        .with(p("small became").with(tag(tone, became)).with(why.map(|why| span("").with(why))))
        .with(claimed_by.map(|provider| p("small claimed").with(claims_verification(provider))))
        .with(p("small muted").with(moment(event.at_ms, now_ms)).with(device).with(", ").with(kind));
    let row = classed("li", class)
        .key(&event.id.to_string())
        .with(span("row-icon").with(picture(icon(action.group()))))
        .with(what);
    Some(row)
}

const fn icon(of: Group) -> Icon {
    match of {
        Group::Passkey | Group::Credential => Icon::Key,
        Group::AgentApprove | Group::Agent => Icon::Pulse,
        Group::Wallet => Icon::List,
        Group::Account => Icon::Person,
    }
}
