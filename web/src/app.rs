use crate::store::{use_effect_of, use_value};
use crate::{
    account::{self, AtStake, SetupPage, SetupPageProps, SignInPage, SignInPageProps, SignOut, SignOutProps},
    api::Api,
    browser::{self, Kept},
    connections::{ConnectionsPanel, ConnectionsPanelProps},
    console,
    history::{activity_panel, alarm, use_history},
    live::{Link, use_live},
    passkeys::{PasskeysPanel, PasskeysPanelProps},
    problem::Failure,
    recovery::{CodesStep, CodesStepProps, codes_left},
    router::{Route, Write, use_route},
    session::{Action, Away, Here, Session, Standing, use_session},
    step_up::{Hold, HoldProps},
    text,
    ui::{
        Again, Element, Heading, Width, alert, centre, component_of, div, group, shell, span, use_now,
        waiting,
    },
};
use gloo_timers::callback::Timeout;
use yew::prelude::{Callback, Html, Properties, component};

/// The whole page.
#[component]
pub fn App() -> Html {
    let Session { standing, api, tell, try_now } = use_session();
    let (asked, go) = use_route();
    let place = standing.place(asked);
    let may_leave = matches!(&standing, Standing::SignedIn(here) if console::is_open_to(here.kept));
    {
        let go = go.clone();
        use_effect_of((place, asked), move |(place, asked)| {
            if *place == Some(Route::Security)
                && let Some(way_back) = take_way_back()
                && may_leave
            {
                browser::replace_by(&way_back);
            } else if let Some(place) = place
                && Some(*place) != *asked
            {
                go.emit((*place, Write::Replace));
            }
        });
    }
    match (standing, api) {
        (Standing::Broken(failure), _) => broken(&failure),
        (Standing::Away(away), _) => unreachable(&away, &try_now),
        (Standing::NoAccount, Some(api)) => {
            component_of::<SetupPage>(SetupPageProps { api, on_session: tell }, None)
        }
        (Standing::SignedOut(notice), Some(api)) => {
            component_of::<SignInPage>(SignInPageProps { api, notice, on_session: tell }, None)
        }
        (Standing::SignedIn(here), Some(api)) => match place {
            Some(Route::Welcome) => welcome(&api, &here, &tell, go),
            _ => component_of::<Security>(SecurityProps { api, here, tell }, None),
        },
        (_, _) => component_of::<Opening>((), None),
    }
}

/// Where in the console the person was before they had to sign in.
fn take_way_back() -> Option<String> {
    let way_back = Kept::WayBack.read()?;
    Kept::WayBack.forget();
    console::is_address(&way_back).then_some(way_back)
}

/// Nothing is known yet; after a while it says so.
#[component]
pub fn Opening() -> Html {
    let said = use_value(|| text::OPENING);
    {
        let said = said.setter();
        use_effect_of((), move |()| Timeout::new(4_000, move || said.set(text::OPENING_LONG)));
    }
    centre(waiting(Some(*said)))
}

/// The server does not answer; the page goes on asking by itself.
pub fn unreachable(away: &Away, try_now: &Callback<()>) -> Html {
    let again = Again { label: text::TRY_NOW, run: try_now.clone() };
    centre(
        group()
            .with(div("lead").with(Heading { text: text::AWAY_HEADING, tab: text::AWAY_TAB }.show()))
            .with(alert("away", &away.why.words(), Some(again)))
            .with(waiting(Some(text::AWAY_AGAIN))),
    )
}

/// The page cannot work here.
pub fn broken(failure: &Failure) -> Html {
    let again = Again::new(&Callback::from(|()| browser::reload()));
    centre(
        group()
            .with(div("lead").with(Heading { text: text::BROKEN_HEADING, tab: text::AWAY_TAB }.show()))
            .with(alert("broken", &failure.words(), Some(again))),
    )
}

/// What is left of the wizard.
fn welcome(api: &Api, here: &Here, tell: &Callback<Action>, go: Callback<(Route, Write)>) -> Html {
    let (at_stake, content) = match here.me.recovery_codes {
        None => {
            let codes = CodesStepProps { api: api.clone(), me: here.me.clone(), on_session: tell.clone() };
            (AtStake::RecoveryCodes, component_of::<CodesStep>(codes, None))
        }
        Some(_) => {
            let open = Callback::from(move |()| go.emit((Route::Security, Write::Push)));
            (AtStake::Nothing, account::done(open))
        }
    };
    shell(Width::Column, way_out(api, here, tell, at_stake), content)
}

#[derive(Properties, PartialEq)]
struct SecurityProps {
    api: Api,
    here: Here,
    tell: Callback<Action>,
}

/// Account > Security: the state first, then the lists.
#[component]
fn Security(props: &SecurityProps) -> Html {
    let SecurityProps { api, here, tell } = props;
    let handle = use_live(api, tell);
    let history = use_history(api, &handle.live);
    let now_ms = use_now(10_000);
    let live = match handle.live.link {
        Link::Proven { .. } => account::Live::Proven,
        _ => account::Live::NotProven,
    };
    let changes = handle.live.passkey_changes();
    let kept = here.kept;
    let console = console::link(kept, "btn quiet", console::PATH, text::CONSOLE);
    let end = group().with(console).with(way_out(api, here, tell, AtStake::Nothing));
    let readiness = here.me.passkey_readiness.clone();
    let hold = HoldProps { api: api.clone(), readiness, on_session: tell.clone() };
    let passkeys = PasskeysPanelProps { api: api.clone(), kept, changes };
    shell(
        Width::Page,
        end,
        group()
            .with(alarm(&history, now_ms))
            .with(component_of::<Hold>(hold, None))
            .with(account::summary(here, live))
            .with(component_of::<PasskeysPanel>(passkeys, None))
            .with(component_of::<ConnectionsPanel>(
                ConnectionsPanelProps { api: api.clone(), live: handle },
                None,
            ))
            .with(here.me.recovery_codes.as_ref().map(|codes| codes_left(codes, kept, now_ms)))
            .with(activity_panel(&history, kept, now_ms)),
    )
}

/// Who is signed in, and the way out.
pub fn way_out(api: &Api, here: &Here, tell: &Callback<Action>, at_stake: AtStake) -> Element {
    let way = SignOutProps { api: api.clone(), on_session: tell.clone(), at_stake };
    div("bar-end")
        .with(span("who small muted").with(here.me.account.name.clone()))
        .with(component_of::<SignOut>(way, None))
}
