use super::state::{Action, Form, Phase, Setup, TokenFrom};
use crate::store::{Store, Tell, at_end, use_effect_of, use_store, use_value};
use crate::{
    api::{Access, Api, Call},
    browser::{self, Kept},
    ceremony::{FRESH_MS, Kind, WillAsk},
    clock,
    problem::Failure,
    session::{self, Notice},
    webauthn::{self, Prompt},
};
use gloo_events::EventListener;
use holdfast_pop::NewKey;
use holdfast_protocol::{
    account::{SetupOptionsRequest, SetupVerifyRequest, SignedIn},
    ids::CeremonyId,
    passkeys::RegistrationResponse,
    problem::Code,
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook, use_mut_ref};

/// Options that were fetched, with the key that they vouch for. Good for one ceremony.
struct Attempt {
    key: NewKey,
    ceremony: CeremonyId,
    token: String,
    prompt: Prompt,
    made_ms: f64,
}

type Slot = Rc<RefCell<Option<Attempt>>>;

/// What the view needs.
pub(super) struct Handles {
    pub(super) setup: Store<Setup>,
    pub(super) will_ask: Option<WillAsk>,
    pub(super) submit: Callback<()>,
    pub(super) create: Callback<()>,
}

#[hook]
pub(super) fn use_setup(api: &Api, on_session: &Callback<session::Action>) -> Handles {
    let setup = use_store(|| Setup::new(remembered()));
    let will_ask = use_value(|| None);
    let slot: Slot = use_mut_ref(|| None);
    {
        let (will_ask, tell) = (will_ask.setter(), setup.teller());
        use_effect_of((), move |()| {
            spawn_local(async move {
                match webauthn::capabilities().await {
                    Ok(capabilities) => will_ask.set(Some(capabilities.will_ask())),
                    Err(failure) => tell.dispatch(Action::CouldNotPrepare(failure.into())),
                }
            });
            at_end(webauthn::abort)
        });
    }
    {
        // The link opened in this very tab changes only the fragment: nothing is loaded anew.
        let tell = setup.teller();
        use_effect_of((), move |()| {
            web_sys::window().map(|window| {
                EventListener::new(&window, "hashchange", move |_| {
                    if let Some(token) = token_of_link() {
                        tell.dispatch(Action::LinkOpened(token));
                    }
                })
            })
        });
    }
    use_effect_of(setup.form.clone(), remember);

    let flow = Flow {
        api: api.clone(),
        slot,
        tell: setup.teller(),
        on_session: on_session.clone(),
        form: setup.form.clone(),
    };
    let submit = {
        let (flow, phase) = (flow.clone(), setup.phase);
        Callback::from(move |()| {
            if phase != Phase::Asking {
                return;
            }
            flow.tell.dispatch(Action::Submitted);
            if !flow.form.faults().any() {
                spawn_local(flow.clone().prepare());
            }
        })
    };
    let create = {
        let phase = setup.phase;
        Callback::from(move |()| {
            if phase == Phase::Ready {
                flow.clone().open();
            }
        })
    };
    Handles { setup, will_ask: *will_ask, submit, create }
}

#[derive(Clone)]
struct Flow {
    api: Api,
    slot: Slot,
    tell: Tell<Setup>,
    on_session: Callback<session::Action>,
    form: Form,
}

impl Flow {
    /// A key, and options that vouch for it: both before the click that opens the prompt.
    async fn prepare(self) {
        match self.fetch().await {
            Ok(attempt) => {
                self.slot.replace(Some(attempt));
                self.tell.dispatch(Action::Prepared);
            }
            Err(failure) => self.could_not(failure, Action::CouldNotPrepare),
        }
    }

    async fn fetch(&self) -> Result<Attempt, Failure> {
        let key = self.api.pop().make_key().await?;
        let request = SetupOptionsRequest {
            name: self.form.name.trim().to_owned(),
            email: self.form.email.trim().to_owned(),
            jkt: key.thumbprint().clone(),
        };
        let call = Call::post("/v1/setup/options", Access::Public, &request).setup_token(self.form.token());
        let options = webauthn::Options::read(&self.api.begin(call).await?)?;
        let prompt = Prompt::prepare(Kind::Registration, &options, key.thumbprint(), &browser::origin())?;
        let webauthn::Options { ceremony, token, .. } = options;
        Ok(Attempt { key, ceremony, token, prompt, made_ms: clock::steady_ms() })
    }

    /// In the click itself: nothing may be awaited before the prompt is open.
    fn open(self) {
        let fresh = self.slot.take().filter(|attempt| clock::steady_ms() - attempt.made_ms < FRESH_MS);
        let Some(attempt) = fresh else {
            self.tell.dispatch(Action::FoundStale);
            return spawn_local(async move {
                self.clone().prepare().await;
                if self.slot.borrow().is_some() {
                    self.open();
                }
            });
        };
        let answer = webauthn::create(&attempt.prompt);
        self.tell.dispatch(Action::PromptOpened);
        spawn_local(async move {
            match answer.await {
                Ok(credential) => {
                    self.tell.dispatch(Action::Answered);
                    self.verify(attempt, credential).await;
                }
                Err(failure) => {
                    self.slot.replace(Some(attempt));
                    self.tell.dispatch(Action::PromptFailed(failure.into()));
                }
            }
        });
    }

    async fn verify(self, attempt: Attempt, credential: RegistrationResponse) {
        let Attempt { key, ceremony, token, .. } = attempt;
        let request = SetupVerifyRequest { ceremony, token, credential };
        let call =
            Call::post("/v1/setup/verify", Access::Ceremony(&key), &request).setup_token(self.form.token());
        let settled = match self.api.call::<SignedIn>(call).await {
            Ok(answer) => session::settle(&self.api, key, answer).await,
            Err(failure) => Err(failure),
        };
        match settled {
            Ok(here) => {
                forget();
                self.on_session.emit(session::Action::SignedIn(here));
            }
            Err(failure) => {
                self.could_not(failure.clone(), Action::Refused);
                if failure.code() != Some(Code::SetupTokenInvalid) {
                    self.prepare().await;
                }
            }
        }
    }

    fn could_not(&self, failure: Failure, action: impl FnOnce(Failure) -> Action) {
        if failure.code() == Some(Code::SetupDone) {
            forget();
            self.on_session.emit(session::Action::SignedOut(Notice::SetupDone));
        } else {
            self.tell.dispatch(action(failure));
        }
    }
}

/// Takes the token out of the address bar, and keeps it for the next load of this tab.
fn token_of_link() -> Option<String> {
    let token = browser::take_fragment_token()?;
    Kept::SetupToken.write(&token);
    Some(token)
}

/// What the address bar or an earlier load of this tab had.
fn remembered() -> Form {
    let token = token_of_link().or_else(|| Kept::SetupToken.read());
    Form {
        name: Kept::SetupName.read().unwrap_or_default(),
        email: Kept::SetupEmail.read().unwrap_or_default(),
        token_from: if token.is_some() { TokenFrom::Link } else { TokenFrom::Field },
        token: token.unwrap_or_default(),
    }
}

fn remember(form: &Form) {
    Kept::SetupName.write(&form.name);
    Kept::SetupEmail.write(&form.email);
}

fn forget() {
    for kept in [Kept::SetupToken, Kept::SetupName, Kept::SetupEmail] {
        kept.forget();
    }
}
