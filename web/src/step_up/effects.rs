use super::{
    Stopped,
    check::{Asked, Asker, Difference},
    state::{Action, Means, Phase, Prompt},
    text,
};
use crate::store::Store;
use crate::{
    api::{Access, Api, Call},
    browser,
    ceremony::{FRESH_MS, Mediation},
    clock, json,
    problem::Failure,
    webauthn::{self, Options},
    words::Words,
};
use futures_channel::oneshot;
use holdfast_pop::PopError;
use holdfast_protocol::{
    account::Me,
    base64url,
    ids::{CeremonyId, Thumbprint},
    step_up::{Confirmation, Kind},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// How often the options of a prompt that nobody answers are renewed without a word: each is an event of the
/// audit trail.
const SILENT_RENEWALS: u32 = 3;

/// What became of an action: the server's answer, unread.
pub(super) type Outcome = Result<JsValue, Stopped>;

/// Writes the body of an action, with its confirmation where there is one.
pub(super) type Body = Box<dyn Fn(Option<Confirmation>) -> String>;

/// Options that were found to be what was asked for.
struct Attempt {
    ceremony: CeremonyId,
    token: String,
    prompt: webauthn::Prompt,
    made_ms: f64,
    /// What it was asked for with: another tab may sign in anew, and then it is of no use.
    jkt: Option<Thumbprint>,
    /// The server names providers: no other passkey could confirm it.
    claimed: bool,
}

/// An action on its way.
struct Task {
    asked: Rc<Asked>,
    body: Body,
    key: String,
    attempt: RefCell<Option<Rc<Attempt>>>,
    renewals: Cell<u32>,
    confirmation: RefCell<Option<Confirmation>>,
    /// What was confirmed has been refused once.
    refused: Cell<bool>,
    outcome: Cell<Option<oneshot::Sender<Outcome>>>,
}

impl Task {
    fn fresh(&self, jkt: Option<&Thumbprint>) -> Option<Rc<Attempt>> {
        let attempt = self.attempt.borrow().clone();
        let is_fresh = |attempt: &Rc<Attempt>| clock::steady_ms() - attempt.made_ms < FRESH_MS;
        attempt.filter(|attempt| is_fresh(attempt) && attempt.jkt.as_ref() == jkt)
    }

    fn end(&self, outcome: Outcome) {
        if let Some(told) = self.outcome.take() {
            // Whoever asked may be gone by now.
            let _ = told.send(outcome);
        }
    }
}

/// A request whose answer never came, or came to an earlier session: whoever asks for the same again does so under
/// the same key.
struct Unanswered {
    kind: Kind,
    canonical: String,
    key: String,
}

impl Unanswered {
    fn is_of(&self, asked: &Asked) -> bool {
        self.kind == asked.kind && self.canonical == asked.canonical
    }
}

pub(super) struct Flow {
    api: Api,
    prompt: Store<Prompt>,
    /// As the server said last.
    pub(super) me: RefCell<Rc<Me>>,
    task: RefCell<Option<Rc<Task>>>,
    unanswered: RefCell<Vec<Unanswered>>,
}

impl Flow {
    pub(super) fn new(api: Api, prompt: Store<Prompt>, me: Rc<Me>) -> Self {
        let (task, unanswered) = (RefCell::new(None), RefCell::new(Vec::new()));
        Self { api, prompt, me: RefCell::new(me), task, unanswered }
    }

    /// See [`super::Confirm::perform`].
    pub(super) async fn perform(self: &Rc<Self>, asked: Asked, body: Body, opener: &'static str) -> Outcome {
        let asked = Rc::new(asked);
        let key = self.key_for(&asked).map_err(Stopped::Failed)?;
        let refusal = match self.send(&asked, &key, body(None)).await {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusal,
        };
        let means = Means::of(&refusal);
        if matches!(means, Means::Refused | Means::Unanswered) {
            return Err(Stopped::Failed(refusal));
        }
        // One prompt at a time: what comes second was not done.
        if self.task.borrow().is_some() {
            return Err(Stopped::Left);
        }
        let (told, outcome) = oneshot::channel();
        let task = Rc::new(Task {
            asked: asked.clone(),
            body,
            key,
            attempt: RefCell::new(None),
            renewals: Cell::new(0),
            confirmation: RefCell::new(None),
            refused: Cell::new(false),
            outcome: Cell::new(Some(told)),
        });
        self.task.replace(Some(task.clone()));
        self.tell(Action::Asked { opener, asked });
        match means {
            Means::Barred => self.tell(Action::WasBarred(refusal)),
            _ => self.ask(&task).await,
        }
        outcome.await.unwrap_or(Err(Stopped::Left))
    }

    /// The button: the device's prompt opens in the click itself.
    pub(super) fn press(self: &Rc<Self>) {
        let Some(task) = self.task.borrow().clone() else { return };
        let Some(attempt) = task.fresh(self.jkt().as_ref()) else {
            return self.ask_again(Some(text::WAITED));
        };
        let answer = webauthn::assert(&attempt.prompt, Mediation::Modal);
        self.tell(Action::PromptOpened);
        let flow = self.clone();
        spawn_local(async move {
            let answer = answer.await;
            if !flow.is_at(&task) {
                return;
            }
            match answer {
                Ok(credential) => {
                    let (ceremony, token) = (attempt.ceremony.clone(), attempt.token.clone());
                    task.confirmation.replace(Some(Confirmation { ceremony, token, credential }));
                    flow.send_confirmed(&task).await;
                }
                Err(why) => flow.tell(Action::PromptFailed(text::failure(&why.into()))),
            }
        });
    }

    /// Asks for new options, in sight of the person.
    pub(super) fn ask_again(self: &Rc<Self>, why: Option<Words>) {
        let Some(task) = self.task.borrow().clone() else { return };
        self.tell(Action::AskedAgain(why));
        let flow = self.clone();
        spawn_local(async move { flow.ask(&task).await });
    }

    /// The same request once more, after its answer was lost.
    pub(super) fn send_again(self: &Rc<Self>) {
        let Some(task) = self.task.borrow().clone() else { return };
        let flow = self.clone();
        spawn_local(async move { flow.send_confirmed(&task).await });
    }

    /// Escape, or a way out. What was sent already is waited for without the prompt.
    pub(super) fn leave(&self) {
        let Some(task) = self.task.take() else { return };
        let phase = match &*self.prompt.latest() {
            Prompt::Open(open) => Some(open.phase.clone()),
            Prompt::Closed => None,
        };
        webauthn::abort();
        self.tell(Action::Ended);
        match phase {
            Some(Phase::Sending) => {}
            Some(Phase::Unanswered(failure)) => task.end(Err(Stopped::Failed(failure))),
            _ => task.end(Err(Stopped::Left)),
        }
    }

    /// Before the options are too old, and when the person comes back to the tab.
    pub(super) fn renew_if_stale(self: &Rc<Self>) {
        let Some(task) = self.task.borrow().clone() else { return };
        let renewals = task.renewals.get();
        if !self.is_ready()
            || !browser::is_visible()
            || task.fresh(self.jkt().as_ref()).is_some()
            || renewals >= SILENT_RENEWALS
        {
            return;
        }
        task.renewals.set(renewals + 1);
        let flow = self.clone();
        spawn_local(async move {
            let fetched = flow.fetch(&task.asked).await;
            // A failure is no news before the person wants something; and who has pressed meanwhile was too late.
            if flow.is_at(&task) && flow.is_ready() && !matches!(fetched, Err(Unfit::Failed(_))) {
                flow.take(&task, fetched);
            }
        });
    }

    async fn ask(&self, task: &Rc<Task>) {
        let fetched = self.fetch(&task.asked).await;
        if self.is_at(task) {
            self.take(task, fetched);
        }
    }

    fn take(&self, task: &Rc<Task>, fetched: Result<Attempt, Unfit>) {
        match fetched {
            Ok(attempt) => {
                if attempt.claimed {
                    self.tell(Action::OnlyClaimed);
                }
                task.attempt.replace(Some(Rc::new(attempt)));
                self.tell(Action::Checked);
            }
            Err(Unfit::Differs(difference)) => self.tell(Action::Differed(difference)),
            Err(Unfit::Failed(failure)) => match Means::of(&failure) {
                Means::Barred => self.tell(Action::WasBarred(failure)),
                Means::Refused => self.end(task, Err(Stopped::Failed(failure))),
                Means::Confirm | Means::Unanswered => self.tell(Action::CouldNotAsk(text::failure(&failure))),
            },
        }
    }

    /// The preflight, and everything that is to be checked before anything of it is shown.
    async fn fetch(&self, asked: &Asked) -> Result<Attempt, Unfit> {
        let (preflight, jkt) = (asked.kind.preflight(), self.jkt());
        let call = Call::post_json(&preflight, Access::SignedIn, asked.canonical.clone());
        let answer = self.api.call_unread(call).await.map_err(Unfit::Failed)?;
        let made_ms = clock::steady_ms();
        let options = Options::read(&answer).map_err(|why| Unfit::Failed(why.into()))?;
        let checked = match self.check(&options, asked) {
            // Another tab may have signed in since: then this page's own knowledge is old.
            Err(Difference::Session | Difference::Account) => {
                let me = self.api.call::<Me>(Call::get("/v1/me", Access::SignedIn)).await;
                let me = me.map_err(Unfit::Failed)?;
                // As somebody else: what was asked for here is not theirs to confirm.
                if me.account.id != self.me.borrow().account.id {
                    return Err(Unfit::Differs(Difference::Account));
                }
                self.me.replace(Rc::new(me));
                self.check(&options, asked)
            }
            checked => checked,
        };
        let prompt = checked.map_err(Unfit::Differs)?;
        let claimed = options.are_only_claimed();
        let Options { ceremony, token, .. } = options;
        Ok(Attempt { ceremony, token, prompt, made_ms, jkt, claimed })
    }

    fn jkt(&self) -> Option<Thumbprint> {
        self.api.pop().thumbprint()
    }

    fn check(&self, options: &Options, asked: &Asked) -> Result<webauthn::Prompt, Difference> {
        let jkt = self.jkt().ok_or(Difference::Ceremony)?;
        let (me, origin) = (self.me.borrow().clone(), browser::origin());
        let by = Asker { account: &me.account.id, session: &me.session.id, jkt: &jkt, origin: &origin };
        webauthn::Prompt::confirming(options, |offer| {
            offer.check(asked, &by, |claims| json::from_str(claims).ok())
        })
    }

    async fn send_confirmed(&self, task: &Rc<Task>) {
        self.tell(Action::Answered);
        let body = (task.body)(task.confirmation.borrow().clone());
        let failure = match self.send(&task.asked, &task.key, body).await {
            Ok(answer) => return self.end(task, Ok(answer)),
            Err(failure) => failure,
        };
        if !self.is_at(task) {
            return task.end(Err(Stopped::Failed(failure)));
        }
        match Means::of(&failure) {
            Means::Unanswered => self.tell(Action::AnswerLost(failure)),
            // Who refuses whatever is signed shall not get signature after signature out of one wish.
            Means::Confirm | Means::Barred if task.refused.replace(true) => {
                self.end(task, Err(Stopped::Failed(failure)));
            }
            Means::Confirm => {
                self.tell(Action::ConfirmationRefused(text::failure(&failure)));
                self.ask(task).await;
            }
            Means::Barred => self.tell(Action::WasBarred(failure)),
            Means::Refused => self.end(task, Err(Stopped::Failed(failure))),
        }
    }

    async fn send(&self, asked: &Asked, key: &str, body: String) -> Result<JsValue, Failure> {
        let call = Call::post_json(asked.kind.path(), Access::SignedIn, body).idempotency_key(key);
        let answer = self.api.call_unread(call).await;
        let lost = answer.as_ref().is_err_and(|failure| Means::of(failure) == Means::Unanswered);
        let mut unanswered = self.unanswered.borrow_mut();
        unanswered.retain(|lost| !lost.is_of(asked));
        if lost {
            let (kind, canonical, key) = (asked.kind, asked.canonical.clone(), key.to_owned());
            unanswered.push(Unanswered { kind, canonical, key });
        }
        drop(unanswered);
        answer
    }

    fn key_for(&self, asked: &Asked) -> Result<String, Failure> {
        if let Some(key) = self.lost_key(asked) {
            return Ok(key);
        }
        let random = browser::random::<16>().ok_or(Failure::Key(PopError::NotSupported))?;
        Ok(base64url::encode(&random))
    }

    fn lost_key(&self, asked: &Asked) -> Option<String> {
        self.unanswered.borrow().iter().find(|lost| lost.is_of(asked)).map(|lost| lost.key.clone())
    }

    /// The prompt goes, if it is still this one's.
    fn end(&self, task: &Rc<Task>, outcome: Outcome) {
        if self.is_at(task) {
            self.task.replace(None);
            self.tell(Action::Ended);
        }
        task.end(outcome);
    }

    fn is_at(&self, task: &Rc<Task>) -> bool {
        self.task.borrow().as_ref().is_some_and(|now| Rc::ptr_eq(now, task))
    }

    fn is_ready(&self) -> bool {
        matches!(&*self.prompt.latest(), Prompt::Open(open) if open.phase == Phase::Ready)
    }

    fn tell(&self, action: Action) {
        self.prompt.teller().dispatch(action);
    }
}

/// Why no options were taken.
enum Unfit {
    Failed(Failure),
    Differs(Difference),
}
