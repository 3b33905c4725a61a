use crate::store::{Tell, use_effect_of, use_kept, use_store, use_value};
use crate::{
    api::{Access, Api, Call},
    browser,
    problem::Failure,
    router::Route,
};
use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use holdfast_pop::{Kept, Options, PopClient, PopError, Status};
use holdfast_protocol::{
    account::{Me, SetupStatus, SignedIn},
    problem::Code,
    recovery::RecoveryCodesView,
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, Reducible, hook};

/// What this browser knows about who is signed in.
///
/// ```text
/// Opening ──▶ NoAccount ──▶ SignedIn ──▶ SignedOut ──▶ SignedIn
///    │  ▲                      ▲             ▲
///    ▼  │ tried again          └─────────────┤
///   Away                    (from Opening)───┘
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Nothing is known yet.
    Opening,
    /// The server did not answer, so many times in a row.
    Away(Away),
    /// The page cannot work in this browser.
    Broken(Failure),
    /// The first account is still to be made.
    NoAccount,
    /// Sign in; a sentence says why, where that is worth one.
    SignedOut(Option<Notice>),
    /// Signed in.
    SignedIn(Here),
}

/// The server did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// How it failed last.
    pub why: Failure,
    /// How often in a row.
    pub tries: u32,
}

/// Who is signed in, and whether this browser could keep the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Here {
    /// As the server says.
    pub me: Rc<Me>,
    /// A private window holds the key in memory only.
    pub kept: Kept,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The server's word.
    Refused(Code),
    /// The person signed out here.
    SignedOutHere,
    /// Another tab did, or another browser.
    SignedOutElsewhere,
    /// Setup was done already.
    SetupDone,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Asked again.
    TriedAgain,
    /// The session of this browser is good.
    Recognised(Rc<Me>),
    /// No account exists yet.
    FoundNoAccount,
    /// No session; or one that the server does not take.
    FoundSignedOut(Code),
    /// The server did not answer.
    LostServer(Failure),
    /// The browser cannot do what the page needs.
    FoundBrowserUnable(Failure),
    /// A passkey opened a session.
    SignedIn(Here),
    /// Recovery codes are in force.
    KeptCodes(RecoveryCodesView),
    /// The session ended.
    SignedOut(Notice),
}

impl Reducible for Standing {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(match action {
            Action::TriedAgain => match &*self {
                // The failure stays in sight until something better is known.
                Standing::Away(away) => Standing::Away(away.clone()),
                _ => Standing::Opening,
            },
            Action::Recognised(me) => {
                let kept = match &*self {
                    Standing::SignedIn(here) => here.kept,
                    _ => Kept::Stored,
                };
                Standing::SignedIn(Here { me, kept })
            }
            Action::FoundNoAccount => Standing::NoAccount,
            Action::FoundSignedOut(code) => match &*self {
                // The reason that was told first is the one that explains it.
                Standing::SignedOut(Some(notice)) => Standing::SignedOut(Some(*notice)),
                Standing::SignedIn(_) => Standing::SignedOut(Some(Notice::Refused(code))),
                _ => Standing::SignedOut((code != Code::SignedOut).then_some(Notice::Refused(code))),
            },
            Action::LostServer(why) => match &*self {
                Standing::Away(away) => Standing::Away(Away { why, tries: away.tries.saturating_add(1) }),
                _ => Standing::Away(Away { why, tries: 1 }),
            },
            Action::FoundBrowserUnable(why) => Standing::Broken(why),
            Action::SignedIn(here) => Standing::SignedIn(here),
            Action::KeptCodes(view) => match &*self {
                Standing::SignedIn(here) => {
                    let me = Me { recovery_codes: Some(view), ..(*here.me).clone() };
                    Standing::SignedIn(Here { me: Rc::new(me), kept: here.kept })
                }
                other => other.clone(),
            },
            Action::SignedOut(notice) => match &*self {
                Standing::SignedOut(Some(notice)) => Standing::SignedOut(Some(*notice)),
                _ => Standing::SignedOut(Some(notice)),
            },
        })
    }
}

impl Standing {
    /// Where the page is, given where the address bar asks to be; `None` while that is not known.
    pub fn place(&self, asked: Option<Route>) -> Option<Route> {
        match self {
            Standing::Opening | Standing::Away(_) | Standing::Broken(_) => None,
            Standing::NoAccount => Some(Route::Setup),
            Standing::SignedOut(_) => Some(Route::SignIn),
            Standing::SignedIn(here) if here.me.recovery_codes.is_none() => Some(Route::Welcome),
            // The wizard's last step, until the person leaves it.
            Standing::SignedIn(_) if asked == Some(Route::Welcome) => Some(Route::Welcome),
            Standing::SignedIn(_) => Some(Route::Security),
        }
    }
}

impl Away {
    /// How long to wait before the next try: doubling, at most half a minute, less up to a quarter so
    /// that browsers which lost their server together do not come back together.
    pub fn wait_ms(&self, jitter: u8) -> u32 {
        let full = 1_000_u32.checked_shl(self.tries.saturating_sub(1).min(5)).unwrap_or(30_000).min(30_000);
        full - full / 4 * u32::from(jitter) / 256
    }
}

/// The session, for the app.
pub struct Session {
    /// As it stands.
    pub standing: Standing,
    /// There once the browser's key store is open.
    pub api: Option<Api>,
    /// Tells what happened.
    pub tell: Callback<Action>,
    /// Asks the server again, at once.
    pub try_now: Callback<()>,
}

/// Opens the key store, asks the server who is signed in, and asks again until it answers.
#[hook]
pub fn use_session() -> Session {
    let standing = use_store(|| Standing::Opening);
    let api = use_value(|| None::<Api>);

    {
        let (tell, api) = (standing.teller(), api.setter());
        use_effect_of((), move |()| {
            spawn_local(async move {
                let options = Options::new(browser::origin());
                match PopClient::open(options).await {
                    Ok(pop) => {
                        let opened = Api::new(pop.clone(), when_signed_out(tell.clone()));
                        let (told, asked) = (tell.clone(), opened.clone());
                        pop.on_status(move |status| hear(status, &told, &asked)).forget();
                        api.set(Some(opened.clone()));
                        tell.dispatch(look(&opened).await);
                    }
                    Err(error) => tell.dispatch(Action::FoundBrowserUnable(unable(error))),
                }
            });
        });
    }

    let try_now = {
        let tell = standing.teller();
        use_kept((*api).clone(), move |api: &Option<Api>| {
            let (api, tell) = (api.clone(), tell.clone());
            Callback::from(move |()| {
                let Some(api) = api.clone() else { return browser::reload() };
                let tell = tell.clone();
                tell.dispatch(Action::TriedAgain);
                spawn_local(async move { tell.dispatch(look(&api).await) });
            })
        })
    };
    {
        let try_now = try_now.clone();
        let away = match &*standing {
            Standing::Away(away) => Some(away.clone()),
            _ => None,
        };
        use_effect_of(away, move |away| {
            away.as_ref().map(|away| {
                let again = try_now.clone();
                let wait_ms = away.wait_ms(browser::random::<1>().map_or(0, |[byte]| byte));
                let timer = Timeout::new(wait_ms, move || again.emit(()));
                let online = web_sys::window()
                    .map(|window| EventListener::new(&window, "online", move |_| try_now.emit(())));
                (timer, online)
            })
        });
    }
    let tell = {
        let tell = standing.teller();
        use_kept((), move |()| {
            let tell = tell.clone();
            Callback::from(move |action| tell.dispatch(action))
        })
    };
    Session { standing: (*standing).clone(), api: (*api).clone(), tell, try_now }
}

/// `GET /v1/me`, and what its absence means.
async fn look(api: &Api) -> Action {
    match api.ask::<Me>(Call::get("/v1/me", Access::SignedIn)).await {
        Ok(me) => Action::Recognised(Rc::new(me)),
        Err(Failure::Refused(problem)) if problem.status == 401 => {
            match api.ask::<SetupStatus>(Call::get("/v1/setup", Access::Public)).await {
                Ok(setup) if setup.open => Action::FoundNoAccount,
                Ok(_) => Action::FoundSignedOut(problem.code),
                Err(failure) => Action::LostServer(failure),
            }
        }
        Err(Failure::Key(PopError::NoKey | PopError::KeyRefused)) => {
            Action::FoundSignedOut(Code::PopProofMissing)
        }
        Err(failure @ Failure::Key(_)) => Action::FoundBrowserUnable(failure),
        Err(failure) => Action::LostServer(failure),
    }
}

/// After a ceremony: keeps the key, tells the authenticator, and says who is signed in.
pub async fn settle(api: &Api, key: holdfast_pop::NewKey, answer: SignedIn) -> Result<Here, Failure> {
    let kept = api.pop().adopt(key).await?;
    crate::webauthn::signal_signed_in(&answer.me.signals);
    Ok(Here { me: Rc::new(answer.me), kept })
}

fn when_signed_out(tell: Tell<Standing>) -> Callback<Code> {
    Callback::from(move |code| tell.dispatch(Action::FoundSignedOut(code)))
}

/// What other tabs of this browser did.
fn hear(status: Status, tell: &Tell<Standing>, api: &Api) {
    match status {
        Status::SignedOut => tell.dispatch(Action::SignedOut(Notice::SignedOutElsewhere)),
        // Another tab signed in: perhaps somebody else.
        Status::KeyReplaced => {
            let (tell, api) = (tell.clone(), api.clone());
            spawn_local(async move { tell.dispatch(look(&api).await) });
        }
        // Said where the session was opened.
        Status::MemoryOnly => {}
    }
}

fn unable(error: PopError) -> Failure {
    match web_sys::window() {
        Some(window) if !window.is_secure_context() => {
            crate::ceremony::CeremonyFailure::InsecureContext.into()
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn after(standing: Standing, action: Action) -> Standing {
        (*Rc::new(standing).reduce(action)).clone()
    }

    fn signed_in(me: Me) -> Standing {
        after(Standing::Opening, Action::Recognised(Rc::new(me)))
    }

    #[test]
    fn a_person_without_codes_is_led_to_them_from_everywhere() {
        let standing = signed_in(Me { recovery_codes: None, ..sample::me() });
        for asked in [None, Some(Route::Setup), Some(Route::Security), Some(Route::Welcome)] {
            assert_eq!(standing.place(asked), Some(Route::Welcome));
        }
        let kept = after(standing, Action::KeptCodes(sample::codes_left(10)));
        assert_eq!(kept.place(Some(Route::Welcome)), Some(Route::Welcome), "the last step stays in sight");
        assert_eq!(kept.place(None), Some(Route::Security));
    }

    #[test]
    fn an_account_that_does_not_exist_yet_is_made_first() {
        let standing = after(Standing::Opening, Action::FoundNoAccount);
        assert_eq!(standing.place(Some(Route::Security)), Some(Route::Setup));
    }

    #[test]
    fn nothing_is_shown_before_anything_is_known() {
        assert_eq!(Standing::Opening.place(Some(Route::Security)), None);
        assert_eq!(after(Standing::Opening, Action::LostServer(Failure::ServerAway)).place(None), None);
    }

    #[test]
    fn a_stranger_gets_no_notice_and_an_ended_session_does() {
        let stranger = after(Standing::Opening, Action::FoundSignedOut(Code::SignedOut));
        assert_eq!(stranger, Standing::SignedOut(None));
        let wiped = after(Standing::Opening, Action::FoundSignedOut(Code::PopProofMissing));
        assert_eq!(wiped, Standing::SignedOut(Some(Notice::Refused(Code::PopProofMissing))));
        let ended = after(signed_in(sample::me()), Action::FoundSignedOut(Code::SignedOut));
        assert_eq!(ended, Standing::SignedOut(Some(Notice::Refused(Code::SignedOut))));
    }

    #[test]
    fn signing_out_here_is_not_overwritten_by_what_follows_from_it() {
        let out = after(signed_in(sample::me()), Action::SignedOut(Notice::SignedOutHere));
        assert_eq!(after(out.clone(), Action::FoundSignedOut(Code::SignedOut)), out);
        assert_eq!(after(out.clone(), Action::SignedOut(Notice::SignedOutElsewhere)), out);
    }

    #[test]
    fn waits_double_and_stay_short() {
        let wait = |tries| Away { why: Failure::ServerAway, tries }.wait_ms(0);
        assert_eq!([1, 2, 3, 6, 60].map(wait), [1_000, 2_000, 4_000, 30_000, 30_000]);
        assert_eq!(Away { why: Failure::ServerAway, tries: 1 }.wait_ms(255), 751);
    }
}
