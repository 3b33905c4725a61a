use super::{
    effects::use_sign_out,
    state::{Action, Leaving},
};
use crate::{
    account::text,
    api::Api,
    session, text as words,
    ui::{Again, Content as _, Group, Modal, alert, button, div, group, p, waiting},
};
use holdfast_protocol::account::LogoutScope;
use yew::prelude::{Callback, Html, Properties, component};

/// What leaving now would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtStake {
    /// Nothing.
    Nothing,
    /// The codes on the screen.
    RecoveryCodes,
}

const OPENER: &str = "sign-out-button";

#[derive(Properties, PartialEq)]
pub struct SignOutProps {
    pub api: Api,
    pub on_session: Callback<session::Action>,
    /// What would be lost by leaving now.
    pub at_stake: AtStake,
}

/// The button in the bar, and the dialogs behind it.
#[component]
pub fn SignOut(props: &SignOutProps) -> Html {
    let (leaving, sign_out) = use_sign_out(&props.api, &props.on_session);
    let told = |action: Action| {
        let tell = leaving.teller();
        Callback::from(move |()| tell.dispatch(action.clone()))
    };
    let (ask, stay, everywhere) = (told(Action::Asked), told(Action::Stayed), told(Action::ChoseEverywhere));
    let leave = |scope| {
        let sign_out = sign_out.clone();
        Callback::from(move |()| sign_out.emit(scope))
    };
    let dialog = |id, title, content: Group| Some(Modal::open(id, OPENER, title, stay.clone(), content));
    let quiet = |label: &'static str| button("btn quiet", stay.clone()).with(label);
    let dialog = match &*leaving {
        Leaving::Not => None,
        Leaving::Choosing => {
            let codes =
                (props.at_stake == AtStake::RecoveryCodes).then(|| p("fault").with(text::SIGN_OUT_CODES));
            let here = button("btn primary", leave(LogoutScope::ThisBrowser)).with(text::SIGN_OUT_HERE);
            let everywhere = button("btn danger", everywhere).with(text::SIGN_OUT_EVERYWHERE);
            let ways = div("stack").with(here).with(everywhere).with(quiet(text::STAY));
            let said = p("").with(text::SIGN_OUT_BODY);
            dialog("sign-out", text::SIGN_OUT, group().with(said).with(codes).with(ways))
        }
        Leaving::Confirming => {
            let end = button("btn danger", leave(LogoutScope::Everywhere)).with(text::SIGN_OUT_EVERYWHERE);
            let ways = div("stack").with(end).with(quiet(words::CANCEL));
            let said = p("").with(text::EVERYWHERE_BODY);
            dialog("sign-out-everywhere", text::EVERYWHERE_TITLE, group().with(said).with(ways))
        }
        Leaving::Ending(_) => {
            dialog("signing-out", text::SIGN_OUT, group().with(waiting(Some(text::ENDING))))
        }
        Leaving::Failed(scope, failure) => {
            let failure = alert("sign-out-failure", &failure.words(), Some(Again::new(&leave(*scope))));
            dialog("sign-out-failed", text::SIGN_OUT, group().with(failure).with(quiet(text::STAY)))
        }
    };
    let opener = button("btn quiet", ask).attr("id", OPENER).attr("aria-haspopup", "dialog");
    group().with(opener.with(text::SIGN_OUT)).with(dialog).into_html()
}
