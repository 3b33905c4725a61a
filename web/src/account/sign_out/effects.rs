use super::state::{Action, Leaving};
use crate::store::{Store, use_store};
use crate::{
    api::{Access, Api, Call},
    session::{self, Notice},
};
use holdfast_protocol::{
    account::{LogoutRequest, LogoutScope},
    problem::Code,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

#[hook]
pub(super) fn use_sign_out(
    api: &Api,
    on_session: &Callback<session::Action>,
) -> (Store<Leaving>, Callback<LogoutScope>) {
    let leaving = use_store(|| Leaving::Not);
    let tell = leaving.teller();
    let (api, on_session) = (api.clone(), on_session.clone());
    let sign_out = Callback::from(move |scope| {
        let (api, on_session, tell) = (api.clone(), on_session.clone(), tell.clone());
        tell.dispatch(Action::Began(scope));
        spawn_local(async move {
            let call = Call::post("/v1/logout", Access::SignedIn, &LogoutRequest { scope });
            match api.ask::<()>(call).await {
                Ok(()) => {}
                Err(failure) if failure.code() == Some(Code::SignedOut) => {
                    // It ended before: nothing is left to protect here, and nothing was ended elsewhere.
                    if scope == LogoutScope::Everywhere {
                        return on_session.emit(session::Action::FoundSignedOut(Code::SignedOut));
                    }
                }
                Err(failure) => return tell.dispatch(Action::CouldNot(scope, failure)),
            }
            on_session.emit(session::Action::SignedOut(Notice::SignedOutHere));
            if let Err(error) = api.pop().destroy().await {
                on_session.emit(session::Action::FoundBrowserUnable(error.into()));
            }
        });
    });
    (leaving, sign_out)
}
