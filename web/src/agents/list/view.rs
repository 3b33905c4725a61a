use super::{
    effects::Handles,
    row::row,
    state::{Age, Agents, Done, Loaded, state_now},
};
use crate::{
    agents::text,
    browser,
    live::{Link, Live},
    store::use_value,
    text as words,
    ui::{
        Again, Content as _, Element, Focus, Group, Icon, Panel, alert, button, classed, component_of, div,
        element, group, moment, notice, p, picture, span, status, tag, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    agents::{AgentState, REFUSED},
    history::Activity,
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct ListPanelProps {
    pub(in crate::agents) handles: Handles,
    pub live: Live,
}

/// Every agent of the account.
#[component]
pub fn ListPanel(props: &ListPanelProps) -> Html {
    let ListPanelProps { handles, live } = props;
    let now_ms = use_now(5_000);
    let (beside, content) = match &*handles.agents {
        Agents::Loading => (Html::default(), div("inset").with(waiting(Some(text::LOADING))).into_html()),
        Agents::Failed(failure) => {
            let failure = alert("agents-failure", &failure.words(), Some(Again::new(&handles.fetch)));
            (Html::default(), div("inset").with(failure).into_html())
        }
        Agents::Loaded(loaded) => {
            (beside(loaded, live, now_ms), content(loaded, handles, live, now_ms).into_html())
        }
    };
    Panel { title: text::LIST_TITLE, id: "agents", beside }.show(content)
}

/// How many work, and whether what they do is seen at once.
fn beside(loaded: &Loaded, live: &Live, now_ms: u64) -> Html {
    if loaded.list.agents.is_empty() {
        return Html::default();
    }
    let works = |agent: &&_| state_now(agent, now_ms) == AgentState::Active;
    let number = loaded.list.agents.iter().filter(works).count();
    let (tone, said) = match live.link {
        Link::Proven { .. } => (Tone::Held, text::LIVE),
        _ => (Tone::Wait, text::NOT_LIVE),
    };
    group().with(span("small muted").with(text::at_work(number))).with(tag(tone, said)).into_html()
}

fn content(loaded: &Loaded, handles: &Handles, live: &Live, now_ms: u64) -> Group {
    let rows = loaded.list.agents.iter().map(|agent| row(agent, loaded, handles, now_ms));
    let rows = if loaded.list.agents.is_empty() {
        component_of::<Empty>((), None)
    } else {
        classed("ul", "rows").attr("role", "list").with_each(rows).into_html()
    };
    let stale = || {
        div("inset")
            .with(notice(Tone::Wait, text::STALE))
            .with(button("btn", handles.fetch.clone()).with(words::TRY_AGAIN))
    };
    group()
        .with(loaded.done.as_ref().map(done))
        .with((loaded.age == Age::Stale).then(stale))
        .with(news(live, now_ms))
        .with(rows)
}

/// The last thing that an agent was heard to do by itself, also what was refused to it.
fn news(live: &Live, now_ms: u64) -> Element {
    let heard = live.heard.iter().find_map(|event| match &event.what {
        Activity::Agent { sentence } if event.device.is_none() => Some((event.at_ms, sentence.clone())),
        _ => None,
    });
    let (when, sentence) = heard.map(|(at_ms, sentence)| (moment(at_ms, now_ms), sentence)).unzip();
    let said = sentence.map(|sentence: String| {
        if sentence.ends_with(REFUSED) {
            notice(Tone::Wait, &sentence)
        } else {
            p("small muted").with(sentence).into_html()
        }
    });
    // How long ago it was changes by itself, and is not to be read aloud each time.
    div("inset news")
        .with(div("").attr("role", "status").with(said))
        .with(when.map(|when| p("small muted").with(when)))
}

/// What came of the last thing that was done here.
fn done(done: &Done) -> Element {
    let said = match done {
        Done::Cut(agent, to) => text::cut(agent, *to),
        Done::Limited(agent) => text::limited(agent),
        Done::Revoked(agent) => text::revoked(agent),
        Done::TornDown(agent) => text::torn_down(agent),
    };
    div("inset")
        .attr("id", "done")
        .attr("role", "status")
        .attr("tabindex", "-1")
        .with(notice(Tone::Held, &said))
        .with(Focus::again_at("done", said))
}

/// What an agent is, and how one is paired.
#[component]
fn Empty() -> Html {
    let copied = use_value(|| None::<&'static str>);
    let line = text::sample(&browser::origin());
    let copy = {
        let (set, line) = (Rc::new(copied.setter()), line.clone());
        Callback::from(move |()| {
            let (set, line) = (set.clone(), line.clone());
            spawn_local(async move {
                let done = browser::copy(&line).await.is_ok();
                set.set(Some(if done { text::COPIED } else { text::NOT_COPIED }));
            });
        })
    };
    let steps = text::HOW.into_iter().map(|step| element("li").with(step));
    div("inset empty")
        .with(p("").with(element("strong").with(text::NONE)))
        .with(classed("ol", "how").with_each(steps))
        .with(p("small muted").with(text::SAMPLE))
        .with(classed("pre", "line").attr("tabindex", "0").with(element("code").with(line)))
        .with(
            div("actions")
                .with(button("btn", copy).with(picture(Icon::Copy)).with(text::COPY))
                .with(status(*copied)),
        )
        .into_html()
}
