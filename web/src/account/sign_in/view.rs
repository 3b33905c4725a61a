use super::{
    effects::{Handles, use_sign_in},
    state::Phase,
};
use crate::{
    account::text,
    api::Api,
    session::{self, Notice},
    text as words,
    ui::{Field, Heading, alert, button, centre, div, group, hidden, notice, p, span, waiting},
};
use yew::prelude::{Callback, Html, Properties, component};

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
        (None, None) => Html::default(),
    };
    let autofill = capabilities.filter(|capabilities| capabilities.autofill).map(|_| Field {
        autocomplete: "username webauthn",
        hint: Some(text::AUTOFILL_HINT),
        // Only the browser's own list is wanted from it; what is typed means nothing.
        ..Field::new("passkey", text::AUTOFILL_LABEL, "", Callback::noop())
    });
    let will_ask = capabilities.map(|capabilities| words::will_ask_to_sign_in(capabilities.will_ask()));
    let autofill =
        autofill.map(|field| group().with(hidden(p("or")).with(span("").with(text::OR))).with(field.show()));
    let ways = div("sign-in")
        .with(button("btn primary wide", sign_in).attr("aria-disabled", busy).with(text::SIGN_IN))
        .with(will_ask.map(|said| p("small muted").with(said)))
        .with(waiting(going_on))
        .with(autofill);
    let lead = Heading { text: text::SIGN_IN_TITLE, tab: text::SIGN_IN_TAB }.show();
    centre(
        group()
            .with(div("lead").with(lead).with(p("muted").with(text::SIGN_IN_INTRO)))
            .with(first)
            .with(ways),
    )
}
