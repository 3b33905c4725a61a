use super::{
    effects::{Handles, use_setup},
    state::{Action, Phase, Place, Setup, TokenFrom},
};
use crate::{
    account::text,
    api::Api,
    browser, session, text as words,
    ui::{
        Content as _, Field, Focus, Heading, Spelled, Step, Width, alert, button, classed, div, element,
        form, group, p, shell, steps, submit, waiting,
    },
};
use yew::prelude::{Callback, Html, Properties, component};

#[derive(Properties, PartialEq)]
pub struct SetupPageProps {
    pub api: Api,
    pub on_session: Callback<session::Action>,
}

/// The first account, made here once.
#[component]
pub fn SetupPage(props: &SetupPageProps) -> Html {
    let handles = use_setup(&props.api, &props.on_session);
    let content = match handles.setup.phase {
        Phase::Asking | Phase::Preparing => about_you(&handles),
        _ => your_passkey(&handles),
    };
    shell(Width::Column, Html::default(), content)
}

fn about_you(handles: &Handles) -> Html {
    let setup = &handles.setup;
    let Setup { form: filled, faults, tries, phase, failure } = &**setup;
    let typed = |action: fn(String) -> Action| {
        let tell = setup.teller();
        Callback::from(move |value| tell.dispatch(action(value)))
    };
    let name = Field {
        autocomplete: "name",
        maxlength: Some("64"),
        fault: faults.name.map(str::to_owned),
        ..Field::new(Place::Name.id(), text::NAME, &filled.name, typed(Action::NameTyped))
    };
    let email = Field {
        kind: "email",
        autocomplete: "email",
        maxlength: Some("254"),
        hint: Some(text::EMAIL_HINT),
        fault: faults.email.map(str::to_owned),
        ..Field::new(Place::Email.id(), text::EMAIL, &filled.email, typed(Action::EmailTyped))
    };
    let token = (filled.token_from == TokenFrom::Field).then(|| Field {
        spelled: Spelled::AsCode,
        hint: Some(text::TOKEN_HINT),
        fault: faults.token.map(str::to_owned),
        ..Field::new(Place::Token.id(), text::TOKEN, &filled.token, typed(Action::TokenTyped))
    });
    let busy = *phase == Phase::Preparing;
    let actions = div("actions")
        .with(submit("btn primary").attr("aria-disabled", busy.then_some("true")).with(text::CONTINUE))
        .with(waiting(busy.then_some(text::FETCHING_OPTIONS)));
    let form = form("card form", handles.submit.clone())
        .with(name.show())
        .with(email.show())
        .with(token.map(Field::show))
        .with(actions)
        .with(faults.first().map(|place| Focus::again_at(place.id(), tries.to_string())));
    let lead = Heading { text: text::SETUP_TITLE, tab: text::SETUP_TAB }.show();
    group()
        .with(steps(Step::You))
        .with(div("lead").with(lead).with(p("muted").with(text::SETUP_INTRO)))
        .with(failure.as_ref().map(|failure| alert("failure", &failure.words(), None)))
        .with(form)
        .into_html()
}

fn your_passkey(Handles { setup, will_ask, create, .. }: &Handles) -> Html {
    let Setup { form, phase, failure, .. } = &**setup;
    let back = {
        let (tell, phase) = (setup.teller(), *phase);
        Callback::from(move |()| {
            if phase == Phase::Ready {
                tell.dispatch(Action::Reconsidered);
            }
        })
    };
    let going_on = match phase {
        Phase::Preparing | Phase::Renewing => Some(text::FETCHING_OPTIONS),
        Phase::Prompting => Some(text::PROMPTING),
        Phase::Verifying => Some(text::CHECKING),
        Phase::Asking | Phase::Ready => None,
    };
    let busy = going_on.map(|_| "true");
    let whom = element("dd")
        .with(element("strong").with(form.name.trim().to_owned()))
        .with(element("br"))
        .with(form.email.trim().to_owned());
    let deed = classed("dl", "deed")
        .with(element("dt").with(text::FOR))
        .with(whom)
        .with(element("dt").with(text::AT))
        .with(classed("dd", "mono").with(browser::origin()));
    let actions = div("actions")
        .with(button("btn primary", create.clone()).attr("aria-disabled", busy).with(text::CREATE))
        .with(button("btn quiet", back).attr("aria-disabled", busy).with(text::BACK))
        .with(waiting(going_on));
    let card = div("card deed-card")
        .with(deed)
        .with(will_ask.map(|will_ask| p("").with(words::will_ask_to_make(will_ask))))
        .with(actions);
    let lead = Heading { text: text::PASSKEY_TITLE, tab: text::PASSKEY_TAB }.show();
    group()
        .with(steps(Step::Passkey))
        .with(div("lead").with(lead).with(p("muted").with(text::PASSKEY_INTRO)))
        .with(failure.as_ref().map(|failure| alert("failure", &failure.words(), None)))
        .with(card)
        .into_html()
}
