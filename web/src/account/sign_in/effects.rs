use super::state::{Action, SignIn};
use crate::store::{Store, Tell, at_end, use_effect_of, use_kept, use_store, use_value};
use crate::{
    api::{Access, Api, Call},
    browser,
    ceremony::{Capabilities, CeremonyFailure, FRESH_MS, Kind, Mediation},
    clock,
    problem::Failure,
    session,
    webauthn::{self, Prompt},
};
use gloo_events::EventListener;
use gloo_timers::{callback::Interval, future::TimeoutFuture};
use holdfast_pop::NewKey;
use holdfast_protocol::{
    account::{LoginOptionsRequest, LoginVerifyRequest, SignedIn},
    ids::CeremonyId,
    passkeys::AssertionResponse,
    problem::Code,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook};

const LOOK_EVERY_MS: u32 = 20_000;
const REARM_MS: [u32; 6] = [500, 1_000, 2_000, 5_000, 15_000, 30_000];

/// Options that were fetched, with the key that they vouch for. The field and the button may both
/// offer them; the first answer takes the key, and with it the ceremony.
struct Attempt {
    key: Cell<Option<NewKey>>,
    ceremony: CeremonyId,
    token: String,
    rp_id: String,
    prompt: Prompt,
    made_ms: f64,
}

/// What the view needs.
pub(super) struct Handles {
    pub(super) state: Store<SignIn>,
    pub(super) capabilities: Option<Capabilities>,
    pub(super) sign_in: Callback<()>,
}

#[hook]
pub(super) fn use_sign_in(api: &Api, on_session: &Callback<session::Action>) -> Handles {
    let state = use_store(SignIn::new);
    let capabilities = use_value(|| None);
    let flow = {
        let (tell, on_session) = (state.teller(), on_session.clone());
        use_kept(api.clone(), move |api: &Api| {
            Rc::new(Flow {
                api: api.clone(),
                tell: tell.clone(),
                on_session: on_session.clone(),
                attempt: RefCell::new(None),
                modal: Cell::new(Modal::Closed),
                autofill: Cell::new(Autofill::Unknown),
                failed_in_a_row: Cell::new(0),
            })
        })
    };
    {
        let (found, flow) = (capabilities.setter(), flow.clone());
        use_effect_of((), move |()| {
            let starting = flow.clone();
            spawn_local(async move {
                match webauthn::capabilities().await {
                    Ok(capabilities) => {
                        found.set(Some(capabilities));
                        let offered =
                            if capabilities.autofill { Autofill::Offered } else { Autofill::Missing };
                        starting.autofill.set(offered);
                        starting.renew().await;
                    }
                    Err(failure) => starting.tell.dispatch(Action::CouldNotPrepare(failure.into())),
                }
            });
            let watching = flow.clone();
            let watch = Callback::from(move |()| watching.clone().renew_if_stale());
            let ticking = {
                let watch = watch.clone();
                Interval::new(LOOK_EVERY_MS, move || watch.emit(()))
            };
            let seen = web_sys::window()
                .and_then(|window| window.document())
                .map(|document| EventListener::new(&document, "visibilitychange", move |_| watch.emit(())));
            let end = at_end(move || {
                flow.autofill.set(Autofill::Missing);
                webauthn::abort();
            });
            (ticking, seen, end)
        });
    }
    let sign_in = Callback::from(move |()| flow.clone().press());
    Handles { state, capabilities: *capabilities, sign_in }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modal {
    Closed,
    /// Asked for; its options are being renewed.
    Asked,
    /// The prompt is open, or its answer is on its way.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Autofill {
    Unknown,
    Missing,
    Offered,
}

struct Flow {
    api: Api,
    tell: Tell<SignIn>,
    on_session: Callback<session::Action>,
    attempt: RefCell<Option<Rc<Attempt>>>,
    modal: Cell<Modal>,
    autofill: Cell<Autofill>,
    failed_in_a_row: Cell<usize>,
}

impl Flow {
    /// The button. With fresh options the prompt opens in the click itself.
    fn press(self: Rc<Self>) {
        if self.modal.get() != Modal::Closed {
            return;
        }
        if let Some(attempt) = self.fresh() {
            return self.open(attempt, Mediation::Modal);
        }
        self.modal.set(Modal::Asked);
        self.tell.dispatch(Action::Asked);
        spawn_local(async move {
            self.renew().await;
            // Unless the field was answered in the meantime.
            if self.modal.get() != Modal::Asked {
                return;
            }
            self.modal.set(Modal::Closed);
            if let Some(attempt) = self.fresh() {
                self.open(attempt, Mediation::Modal);
            }
        });
    }

    fn fresh(&self) -> Option<Rc<Attempt>> {
        let attempt = self.attempt.borrow().clone();
        attempt.filter(|attempt| clock::steady_ms() - attempt.made_ms < FRESH_MS)
    }

    /// Before the options are too old, and when the person comes back to the tab.
    fn renew_if_stale(self: Rc<Self>) {
        let wanted = self.modal.get() == Modal::Closed && browser::is_visible();
        if wanted && self.autofill.get() != Autofill::Unknown && self.fresh().is_none() {
            spawn_local(async move { self.renew().await });
        }
    }

    /// A new key, new options; and the field offers them.
    async fn renew(self: &Rc<Self>) {
        match self.fetch().await {
            Ok(attempt) => {
                self.attempt.replace(Some(Rc::new(attempt)));
                self.tell.dispatch(Action::Prepared);
                self.clone().arm();
            }
            Err(failure) => self.tell.dispatch(Action::CouldNotPrepare(failure)),
        }
    }

    async fn fetch(&self) -> Result<Attempt, Failure> {
        let key = self.api.pop().make_key().await?;
        let request = LoginOptionsRequest { jkt: key.thumbprint().clone() };
        let call = Call::post("/v1/login/options", Access::Public, &request);
        let options = webauthn::Options::read(&self.api.begin(call).await?)?;
        let prompt = Prompt::prepare(Kind::SignIn, &options, key.thumbprint(), &browser::origin())?;
        let rp_id = options.rp_id(Kind::SignIn);
        let webauthn::Options { ceremony, token, .. } = options;
        let made_ms = clock::steady_ms();
        Ok(Attempt { key: Cell::new(Some(key)), ceremony, token, rp_id, prompt, made_ms })
    }

    /// Offers passkeys in the field, unless a prompt is open.
    fn arm(self: Rc<Self>) {
        if self.autofill.get() != Autofill::Offered || self.modal.get() != Modal::Closed {
            return;
        }
        if let Some(attempt) = self.fresh() {
            self.open(attempt, Mediation::Autofill);
        }
    }

    fn open(self: Rc<Self>, attempt: Rc<Attempt>, mediation: Mediation) {
        let answer = webauthn::assert(&attempt.prompt, mediation);
        if mediation == Mediation::Modal {
            self.modal.set(Modal::Open);
            self.tell.dispatch(Action::PromptOpened);
        }
        spawn_local(async move {
            match answer.await {
                Ok(credential) => {
                    self.modal.set(Modal::Open);
                    self.tell.dispatch(Action::Answered);
                    self.verify(attempt, credential).await;
                }
                // A newer prompt took its place and speaks for itself.
                Err(CeremonyFailure::Superseded) => {}
                Err(failure) if mediation == Mediation::Modal => {
                    self.modal.set(Modal::Closed);
                    self.tell.dispatch(Action::PromptFailed(failure.into()));
                    self.arm();
                }
                Err(_) => self.arm_again().await,
            }
        });
    }

    async fn arm_again(self: Rc<Self>) {
        let times = self.failed_in_a_row.get();
        self.failed_in_a_row.set(times + 1);
        TimeoutFuture::new(REARM_MS.get(times).copied().unwrap_or(30_000)).await;
        self.arm();
    }

    async fn verify(self: Rc<Self>, attempt: Rc<Attempt>, credential: AssertionResponse) {
        self.attempt.replace(None);
        let Some(key) = attempt.key.take() else { return };
        let id = credential.id.clone();
        let request = LoginVerifyRequest {
            ceremony: attempt.ceremony.clone(),
            token: attempt.token.clone(),
            credential,
        };
        let call = Call::post("/v1/login/verify", Access::Ceremony(&key), &request);
        let settled = match self.api.call::<SignedIn>(call).await {
            Ok(answer) => session::settle(&self.api, key, answer).await,
            Err(failure) => Err(failure),
        };
        match settled {
            Ok(here) => self.on_session.emit(session::Action::SignedIn(here)),
            Err(failure) => {
                if failure.code() == Some(Code::UnknownCredential) {
                    webauthn::signal_unknown(&attempt.rp_id, &id);
                }
                self.modal.set(Modal::Closed);
                self.tell.dispatch(Action::Refused(failure));
                self.renew().await;
            }
        }
    }
}
