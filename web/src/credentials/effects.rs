use super::state::{Action, Credentials, Place};
use crate::store::{Store, Tell, use_effect_of, use_kept, use_store};
use crate::{
    api::{Access, Api, Call},
    browser,
    problem::Failure,
    step_up::{Confirm, Stopped},
};
use holdfast_pop::PopError;
use holdfast_protocol::{
    agents::AgentList,
    base64url::Bytes,
    commitment::{Opening, SALT_BYTES},
    credentials::{CredentialList, Removal, Storing},
    problem::Code,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

/// The field of the value, which is kept nowhere else.
pub(super) const VALUE: &str = "credential-value";
/// Stores it, and gets the focus back.
pub(super) const SEND: &str = "credential-store";
/// The heading of the list, which stays when an entry of it goes.
pub(super) const LIST: &str = "credentials";

/// What the view needs.
pub(super) struct Handles {
    pub(super) credentials: Store<Credentials>,
    pub(super) fetch: Callback<()>,
    pub(super) store: Callback<()>,
    pub(super) remove: Callback<Place>,
}

#[hook]
pub(super) fn use_credentials(api: &Api, confirm: &Confirm) -> Handles {
    let credentials = use_store(Credentials::new);
    let fetch = {
        let tell = credentials.teller();
        use_kept(api.clone(), move |api: &Api| {
            let (api, tell) = (api.clone(), tell.clone());
            Callback::from(move |()| {
                let (api, tell) = (api.clone(), tell.clone());
                spawn_local(async move { look(&api, &tell).await });
            })
        })
    };
    {
        let fetch = fetch.clone();
        use_effect_of(api.clone(), move |_| fetch.emit(()));
    }
    let store = {
        let (credentials, confirm, fetch) = (credentials.clone(), confirm.clone(), fetch.clone());
        Callback::from(move |()| {
            let (latest, tell) = (credentials.latest(), credentials.teller());
            if latest.is_busy() {
                return;
            }
            let value = browser::typed(VALUE).unwrap_or_default();
            let place = match latest.form.check(&value) {
                Ok(place) => place,
                Err(fault) => return tell.dispatch(Action::FoundFault(fault)),
            };
            let Some(salt) = browser::random::<SALT_BYTES>() else {
                return tell.dispatch(Action::CouldNotStore(PopError::NotSupported.into()));
            };
            tell.dispatch(Action::StoringBegan);
            let opening = Opening { salt: Bytes(salt.to_vec()), value: Bytes(value.into_bytes()) };
            let Place { name, channel } = place.clone();
            let storing = Storing { name, channel, commitment: opening.commitment() };
            let (confirm, fetch) = (confirm.clone(), fetch.clone());
            spawn_local(async move {
                tell.dispatch(match confirm.perform::<_, ()>(storing, Some(opening), SEND).await {
                    Ok(()) => {
                        fetch.emit(());
                        Action::Stored(place)
                    }
                    Err(Stopped::Left) => Action::StoringLeft,
                    Err(Stopped::Failed(failure)) => Action::CouldNotStore(failure),
                });
            });
        })
    };
    let remove = {
        let (credentials, confirm, fetch) = (credentials.clone(), confirm.clone(), fetch.clone());
        Callback::from(move |place: Place| {
            if credentials.latest().is_busy() {
                return;
            }
            let (tell, confirm, fetch) = (credentials.teller(), confirm.clone(), fetch.clone());
            tell.dispatch(Action::RemovalBegan(place.clone()));
            let Place { name, channel } = place;
            spawn_local(async move {
                let removed = confirm.perform::<_, ()>(Removal { name, channel }, None, LIST).await;
                tell.dispatch(match removed {
                    Ok(()) => Action::Removed,
                    Err(Stopped::Left) => Action::RemovalLeft,
                    Err(Stopped::Failed(failure)) => {
                        if failure.code() == Some(Code::NotFound) {
                            fetch.emit(());
                        }
                        Action::CouldNotRemove(failure)
                    }
                });
            });
        })
    };
    Handles { credentials, fetch, store, remove }
}

async fn look(api: &Api, tell: &Tell<Credentials>) {
    tell.dispatch(match lists(api).await {
        Ok((list, agents)) => Action::Fetched(list.credentials, agents.agents),
        Err(failure) => Action::CouldNotFetch(failure),
    });
}

/// The credentials, and the agents whose they are.
async fn lists(api: &Api) -> Result<(CredentialList, AgentList), Failure> {
    let list = api.call(Call::get("/v1/credentials", Access::SignedIn)).await?;
    Ok((list, api.call(Call::get("/v1/agents", Access::SignedIn)).await?))
}
