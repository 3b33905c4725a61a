use super::{
    state::{Action, Codes, Phase},
    text,
};
use crate::store::{Store, Tell, use_effect_of, use_store, use_value};
use crate::{
    api::{Access, Api, Call},
    browser::{self, Kept},
    clock, session,
};
use holdfast_protocol::{
    account::Me,
    base64url::Bytes,
    problem::Code,
    recovery::{CODES, RecoveryCode, RecoveryCodesRequest, RecoveryCodesView},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

/// What the view needs.
pub(super) struct Handles {
    pub(super) codes: Store<Codes>,
    pub(super) before: Before,
    pub(super) copy: Callback<()>,
    pub(super) download: Callback<()>,
    pub(super) submit: Callback<()>,
}

/// What was on this screen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// Codes that never came into force.
    OtherCodes,
}

/// New codes for this address. Who has typed one back has them: then `keep` puts their verifiers in force.
#[hook]
pub(super) fn use_codes(account: &str, keep: impl Fn(Vec<Bytes>, Tell<Codes>) + 'static) -> Handles {
    let codes = use_store(|| Codes::new(make(), browser::pick(CODES)));
    let before = use_value(|| Kept::CodesShown.read().map_or(Before::Nothing, |_| Before::OtherCodes));
    let at_stake = matches!(&*codes, Codes::Shown(_));
    use_effect_of(at_stake, move |at_stake| {
        at_stake.then(|| {
            Kept::CodesShown.write("yes");
            browser::warn_before_leaving()
        })
    });

    let sheet = {
        let (codes, account) = (codes.clone(), account.to_owned());
        move || {
            let codes = codes.latest();
            let Codes::Shown(shown) = &*codes else { return String::new() };
            let (at, made) = (browser::origin(), clock::date(clock::now_ms()));
            text::Sheet { account: &account, at: &at, made: &made }
                .lines(shown.codes.iter().map(RecoveryCode::grouped))
        }
    };
    let copy = {
        let (tell, sheet) = (codes.teller(), sheet.clone());
        Callback::from(move |()| {
            let (tell, sheet) = (tell.clone(), sheet());
            spawn_local(async move {
                let copied = browser::copy(&sheet).await.is_ok();
                tell.dispatch(Action::Did(if copied { text::COPIED } else { text::NOT_COPIED }));
            });
        })
    };
    let download = {
        let tell = codes.teller();
        Callback::from(move |()| {
            let saved = browser::download(text::FILE, &sheet()).is_some();
            tell.dispatch(Action::Did(if saved { text::DOWNLOADED } else { text::NOT_DOWNLOADED }));
        })
    };
    let submit = {
        let codes = codes.clone();
        Callback::from(move |()| {
            let (latest, tell) = (codes.latest(), codes.teller());
            let Codes::Shown(shown) = &*latest else { return };
            if shown.phase == Phase::Keeping {
                return;
            }
            tell.dispatch(Action::Submitted);
            if shown.check().is_ok() {
                let verifiers = shown.codes.iter().map(RecoveryCode::sign_in_verifier).collect();
                keep(verifiers, tell);
            }
        })
    };
    Handles { codes, before: *before, copy, download, submit }
}

/// They are in force: nothing of them stays here.
pub(super) fn came_in_force(tell: &Tell<Codes>) {
    Kept::CodesShown.forget();
    tell.dispatch(Action::CameInForce);
}

/// Puts the first list of an account in force.
pub(super) fn first_list(
    api: &Api,
    on_session: &Callback<session::Action>,
) -> impl Fn(Vec<Bytes>, Tell<Codes>) + use<> {
    let (api, on_session) = (api.clone(), on_session.clone());
    move |verifiers, tell| {
        let (api, on_session) = (api.clone(), on_session.clone());
        spawn_local(async move {
            let request = RecoveryCodesRequest { verifiers };
            let call = Call::post("/v1/recovery-codes", Access::SignedIn, &request);
            let kept = match api.call::<RecoveryCodesView>(call).await {
                Ok(view) => session::Action::KeptCodes(view),
                // A list is in force: this one is not, and the server knows how that one stands.
                Err(failure) if failure.code() == Some(Code::RecoveryCodesExist) => {
                    match api.call::<Me>(Call::get("/v1/me", Access::SignedIn)).await {
                        Ok(me) => session::Action::Recognised(me.into()),
                        Err(failure) => return tell.dispatch(Action::CouldNotKeep(failure)),
                    }
                }
                Err(failure) => return tell.dispatch(Action::CouldNotKeep(failure)),
            };
            came_in_force(&tell);
            on_session.emit(kept);
        });
    }
}

fn make() -> Option<Vec<RecoveryCode>> {
    (0..CODES)
        .map(|_| {
            loop {
                // 64 bytes nearly always hold 21 that are taken; the next 64 do.
                if let Some(code) = RecoveryCode::make(&browser::random::<64>()?) {
                    return Some(code);
                }
            }
        })
        .collect()
}
