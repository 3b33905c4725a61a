use super::state::{Action, Filter, Log, Older};
use crate::store::{Store, use_effect_of, use_kept, use_store, use_value};
use crate::{
    api::{Access, Api, Call},
    console::Surface,
    live::Live,
    problem::Failure,
};
use gloo_events::EventListener;
use holdfast_protocol::{history::Activity, step_up::StepUpLog};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

const PATH: &str = "/v1/security/stepup-log";

/// What the view needs.
pub(super) struct Handles {
    pub(super) log: Store<Log>,
    pub(super) filter: Filter,
    pub(super) choose: Callback<Filter>,
    pub(super) fetch: Callback<()>,
    pub(super) older: Callback<()>,
}

/// Fetches the newest entries, and again whenever the stream tells of one or comes back.
#[hook]
pub(super) fn use_log(api: &Api, live: &Live) -> Handles {
    let log = use_store(|| Log::Loading);
    let (filter, choose) = use_filter();
    let fetch = {
        let tell = log.teller();
        use_kept((api.clone(), filter), move |(api, filter): &(Api, Filter)| {
            let (api, filter, tell) = (api.clone(), *filter, tell.clone());
            Callback::from(move |()| {
                let (api, tell) = (api.clone(), tell.clone());
                spawn_local(async move {
                    let page = page(&api, &filter.query()).await;
                    tell.dispatch(match page {
                        Ok(log) => Action::Fetched(filter, log),
                        Err(failure) => Action::CouldNotFetch(filter, failure),
                    });
                });
            })
        })
    };
    {
        let fetch = fetch.clone();
        let is_entry = |what: &Activity| matches!(what, Activity::StepUp { .. });
        let newest = live.heard.iter().find(|event| is_entry(&event.what)).map(|event| event.id);
        use_effect_of((filter, live.openings, newest), move |_| fetch.emit(()));
    }
    let older = {
        let (api, log) = (api.clone(), log.clone());
        Callback::from(move |()| {
            let latest = log.latest();
            let Log::Loaded(loaded) = &*latest else { return };
            let (Some(oldest), false) = (loaded.events.last(), loaded.older == Older::Fetching) else {
                return;
            };
            let (api, tell, filter) = (api.clone(), log.teller(), loaded.filter);
            let query = [&filter.query(), "&before=", &oldest.id.to_string()].concat();
            tell.dispatch(Action::OlderAsked);
            spawn_local(async move {
                let page = page(&api, &query).await;
                let fetched = |log| Action::OlderFetched(filter, log);
                tell.dispatch(page.map_or_else(Action::CouldNotFetchOlder, fetched));
            });
        })
    };
    Handles { log, filter, choose, fetch, older }
}

async fn page(api: &Api, query: &str) -> Result<StepUpLog, Failure> {
    api.call(Call::get(PATH, Access::SignedIn).query(query)).await
}

/// The filter of the address, and the way to another one.
#[hook]
fn use_filter() -> (Filter, Callback<Filter>) {
    let filter = use_value(current);
    {
        let filter = filter.setter();
        use_effect_of((), move |()| {
            web_sys::window()
                .map(|window| EventListener::new(&window, "popstate", move |_| filter.set(current())))
        });
    }
    let setter = filter.setter();
    let choose = Callback::from(move |to: Filter| {
        let address = [Surface::Confirmations.path(), "?", &to.query()].concat();
        let history = web_sys::window().and_then(|window| window.history().ok());
        // Nothing is ever kept in the history's state: it outlives what it describes.
        let written = history.map(|history| history.push_state_with_url(&JsValue::NULL, "", Some(&address)));
        if let Some(Ok(())) = written {
            setter.set(to);
        }
    });
    (*filter, choose)
}

fn current() -> Filter {
    let query = web_sys::window().and_then(|window| window.location().search().ok());
    Filter::of_query(&query.unwrap_or_default())
}
