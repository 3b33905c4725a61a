use super::state::{Action, Passkeys};
use crate::api::{Access, Api, Call};
use crate::store::{Store, use_effect_of, use_kept, use_store};
use holdfast_protocol::{
    ids::PasskeyId,
    passkeys::{PasskeyList, RenameRequest},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

/// What the view needs.
pub(super) struct Handles {
    pub(super) passkeys: Store<Passkeys>,
    pub(super) fetch: Callback<()>,
    pub(super) rename: Callback<(PasskeyId, String)>,
}

/// Fetches the list, and again whenever `changes` rises.
#[hook]
pub(super) fn use_passkeys(api: &Api, changes: usize) -> Handles {
    let passkeys = use_store(|| Passkeys::Loading);
    let fetch = {
        let tell = passkeys.teller();
        use_kept(api.clone(), move |api: &Api| {
            let (api, tell) = (api.clone(), tell.clone());
            Callback::from(move |()| {
                let (api, tell) = (api.clone(), tell.clone());
                spawn_local(async move {
                    let list = api.call::<PasskeyList>(Call::get("/v1/passkey", Access::SignedIn)).await;
                    tell.dispatch(match list {
                        Ok(list) => Action::Fetched(list.passkeys),
                        Err(failure) => Action::CouldNotFetch(failure),
                    });
                });
            })
        })
    };
    {
        let fetch = fetch.clone();
        use_effect_of(changes, move |_| fetch.emit(()));
    }
    let (api, tell) = (api.clone(), passkeys.teller());
    let rename = Callback::from(move |(id, name): (PasskeyId, String)| {
        let (api, tell) = (api.clone(), tell.clone());
        spawn_local(async move {
            let request = RenameRequest { id: id.clone(), name: name.clone() };
            let call = Call::post("/v1/passkey/rename", Access::SignedIn, &request);
            tell.dispatch(match api.call::<()>(call).await {
                Ok(()) => Action::Renamed(id, name),
                Err(failure) => Action::CouldNotRename(failure),
            });
        });
    });
    Handles { passkeys, fetch, rename }
}
