use super::{
    effects::{Handles, use_setup},
    state::{Action, Phase, Place, Setup, TokenFrom},
};
use crate::{
    account::text,
    api::Api,
    browser, session, text as words,
    ui::{Field, Focus, Heading, Spelled, Step, Width, alert, shell, steps, waiting},
};
use web_sys::{MouseEvent, SubmitEvent};
use yew::prelude::{Callback, Html, Properties, component, html};

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
    shell(Width::Column, html! {}, content)
}

fn about_you(Handles { setup, submit, .. }: &Handles) -> Html {
    let Setup { form, faults, tries, phase, failure } = &**setup;
    let submit = submit.clone();
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        submit.emit(());
    });
    let typed = |action: fn(String) -> Action| {
        let tell = setup.dispatcher();
        Callback::from(move |value| tell.dispatch(action(value)))
    };
    let name = Field {
        autocomplete: "name",
        maxlength: Some("64"),
        fault: faults.name.map(str::to_owned),
        ..Field::new(Place::Name.id(), text::NAME, &form.name, typed(Action::NameTyped))
    };
    let email = Field {
        kind: "email",
        autocomplete: "email",
        maxlength: Some("254"),
        hint: Some(text::EMAIL_HINT),
        fault: faults.email.map(str::to_owned),
        ..Field::new(Place::Email.id(), text::EMAIL, &form.email, typed(Action::EmailTyped))
    };
    let token = (form.token_from == TokenFrom::Field).then(|| Field {
        spelled: Spelled::AsCode,
        hint: Some(text::TOKEN_HINT),
        fault: faults.token.map(str::to_owned),
        ..Field::new(Place::Token.id(), text::TOKEN, &form.token, typed(Action::TokenTyped))
    });
    let busy = *phase == Phase::Preparing;
    html! {
        <>
            { steps(Step::You) }
            <div class="lead">
                { Heading { text: text::SETUP_TITLE, tab: text::SETUP_TAB }.show() }
                <p class="muted">{ text::SETUP_INTRO }</p>
            </div>
            { failure.as_ref().map(|failure| alert("failure", &failure.words(), None)) }
            <form class="card form" novalidate={true} {onsubmit}>
                { name.show() }
                { email.show() }
                { token.map(Field::show) }
                <div class="actions">
                    <button type="submit" class="btn primary" aria-disabled={busy.then_some("true")}>
                        { text::CONTINUE }
                    </button>
                    { waiting(busy.then_some(text::FETCHING_OPTIONS)) }
                </div>
                if let Some(place) = faults.first() {
                    <Focus key="fault" id={place.id()} cue={tries.to_string()} />
                }
            </form>
        </>
    }
}

fn your_passkey(Handles { setup, will_ask, create, .. }: &Handles) -> Html {
    let Setup { form, phase, failure, .. } = &**setup;
    let create = create.clone();
    let back = {
        let (tell, phase) = (setup.dispatcher(), *phase);
        move |_: MouseEvent| {
            if phase == Phase::Ready {
                tell.dispatch(Action::Reconsidered);
            }
        }
    };
    let going_on = match phase {
        Phase::Preparing | Phase::Renewing => Some(text::FETCHING_OPTIONS),
        Phase::Prompting => Some(text::PROMPTING),
        Phase::Verifying => Some(text::CHECKING),
        Phase::Asking | Phase::Ready => None,
    };
    let busy = going_on.map(|_| "true");
    html! {
        <>
            { steps(Step::Passkey) }
            <div class="lead">
                { Heading { text: text::PASSKEY_TITLE, tab: text::PASSKEY_TAB }.show() }
                <p class="muted">{ text::PASSKEY_INTRO }</p>
            </div>
            { failure.as_ref().map(|failure| alert("failure", &failure.words(), None)) }
            <div class="card deed-card">
                <dl class="deed">
                    <dt>{ text::FOR }</dt>
                    <dd><strong>{ form.name.trim() }</strong><br />{ form.email.trim() }</dd>
                    <dt>{ text::AT }</dt>
                    <dd class="mono">{ browser::origin() }</dd>
                </dl>
                if let Some(will_ask) = will_ask { <p>{ words::will_ask_to_make(*will_ask) }</p> }
                <div class="actions">
                    <button type="button" class="btn primary" aria-disabled={busy} onclick={move |_| create.emit(())}>
                        { text::CREATE }
                    </button>
                    <button type="button" class="btn quiet" aria-disabled={busy} onclick={back}>{ text::BACK }</button>
                    { waiting(going_on) }
                </div>
            </div>
        </>
    }
}
