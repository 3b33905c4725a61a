use super::{
    effects::use_sign_out,
    state::{Action, Leaving},
};
use crate::{
    account::text,
    api::Api,
    session, text as words,
    ui::{Again, Modal, alert, waiting},
};
use holdfast_protocol::account::LogoutScope;
use yew::prelude::{Callback, Html, Properties, component, html};

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
        let tell = leaving.dispatcher();
        Callback::from(move |()| tell.dispatch(action.clone()))
    };
    let (ask, stay, everywhere) = (told(Action::Asked), told(Action::Stayed), told(Action::ChoseEverywhere));
    let button = |class: &'static str, label: &'static str, on: Callback<()>| {
        html! { <button type="button" {class} onclick={move |_| on.emit(())}>{ label }</button> }
    };
    let leave = |scope| {
        let sign_out = sign_out.clone();
        Callback::from(move |()| sign_out.emit(scope))
    };
    let dialog = match &*leaving {
        Leaving::Not => None,
        Leaving::Choosing => Some(html! {
            <Modal key="choose" id="sign-out" opener={OPENER} title={text::SIGN_OUT} on_close={stay.clone()}>
                <p>{ text::SIGN_OUT_BODY }</p>
                if props.at_stake == AtStake::RecoveryCodes { <p class="fault">{ text::SIGN_OUT_CODES }</p> }
                <div class="stack">
                    { button("btn primary", text::SIGN_OUT_HERE, leave(LogoutScope::ThisBrowser)) }
                    { button("btn danger", text::SIGN_OUT_EVERYWHERE, everywhere) }
                    { button("btn quiet", text::STAY, stay) }
                </div>
            </Modal>
        }),
        Leaving::Confirming => Some(html! {
            <Modal key="confirm" id="sign-out-everywhere" opener={OPENER} title={text::EVERYWHERE_TITLE} on_close={stay.clone()}>
                <p>{ text::EVERYWHERE_BODY }</p>
                <div class="stack">
                    { button("btn danger", text::SIGN_OUT_EVERYWHERE, leave(LogoutScope::Everywhere)) }
                    { button("btn quiet", words::CANCEL, stay) }
                </div>
            </Modal>
        }),
        Leaving::Ending(_) => Some(html! {
            <Modal key="ending" id="signing-out" opener={OPENER} title={text::SIGN_OUT} on_close={stay}>
                { waiting(Some(text::ENDING)) }
            </Modal>
        }),
        Leaving::Failed(scope, failure) => Some(html! {
            <Modal key="failed" id="sign-out-failed" opener={OPENER} title={text::SIGN_OUT} on_close={stay.clone()}>
                { alert("sign-out-failure", &failure.words(), Some(Again::new(&leave(*scope)))) }
                { button("btn quiet", text::STAY, stay) }
            </Modal>
        }),
    };
    html! {
        <>
            <button id={OPENER} type="button" class="btn quiet" aria-haspopup="dialog" onclick={move |_| ask.emit(())}>
                { text::SIGN_OUT }
            </button>
            { dialog }
        </>
    }
}
