use super::state::{Action, History, Older};
use crate::store::{Store, use_effect_of, use_kept, use_store};
use crate::{
    api::{Access, Api, Call},
    live::Live,
};
use holdfast_protocol::history::{ActivityEvent, ActivityPage};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

const PATH: &str = "/v1/activity";

/// What happened, for the panels that show it.
#[derive(Clone, PartialEq)]
pub struct HistoryHandle {
    pub(super) history: Store<History>,
    /// Everything known, the newest first.
    pub(super) events: Vec<ActivityEvent>,
    pub(super) fetch: Callback<()>,
    pub(super) older: Callback<()>,
}

/// Fetches the newest events, and again each time that the stream comes back.
#[hook]
pub fn use_history(api: &Api, live: &Live) -> HistoryHandle {
    let history = use_store(|| History::Loading);
    let fetch = {
        let tell = history.teller();
        use_kept(api.clone(), move |api: &Api| {
            let (api, tell) = (api.clone(), tell.clone());
            Callback::from(move |()| {
                let (api, tell) = (api.clone(), tell.clone());
                spawn_local(async move {
                    let page = api.call::<ActivityPage>(Call::get(PATH, Access::SignedIn)).await;
                    tell.dispatch(page.map_or_else(Action::CouldNotFetch, Action::Fetched));
                });
            })
        })
    };
    {
        let fetch = fetch.clone();
        use_effect_of(live.openings, move |_| fetch.emit(()));
    }
    let events = history.events(&live.heard);
    let older = {
        let (api, history) = (api.clone(), history.clone());
        let oldest = events.last().map(|event| event.id);
        Callback::from(move |()| {
            let latest = history.latest();
            let fetching = matches!(&*latest, History::Loaded(loaded) if loaded.older == Older::Fetching);
            let (Some(oldest), false) = (oldest, fetching) else { return };
            let (api, tell) = (api.clone(), history.teller());
            tell.dispatch(Action::OlderAsked);
            spawn_local(async move {
                let query = ["before=", &oldest.to_string()].concat();
                let call = Call::get(PATH, Access::SignedIn).query(&query);
                let page = api.call::<ActivityPage>(call).await;
                tell.dispatch(page.map_or_else(Action::CouldNotFetchOlder, Action::OlderFetched));
            });
        })
    };
    HistoryHandle { history, events, fetch, older }
}
