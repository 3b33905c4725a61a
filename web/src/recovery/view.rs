use super::{
    effects::{Before, Handles, use_codes},
    state::{Action, Codes, Phase, Shown},
    text,
};
use crate::{
    api::Api,
    browser, clock, session,
    ui::{
        Again, Field, Focus, Heading, Icon, Spelled, Step, alert, notice, picture, status, steps, use_now,
        waiting,
    },
    words::Tone,
};
use holdfast_protocol::account::Me;
use std::rc::Rc;
use web_sys::SubmitEvent;
use yew::prelude::{Callback, Html, Properties, component, html};

#[derive(Properties, PartialEq)]
pub struct CodesStepProps {
    pub api: Api,
    pub me: Rc<Me>,
    pub on_session: Callback<session::Action>,
}

/// The wizard's third step: the codes, once.
#[component]
pub fn CodesStep(props: &CodesStepProps) -> Html {
    let handles = use_codes(&props.api, &props.me, &props.on_session);
    let made = clock::date(use_now(600_000));
    let content = match &*handles.codes {
        Codes::Unable => notice(Tone::Broken, text::NO_RANDOMNESS),
        Codes::InForce => waiting(Some(text::KEEPING)),
        Codes::Shown(shown) => html! {
            <>
                if handles.before == Before::OtherCodes { { notice(Tone::Wait, text::NEW_ONES) } }
                { sheet(shown, &handles, &props.me.account.email, &made) }
                { type_back(shown, &handles) }
            </>
        },
    };
    html! {
        <>
            { steps(Step::Codes) }
            <div class="lead">
                { Heading { text: text::TITLE, tab: text::LIST }.show() }
                <p class="muted">{ text::INTRO }</p>
            </div>
            { content }
        </>
    }
}

/// The list; on paper, the only thing of the page.
fn sheet(shown: &Shown, handles: &Handles, email: &str, made: &str) -> Html {
    let codes = shown.codes.iter().map(|code| html! { <li><code>{ code.grouped() }</code></li> });
    let button = |icon: Icon, label: &'static str, run: Callback<()>| {
        html! {
            <button type="button" class="btn" onclick={move |_| run.emit(())}>{ picture(icon) }{ label }</button>
        }
    };
    html! {
        <div class="card sheet">
            <div class="on-paper">
                <p class="sheet-title">{ text::SHEET_TITLE }</p>
                <p>{ email }<br />{ browser::origin() }<br />{ made }</p>
                <p>{ text::SHEET_BODY }</p>
            </div>
            <ol class="codes" aria-label={text::LIST} role="list">{ for codes }</ol>
            <div class="actions inset">
                { button(Icon::Copy, text::COPY, handles.copy.clone()) }
                { button(Icon::Down, text::DOWNLOAD, handles.download.clone()) }
                { button(Icon::Printer, text::PRINT, Callback::from(|()| browser::print())) }
                { status(shown.done) }
            </div>
        </div>
    }
}

fn type_back(shown: &Shown, handles: &Handles) -> Html {
    let Shown { asked, typed, fault, tries, phase, .. } = shown;
    let number = asked + 1;
    let on_input = {
        let tell = handles.codes.dispatcher();
        Callback::from(move |typed| tell.dispatch(Action::Typed(typed)))
    };
    let onsubmit = {
        let submit = handles.submit.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            submit.emit(());
        })
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
        Phase::Failed(failure) => alert("keep-failure", &failure.words(), Some(Again::new(&handles.submit))),
        Phase::Showing | Phase::Keeping => html! {},
    };
    html! {
        <form class="type-back" novalidate={true} {onsubmit}>
            { field.show() }
            <button type="submit" class="btn primary" aria-disabled={busy.then_some("true")}>{ text::KEPT }</button>
            { waiting(busy.then_some(text::KEEPING)) }
            { failure }
            if fault.is_some() { <Focus id="typed" cue={tries.to_string()} /> }
        </form>
    }
}
