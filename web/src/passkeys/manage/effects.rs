use super::{
    add::{self, Adding, Why},
    deed::{self, Deeds},
};
use crate::store::{Store, Tell, at_end, use_effect_of, use_store, use_value};
use crate::{
    api::{Access, Api, Call},
    browser,
    ceremony::{CeremonyFailure, FRESH_MS, Kind, WillAsk},
    clock, json,
    problem::Failure,
    session,
    step_up::{Confirm, Stopped},
    webauthn::{self, Prompt},
};
use holdfast_protocol::{
    account::Me,
    base64url::Bytes,
    ids::{CeremonyId, PasskeyId},
    passkeys::{
        Addition, AdditionVerifyRequest, EndByPasskeyRequest, PasskeyView, RegistrationResponse, Removal,
        Test,
    },
    problem::Code,
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook, use_mut_ref};

/// The button that a test began with.
pub(super) const TEST_OPENER: &str = "test-passkey";
/// The button that a removal began with.
pub(super) const REMOVE_OPENER: &str = "remove-passkey";
/// The button that adding begins with.
pub(super) const ADD_OPENER: &str = "add-passkey";

/// What both kinds of deeds need.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) api: Api,
    pub(super) confirm: Confirm,
    pub(super) on_session: Callback<session::Action>,
    /// Fetches the list anew.
    pub(super) fetch: Callback<()>,
}

impl Means {
    /// After the account's passkeys have changed: tells the authenticators, and the page.
    async fn tell_of_change(&self) {
        self.fetch.emit(());
        // Where the server cannot be asked, the next sign-in tells them.
        if let Ok(me) = self.me().await {
            webauthn::signal_signed_in(&me.signals);
            self.on_session.emit(session::Action::Recognised(me.into()));
        }
    }

    async fn me(&self) -> Result<Me, Failure> {
        self.api.call(Call::get("/v1/me", Access::SignedIn)).await
    }
}

/// Testing and removing.
pub(super) struct DeedHandles {
    pub(super) deeds: Store<Deeds>,
    pub(super) test: Callback<PasskeyView>,
    pub(super) remove: Callback<PasskeyView>,
    pub(super) end_sessions: Callback<PasskeyView>,
}

#[hook]
pub(super) fn use_deeds(means: &Means) -> DeedHandles {
    let deeds = use_store(|| Deeds::None);
    let tell = deeds.teller();
    let test = {
        let (means, tell) = (means.clone(), tell.clone());
        Callback::from(move |view: PasskeyView| {
            let (means, tell) = (means.clone(), tell.clone());
            tell.dispatch(deed::Action::Began(deed::Kind::Test, view.clone()));
            spawn_local(async move {
                let test = Test { id: view.id.clone(), name: view.name };
                let ended = means.confirm.perform::<Test, ()>(test, None, TEST_OPENER).await;
                conclude(&tell, deed::Kind::Test, view.id, ended);
                means.fetch.emit(());
            });
        })
    };
    let remove = {
        let (means, tell) = (means.clone(), tell.clone());
        Callback::from(move |view: PasskeyView| {
            let (means, tell) = (means.clone(), tell.clone());
            tell.dispatch(deed::Action::Began(deed::Kind::Removal, view.clone()));
            spawn_local(async move {
                let removal = Removal { id: view.id.clone(), name: view.name };
                let ended = means.confirm.perform::<Removal, ()>(removal, None, REMOVE_OPENER).await;
                conclude(&tell, deed::Kind::Removal, view.id, ended);
                // Refused or not: it may have been removed elsewhere, or have another name by now.
                means.tell_of_change().await;
            });
        })
    };
    let end_sessions = {
        let means = means.clone();
        Callback::from(move |view: PasskeyView| {
            let (means, tell) = (means.clone(), tell.clone());
            tell.dispatch(deed::Action::Began(deed::Kind::EndOfSessions, view.clone()));
            spawn_local(async move {
                let request = EndByPasskeyRequest { passkey: view.id.clone() };
                let call = Call::post("/v1/sessions/end-by-passkey", Access::SignedIn, &request);
                let ended = means.api.call::<()>(call).await.map_err(Stopped::Failed);
                conclude(&tell, deed::Kind::EndOfSessions, view.id, ended);
                means.fetch.emit(());
            });
        })
    };
    DeedHandles { deeds, test, remove, end_sessions }
}

fn conclude(tell: &Tell<Deeds>, kind: deed::Kind, id: PasskeyId, ended: Result<(), Stopped>) {
    let phase = match ended {
        Ok(()) => deed::Phase::Done,
        Err(Stopped::Left) => deed::Phase::Left,
        Err(Stopped::Failed(failure)) => deed::Phase::Failed(failure),
    };
    tell.dispatch(deed::Action::Ended(kind, id, phase));
}

/// Options that were confirmed, good for one passkey; and the device's answer, once there is one.
struct Attempt {
    ceremony: CeremonyId,
    token: String,
    prompt: Prompt,
    made_ms: f64,
    answer: Option<RegistrationResponse>,
}

/// Adding.
pub(super) struct AddHandles {
    pub(super) adding: Store<Adding>,
    pub(super) will_ask: Option<WillAsk>,
    /// Asks for the confirmation.
    pub(super) begin: Callback<()>,
    /// Asks the device, in the click itself.
    pub(super) make: Callback<()>,
    /// Sends the device's answer once more.
    pub(super) send: Callback<()>,
    pub(super) leave: Callback<()>,
    /// Something else begins: that one was added is said no more.
    pub(super) noted: Callback<()>,
}

/// `on_added` hears of the new passkey.
#[hook]
pub(super) fn use_adding(means: &Means, me: &Rc<Me>, on_added: Callback<PasskeyView>) -> AddHandles {
    let adding = use_store(|| Adding::Resting);
    let will_ask = use_value(|| None);
    let slot = use_mut_ref(|| None::<Attempt>);
    {
        let will_ask = will_ask.setter();
        use_effect_of((), move |()| {
            spawn_local(async move {
                // Where it cannot, the confirmation says so.
                will_ask.set(webauthn::capabilities().await.ok().map(|capabilities| capabilities.will_ask()));
            });
            at_end(webauthn::abort)
        });
    }
    let flow = Flow {
        means: means.clone(),
        me: me.clone(),
        slot: slot.clone(),
        adding: adding.clone(),
        tell: adding.teller(),
        on_added,
    };
    let on_click = |run: fn(Flow)| {
        let flow = flow.clone();
        Callback::from(move |()| run(flow.clone()))
    };
    let leave = {
        let tell = adding.teller();
        Callback::from(move |()| {
            webauthn::abort();
            tell.dispatch(add::Action::Left);
        })
    };
    let noted = {
        let adding = adding.clone();
        Callback::from(move |()| {
            if matches!(*adding.latest(), Adding::Added) {
                adding.teller().dispatch(add::Action::Left);
            }
        })
    };
    AddHandles {
        begin: on_click(Flow::begin),
        make: on_click(Flow::make),
        send: on_click(|flow| spawn_local(flow.send())),
        leave,
        noted,
        adding,
        will_ask: *will_ask,
    }
}

#[derive(Clone)]
struct Flow {
    means: Means,
    me: Rc<Me>,
    slot: Rc<RefCell<Option<Attempt>>>,
    adding: Store<Adding>,
    tell: Tell<Adding>,
    on_added: Callback<PasskeyView>,
}

impl Flow {
    fn begin(self) {
        if !self.adding.latest().may_begin() {
            return;
        }
        self.tell.dispatch(add::Action::Began);
        spawn_local(async move {
            let addition =
                Addition { account: self.me.account.id.clone(), email: self.me.account.email.clone() };
            // Whole, also what this page does not know: it is for the browser itself.
            let options =
                self.means.confirm.perform::<Addition, serde_json::Value>(addition, None, ADD_OPENER);
            let prepared = match options.await {
                Ok(options) => self.prepare(&options),
                Err(Stopped::Left) => return self.tell.dispatch(add::Action::Left),
                Err(Stopped::Failed(failure)) => Err(failure),
            };
            self.tell.dispatch(match prepared {
                Ok(attempt) => {
                    self.slot.replace(Some(attempt));
                    add::Action::Prepared
                }
                Err(failure) => add::Action::Stopped(Why::Refused(failure)),
            });
        });
    }

    /// Holds the options against this session's key before any device is asked.
    fn prepare(&self, options: &serde_json::Value) -> Result<Attempt, Failure> {
        let options = webauthn::Options::read(&json::parse(&options.to_string())?)?;
        let jkt = self.means.api.pop().thumbprint().ok_or(holdfast_pop::PopError::NoKey)?;
        let prompt = Prompt::prepare(Kind::Registration, &options, &jkt, &browser::origin())?;
        let webauthn::Options { ceremony, token, .. } = options;
        Ok(Attempt { ceremony, token, prompt, made_ms: clock::steady_ms(), answer: None })
    }

    /// In the click itself: nothing is awaited before the prompt is open.
    fn make(self) {
        let fresh = self.slot.take().filter(|attempt| clock::steady_ms() - attempt.made_ms < FRESH_MS);
        let Some(mut attempt) = fresh else {
            return self.tell.dispatch(add::Action::Stopped(Why::Expired));
        };
        let answer = webauthn::create(&attempt.prompt);
        self.tell.dispatch(add::Action::PromptOpened(attempt.ceremony.clone()));
        spawn_local(async move {
            let answer = answer.await;
            // An answer can cross the abort on its way: who has left wants nothing of it.
            if !self.adding.latest().awaits(&attempt.ceremony) {
                if answer.is_ok() {
                    // The device holds a passkey now that opens nothing: it is told.
                    self.means.tell_of_change().await;
                }
                return;
            }
            match answer {
                Ok(credential) => {
                    attempt.answer = Some(credential);
                    self.slot.replace(Some(attempt));
                    self.send().await;
                }
                // A newer prompt has taken its place.
                Err(CeremonyFailure::Superseded) => self.tell.dispatch(add::Action::Left),
                Err(failure) => {
                    self.slot.replace(Some(attempt));
                    self.tell.dispatch(add::Action::PromptFailed(failure.into()));
                }
            }
        });
    }

    async fn send(self) {
        let sent = self.slot.borrow().as_ref().and_then(|Attempt { ceremony, token, answer, .. }| {
            let (ceremony, token) = (ceremony.clone(), token.clone());
            Some(AdditionVerifyRequest { ceremony, token, credential: answer.clone()? })
        });
        let Some(request) = sent else { return };
        self.tell.dispatch(add::Action::Answered);
        let call = Call::post("/v1/passkey/register/verify", Access::SignedIn, &request);
        match self.means.api.call::<PasskeyView>(call).await {
            Ok(view) => self.added(Some(view)).await,
            Err(failure) if failure.may_pass() => self.tell.dispatch(add::Action::CouldNotSend(failure)),
            // The answer to an earlier sending of this was lost.
            Err(failure)
                if failure.code() == Some(Code::CeremonyGone)
                    && self.is_known(&request.credential.id).await =>
            {
                self.added(None).await;
            }
            Err(failure) => {
                self.slot.take();
                self.tell.dispatch(add::Action::Stopped(Why::Refused(failure)));
                // The device holds a passkey now that opens nothing: it is told.
                self.means.tell_of_change().await;
            }
        }
    }

    async fn is_known(&self, credential: &Bytes) -> bool {
        let me = self.means.me().await;
        me.is_ok_and(|me| me.signals.accepted_credential_ids.contains(credential))
    }

    async fn added(self, view: Option<PasskeyView>) {
        self.slot.take();
        self.tell.dispatch(add::Action::Added);
        if let Some(view) = view {
            self.on_added.emit(view);
        }
        self.means.tell_of_change().await;
    }
}
