use super::{
    effects::{BESIDE, Handles, OPENER, SCREEN, use_terminal},
    state::{Closed, Line, Phase},
    text,
};
use crate::{
    api::Api,
    problem::Failure,
    step_up::Confirm,
    ui::{
        Content as _, Element, Group, Icon, Panel, alert, button, div, group, notice, p, picture, span,
        status, tag, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    account::{Me, Role},
    problem::Code,
};
use std::rc::Rc;
use yew::prelude::{Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct TerminalPanelProps {
    pub api: Api,
    pub me: Rc<Me>,
    pub confirm: Confirm,
}

/// A terminal, or how it is opened.
#[component]
pub fn TerminalPanel(props: &TerminalPanelProps) -> Html {
    let TerminalPanelProps { api, me, confirm } = props;
    let handles = use_terminal(api, &me.account, confirm);
    let (beside, content) = match &handles.terminal.phase {
        Phase::Open(line) => {
            let (tone, said) = text::line(*line);
            let spot = span("spot").attr("aria-hidden", "true");
            (tag(tone, group().with(spot).with(said)), open(*line, &handles))
        }
        Phase::Over(_) => (tag(Tone::Plain, text::OVER), over(&handles)),
        Phase::Closed(_) | Phase::Fetching | Phase::Confirming => (Html::default(), closed(me, &handles)),
    };
    Panel { title: text::TITLE, id: "terminal", beside }.show(content)
}

fn closed(me: &Me, handles: &Handles) -> Group {
    let words = div("inset stack").with(p("").with(text::WHAT)).with(p("muted").with(text::HOW));
    let below = match (&me.account.role, &handles.terminal.phase) {
        (Role::Member, _) => notice(Tone::Plain, text::MEMBER),
        (Role::Admin, Phase::Closed(Closed::Refused(failure))) if is_off(failure) => {
            alert("terminal-off", &text::off(), None)
        }
        (Role::Admin, phase) => {
            let failed = match phase {
                Phase::Closed(Closed::NotFetched) => Some(text::not_fetched()),
                Phase::Closed(Closed::Refused(failure)) => Some(failure.words()),
                _ => None,
            };
            let left = (*phase == Phase::Closed(Closed::Left)).then_some(text::LEFT);
            group()
                .with(failed.map(|words| alert("terminal-failure", &words, None)))
                .with(div("actions").with(opener(text::OPEN, handles)).with(under_way(handles)))
                .with(status(left))
                .into_html()
        }
    };
    group().with(words).with(div("inset stack").with(below))
}

/// Where terminals are off, there is nothing at that address.
fn is_off(failure: &Failure) -> bool {
    failure.code() == Some(Code::NotFound)
}

fn opener(label: &'static str, handles: &Handles) -> Element {
    let busy = !handles.terminal.is_at_rest();
    button("btn primary", handles.ask.clone())
        .attr("id", OPENER)
        .attr("aria-disabled", busy.then_some("true"))
        .with(label)
}

fn under_way(handles: &Handles) -> Html {
    waiting(match handles.terminal.phase {
        Phase::Fetching => Some(text::FETCHING),
        Phase::Confirming => Some(text::CONFIRMING),
        _ => None,
    })
}

fn open(line: Line, handles: &Handles) -> Group {
    let end = button("btn danger", handles.end.clone()).with(text::END);
    shown(handles, waiting(text::wait(line)), end, Html::default())
}

fn over(handles: &Handles) -> Group {
    let Phase::Over(over) = handles.terminal.phase else { return group() };
    let words = alert("terminal-over", &text::over(over), None);
    shown(handles, Html::default(), opener(text::OPEN_ANOTHER, handles), words)
}

/// The screen, which xterm.js fills, with the same things around it whether it lives or not.
fn shown(handles: &Handles, wait: Html, last: Element, over: Html) -> Group {
    let copy =
        button("btn", handles.copy.clone()).attr("id", BESIDE).with(picture(Icon::Copy)).with(text::COPY);
    // Nothing around the characters: xterm.js counts how many fit.
    let screen = div("terminal-screen").attr("id", SCREEN);
    group()
        .with(div("inset").with(wait).with(over))
        .with(div("terminal-frame").key(&handles.terminal.opened.to_string()).with(screen))
        .with(
            div("inset stack")
                .with(div("actions").with(copy).with(last).with(status(handles.terminal.copied)))
                .with(p("small muted").with(text::KEYS)),
        )
}
