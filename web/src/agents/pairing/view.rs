use super::{
    effects::{Handles, PAIR, use_pairing},
    state::{Action, Asked, Found, Origin, Pairing, Phase},
};
use crate::{
    agents::{fields::fields, text},
    api::Api,
    step_up::Confirm,
    ui::{
        Again, Content as _, Element, Field, Focus, Panel, Spelled, alert, button, classed, div, element,
        form, group, notice, p, span, submit, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    agents::{AgentView, PairingView},
    step_up::quoted,
};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct PairingPanelProps {
    pub api: Api,
    pub confirm: Confirm,
    /// As the list has them.
    pub agents: Vec<AgentView>,
}

/// From a code to an agent.
#[component]
pub fn PairingPanel(props: &PairingPanelProps) -> Html {
    let now_ms = use_now(5_000);
    let handles = use_pairing(&props.api, &props.confirm, &props.agents, now_ms);
    let content = match &*handles.pairing {
        Pairing::Asked(asked) => ask(asked, &handles),
        Pairing::Found(found) => decide(found, &handles, now_ms),
    };
    Panel { title: text::PAIR_TITLE, id: "pair", beside: Html::default() }.show(content)
}

fn ask(asked: &Asked, handles: &Handles) -> Html {
    let on_input = {
        let tell = handles.pairing.teller();
        Callback::from(move |typed| tell.dispatch(Action::Typed(typed)))
    };
    let fault = match &asked.phase {
        Phase::Faulty(fault) => Some((*fault).to_owned()),
        _ => None,
    };
    let failure = match &asked.phase {
        Phase::Failed(failure) => {
            let again = failure.may_pass().then(|| Again::new(&handles.look));
            Some(alert("look-failure", &text::not_found(failure), again))
        }
        _ => None,
    };
    let busy = asked.phase == Phase::Busy;
    let focus = fault.as_ref().map(|_| Focus::again_at("code", asked.tries.to_string()));
    let field = Field {
        spelled: Spelled::AsCode,
        hint: Some(text::CODE_HINT),
        maxlength: Some("24"),
        fault,
        ..Field::new("code", text::CODE, &asked.typed, on_input)
    };
    let from_link = (asked.origin == Origin::Link).then(|| notice(Tone::Wait, text::CODE_FROM_LINK));
    let paired = asked.paired.as_ref().map(|paired| {
        div("inset paired")
            .attr("id", "paired")
            .attr("role", "status")
            .attr("tabindex", "-1")
            .with(notice(Tone::Held, &text::paired(&paired.agent, paired.stands)))
            .with(Focus::at("paired"))
    });
    let enter = form("form look", handles.look.clone())
        .with(from_link)
        .with(field.show())
        .with(submit("btn primary").attr("aria-disabled", busy.then_some("true")).with(text::LOOK))
        .with(waiting(busy.then_some(text::LOOKING)))
        .with(failure)
        .with(focus);
    group().with(paired).with(enter).into_html()
}

fn decide(found: &Found, handles: &Handles, now_ms: u64) -> Html {
    let Found { asks, form: filled, phase } = found;
    let heading = element("h3").attr("id", "asks").attr("tabindex", "-1").with(text::ASKS);
    let who = div("inset asks").with(heading).with(Focus::at("asks")).with(facts(asks, now_ms));
    let busy = *phase == Phase::Busy;
    let decision = if found.is_over(now_ms) {
        over(phase, handles)
    } else {
        let changed = {
            let tell = handles.pairing.teller();
            Callback::from(move |change| tell.dispatch(Action::Changed(change)))
        };
        let actions = div("actions")
            .with(
                submit("btn primary")
                    .attr("id", PAIR)
                    .attr("aria-disabled", busy.then_some("true"))
                    .with(text::PAIR),
            )
            .with(
                button("btn", handles.leave.clone())
                    .attr("aria-disabled", busy.then_some("true"))
                    .with(text::NOT_MINE),
            )
            .with(waiting(busy.then_some(text::PAIRING)));
        let failure = match phase {
            Phase::Failed(failure) => Some(alert("pair-failure", &failure.words(), None)),
            _ => None,
        };
        form("form", handles.approve.clone())
            .with(notice(Tone::Wait, text::OWN_WORDS))
            .with(element("h3").with(text::DECIDE))
            .with(fields(filled, None, now_ms, &changed))
            .with(p("small muted").with(text::BY_PASSKEY))
            .with(actions)
            .with(failure)
    };
    group().with(who).with(decision).into_html()
}

/// The code leads nowhere any more. Where nobody has pressed anything, the focus stays where it is.
fn over(phase: &Phase, handles: &Handles) -> Element {
    let (label, run) = (text::ANOTHER_CODE, handles.leave.clone());
    let said = match phase {
        Phase::Failed(_) => alert("code-over", &text::PAIRING_OVER, Some(Again { label, run })),
        Phase::Open | Phase::Faulty(_) | Phase::Busy => {
            let said = [&*text::PAIRING_OVER.what, " ", &*text::PAIRING_OVER.way_on].concat();
            let way_on = div("actions").with(button("btn", run).with(label));
            group().with(notice(Tone::Wait, &said)).with(way_on).into_html()
        }
    };
    div("inset stack").with(said)
}

/// Who asks, and for what.
fn facts(asks: &PairingView, now_ms: u64) -> Element {
    let fact = |what: &'static str, said: Html| {
        div("").with(element("dt").with(what)).with(element("dd").with(said))
    };
    let code = group().with(span("mono").with(asks.code.as_str().to_owned())).with(text::lives(asks, now_ms));
    classed("dl", "facts")
        .with(fact(text::CALLS_ITSELF, quoted(&asks.name).into_html()))
        .with(fact(text::ID, span("mono").with(asks.agent.as_str().to_owned()).into_html()))
        .with(fact(text::WANTS, text::wants(asks).into_html()))
        .with(fact(text::FROM, text::source(asks.source).into_html()))
        .with(fact(text::SHOWS, code.into_html()))
}
