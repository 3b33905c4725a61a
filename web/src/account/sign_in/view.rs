use super::{
    effects::{Handles, use_sign_in},
    state::Phase,
};
use crate::{
    account::text,
    api::Api,
    session::{self, Notice},
    text as words,
    ui::{Field, Heading, alert, centre, notice, waiting},
};
use yew::prelude::{Callback, Html, Properties, component, html};

#[derive(Properties, PartialEq)]
pub struct SignInPageProps {
    pub api: Api,
    pub on_session: Callback<session::Action>,
    pub notice: Option<Notice>,
}

/// The passkey opens the console.
#[component]
pub fn SignInPage(props: &SignInPageProps) -> Html {
    let Handles { state, capabilities, sign_in } = use_sign_in(&props.api, &props.on_session);
    let going_on = match state.phase {
        Phase::Preparing => Some(text::FETCHING_OPTIONS),
        Phase::Prompting => Some(text::PROMPTING),
        Phase::Verifying => Some(text::CHECKING),
        Phase::Ready | Phase::Stuck => None,
    };
    let busy = matches!(state.phase, Phase::Prompting | Phase::Verifying).then_some("true");
    // What went wrong last says more than why the session before has ended.
    let first = match (&state.failure, props.notice) {
        (Some(failure), _) => alert("failure", &failure.words(), None),
        (None, Some(why)) => {
            let (tone, said) = text::notice(why);
            notice(tone, &said)
        }
        (None, None) => html! {},
    };
    let autofill = capabilities.filter(|capabilities| capabilities.autofill).map(|_| Field {
        autocomplete: "username webauthn",
        hint: Some(text::AUTOFILL_HINT),
        // Only the browser's own list is wanted from it; what is typed means nothing.
        ..Field::new("passkey", text::AUTOFILL_LABEL, "", Callback::noop())
    });
    centre(html! {
        <>
            <div class="lead">
                { Heading { text: text::SIGN_IN_TITLE, tab: text::SIGN_IN_TAB }.show() }
                <p class="muted">{ text::SIGN_IN_INTRO }</p>
            </div>
            { first }
            <div class="sign-in">
                <button type="button" class="btn primary wide" aria-disabled={busy}
                    onclick={move |_| sign_in.emit(())}>
                    { text::SIGN_IN }
                </button>
                if let Some(capabilities) = capabilities {
                    <p class="small muted">{ words::will_ask_to_sign_in(capabilities.will_ask()) }</p>
                }
                { waiting(going_on) }
                if let Some(autofill) = autofill {
                    <p class="or" aria-hidden="true"><span>{ text::OR }</span></p>
                    { autofill.show() }
                }
            </div>
        </>
    })
}
