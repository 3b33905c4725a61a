use super::state::{Action, Connections};
use crate::api::{Access, Api, Call};
use holdfast_protocol::{
    connections::{ConnectionList, EndConnectionRequest},
    ids::ConnectionId,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, UseReducerHandle, hook, use_effect_with, use_reducer};

#[hook]
pub(super) fn use_connections(api: &Api) -> (UseReducerHandle<Connections>, Callback<ConnectionId>) {
    let state = use_reducer(Connections::default);
    {
        let tell = state.dispatcher();
        use_effect_with(api.clone(), move |api| {
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
    let (api, tell) = (api.clone(), state.dispatcher());
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
