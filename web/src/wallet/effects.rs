use super::{
    form::Phase,
    state::{Action, Older, Wallet},
    text,
    view::SEND_ID,
};
use crate::store::{Store, use_effect_of, use_kept, use_store};
use crate::{
    api::{Access, Api, Call},
    browser,
    live::Live,
    money::money,
    step_up::{Confirm, Stopped},
};
use gloo_events::EventListener;
use holdfast_protocol::{
    history::Activity,
    step_up::{Kind, Outcome},
    wallet::{Send, Sent, WalletView},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

const PATH: &str = "/v1/wallet";

/// What the view needs.
pub(super) struct Handles {
    pub(super) wallet: Store<Wallet>,
    pub(super) fetch: Callback<()>,
    pub(super) older: Callback<()>,
    pub(super) send: Callback<()>,
    pub(super) copy: Callback<()>,
}

/// Fetches the wallet; again when another browser has sent something, and when the person comes back to the tab,
/// since nobody is told what others send them.
#[hook]
pub(super) fn use_wallet(api: &Api, confirm: &Confirm, live: &Live) -> Handles {
    let wallet = use_store(|| Wallet::Loading);
    let fetch = {
        let tell = wallet.teller();
        use_kept(api.clone(), move |api: &Api| {
            let (api, tell) = (api.clone(), tell.clone());
            Callback::from(move |()| {
                let (api, tell) = (api.clone(), tell.clone());
                spawn_local(async move {
                    let view = api.call::<WalletView>(Call::get(PATH, Access::SignedIn)).await;
                    tell.dispatch(view.map_or_else(Action::CouldNotFetch, Action::Fetched));
                });
            })
        })
    };
    {
        let fetch = fetch.clone();
        use_effect_of((live.openings, sends(live)), move |_| fetch.emit(()));
    }
    {
        let fetch = fetch.clone();
        use_effect_of((), move |()| {
            let document = web_sys::window().and_then(|window| window.document());
            document.map(|document| {
                EventListener::new(&document, "visibilitychange", move |_| {
                    if browser::is_visible() {
                        fetch.emit(());
                    }
                })
            })
        });
    }
    let older = {
        let (api, wallet) = (api.clone(), wallet.clone());
        Callback::from(move |()| {
            let latest = wallet.latest();
            let Wallet::Loaded(loaded) = &*latest else { return };
            let (Some(oldest), false) = (loaded.transfers.last(), loaded.older == Older::Fetching) else {
                return;
            };
            let query = ["before=", &oldest.number.to_string()].concat();
            let (api, tell) = (api.clone(), wallet.teller());
            tell.dispatch(Action::OlderAsked);
            spawn_local(async move {
                let call = Call::get(PATH, Access::SignedIn).query(&query);
                let view = api.call::<WalletView>(call).await;
                tell.dispatch(view.map_or_else(Action::CouldNotFetchOlder, Action::OlderFetched));
            });
        })
    };
    let send = {
        let (wallet, confirm, fetch) = (wallet.clone(), confirm.clone(), fetch.clone());
        Callback::from(move |()| {
            let (latest, tell) = (wallet.latest(), wallet.teller());
            let Wallet::Loaded(loaded) = &*latest else { return };
            if loaded.form.phase == Phase::Sending {
                return;
            }
            tell.dispatch(Action::Submitted);
            let Ok(send) = loaded.form.read(&loaded.id) else { return };
            let (confirm, fetch) = (confirm.clone(), fetch.clone());
            spawn_local(async move {
                let said = text::sent(&money(send.amount), &send);
                tell.dispatch(match confirm.perform::<Send, Sent>(send, None, SEND_ID).await {
                    Ok(_) => Action::Sent(said),
                    Err(Stopped::Left) => Action::Left,
                    Err(Stopped::Failed(failure)) => Action::NotSent(failure),
                });
                fetch.emit(());
            });
        })
    };
    let copy = {
        let wallet = wallet.clone();
        Callback::from(move |()| {
            let (latest, tell) = (wallet.latest(), wallet.teller());
            let Wallet::Loaded(loaded) = &*latest else { return };
            let id = loaded.id.as_str().to_owned();
            spawn_local(async move {
                let copied = browser::copy(&id).await.is_ok();
                tell.dispatch(Action::Copied(if copied { text::COPIED } else { text::NOT_COPIED }));
            });
        })
    };
    Handles { wallet, fetch, older, send, copy }
}

/// How often this account has sent something while the page was open.
fn sends(live: &Live) -> usize {
    let sent = |event: &&holdfast_protocol::history::ActivityEvent| {
        matches!(
            event.what,
            Activity::StepUp {
                action: Kind::WalletSend,
                outcome: Outcome::Confirmed | Outcome::Unguarded,
                ..
            }
        )
    };
    live.heard.iter().filter(sent).count()
}
