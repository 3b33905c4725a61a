use super::{
    effects::{Before, Handles, first_list, use_codes},
    state::{Action, Codes, Phase, Shown},
    text,
};
use crate::{
    api::Api,
    browser, clock, session,
    ui::{
        Again, Content as _, Element, Field, Focus, Heading, Icon, Spelled, Step, alert, button, classed,
        div, element, form, group, notice, p, picture, status, steps, submit, use_now, waiting,
    },
    words::Tone,
};
use holdfast_protocol::account::Me;
use std::rc::Rc;
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct CodesStepProps {
    pub api: Api,
    pub me: Rc<Me>,
    pub on_session: Callback<session::Action>,
}

/// The wizard's third step: the codes, once.
#[component]
pub fn CodesStep(props: &CodesStepProps) -> Html {
    let email = &props.me.account.email;
    let handles = use_codes(email, first_list(&props.api, &props.on_session));
    let made = clock::date(use_now(600_000));
    let content = match &*handles.codes {
        Codes::Unable => notice(Tone::Broken, text::NO_RANDOMNESS),
        Codes::InForce => waiting(Some(text::KEEPING)),
        Codes::Shown(shown) => group()
            .with((handles.before == Before::OtherCodes).then(|| notice(Tone::Wait, text::NEW_ONES)))
            .with(sheet(shown, &handles, email, made))
            .with(type_back(shown, &handles))
            .into_html(),
    };
    let lead = Heading { text: text::TITLE, tab: text::LIST }.show();
    group()
        .with(steps(Step::Codes))
        .with(div("lead").with(lead).with(p("muted").with(text::INTRO)))
        .with(content)
        .into_html()
}

/// The list; on paper, the only thing of the page.
pub(super) fn sheet(shown: &Shown, handles: &Handles, email: &str, made: String) -> Element {
    let codes =
        shown.codes.iter().map(|code| element("li").with(element("code").with(code.grouped().to_string())));
    let way = |icon: Icon, label: &'static str, run: Callback<()>| {
        button("btn", run).with(picture(icon)).with(label)
    };
    let whose = p("")
        .with(email.to_owned())
        .with(element("br"))
        .with(browser::origin())
        .with(element("br"))
        .with(made);
    let paper = div("on-paper")
        .with(p("sheet-title").with(text::SHEET_TITLE))
        .with(whose)
        .with(p("").with(text::SHEET_BODY));
    let actions = div("actions inset")
        .with(way(Icon::Copy, text::COPY, handles.copy.clone()))
        .with(way(Icon::Down, text::DOWNLOAD, handles.download.clone()))
        .with(way(Icon::Printer, text::PRINT, Callback::from(|()| browser::print())))
        .with(status(shown.done));
    div("card sheet")
        .with(paper)
        .with(classed("ol", "codes").attr("aria-label", text::LIST).attr("role", "list").with_each(codes))
        .with(actions)
}

/// The question that shows who has kept them.
pub(super) fn type_back(shown: &Shown, handles: &Handles) -> Element {
    let Shown { asked, typed, fault, tries, phase, .. } = shown;
    let number = asked + 1;
    let on_input = {
        let tell = handles.codes.teller();
        Callback::from(move |typed| tell.dispatch(Action::Typed(typed)))
    };
    let label = text::ask(number);
    let field = Field {
        spelled: Spelled::AsCode,
        hint: Some(text::HINT),
        fault: fault.map(|fault| text::fault(fault, number)),
        ..Field::new("typed", &label, typed, on_input)
    };
    let busy = *phase == Phase::Keeping;
    let failure = match phase {
        Phase::Failed(failure) => {
            Some(alert("keep-failure", &failure.words(), Some(Again::new(&handles.submit))))
        }
        Phase::Showing | Phase::Keeping => None,
    };
    form("type-back", handles.submit.clone())
        .with(field.show())
        .with(submit("btn primary").attr("aria-disabled", busy.then_some("true")).with(text::KEPT))
        .with(waiting(busy.then_some(text::KEEPING)))
        .with(failure)
        .with(fault.map(|_| Focus::again_at("typed", tries.to_string())))
}
