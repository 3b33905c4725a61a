use super::state::{Action, Connections};
use crate::api::{Access, Api, Call};
use crate::store::{Store, use_effect_of, use_store};
use holdfast_protocol::{
    connections::{ConnectionList, EndConnectionRequest},
    ids::ConnectionId,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

#[hook]
pub(super) fn use_connections(api: &Api) -> (Store<Connections>, Callback<ConnectionId>) {
    let state = use_store(Connections::default);
    {
        let tell = state.teller();
        use_effect_of(api.clone(), move |api| {
            let api = api.clone();
            spawn_local(async move {
                let list = api.call::<ConnectionList>(Call::get("/v1/connections", Access::SignedIn)).await;
                tell.dispatch(match list {
                    Ok(list) => Action::Fetched(list.connections),
                    Err(failure) => Action::CouldNotFetch(failure),
                });
            });
        });
    }
    let (api, tell) = (api.clone(), state.teller());
    let end = Callback::from(move |id: ConnectionId| {
        let (api, tell) = (api.clone(), tell.clone());
        tell.dispatch(Action::EndAsked(id.clone()));
        spawn_local(async move {
            let request = EndConnectionRequest { id: id.clone() };
            let call = Call::post("/v1/connections/end", Access::SignedIn, &request);
            tell.dispatch(match api.call::<()>(call).await {
                Ok(()) => Action::Ended(id),
                Err(failure) => Action::CouldNotEnd(id, failure),
            });
        });
    });
    (state, end)
}
