use crate::{
    account::{self, AtStake, SetupPage, SignInPage, SignOut},
    api::Api,
    browser,
    connections::ConnectionsPanel,
    history::{activity_panel, alarm, use_history},
    live::{Link, use_live},
    passkeys::PasskeysPanel,
    problem::Failure,
    recovery::{CodesStep, codes_left},
    router::{Route, Write, use_route},
    session::{Action, Away, Here, Session, Standing, use_session},
    text,
    ui::{Again, Heading, Width, alert, centre, shell, use_now, waiting},
};
use gloo_timers::callback::Timeout;
use yew::prelude::{Callback, Html, Properties, component, html, use_effect_with, use_state_eq};

/// The whole page.
#[component]
pub fn App() -> Html {
    let Session { standing, api, tell, try_now } = use_session();
    let (asked, go) = use_route();
    let place = standing.place(asked);
    {
        let go = go.clone();
        use_effect_with((place, asked), move |(place, asked)| {
            if let Some(place) = place
                && Some(*place) != *asked
            {
                go.emit((*place, Write::Replace));
            }
        });
    }
    match (standing, api) {
        (Standing::Broken(failure), _) => broken(&failure),
        (Standing::Away(away), _) => unreachable(&away, &try_now),
        (Standing::NoAccount, Some(api)) => html! { <SetupPage {api} on_session={tell} /> },
        (Standing::SignedOut(notice), Some(api)) => html! { <SignInPage {api} {notice} on_session={tell} /> },
        (Standing::SignedIn(here), Some(api)) => match place {
            Some(Route::Welcome) => welcome(&api, &here, &tell, go),
            _ => html! { <Security {api} {here} {tell} /> },
        },
        (_, _) => html! { <Opening /> },
    }
}

/// Nothing is known yet; after a while it says so.
#[component]
fn Opening() -> Html {
    let said = use_state_eq(|| text::OPENING);
    {
        let said = said.setter();
        use_effect_with((), move |()| {
            let timer = Timeout::new(4_000, move || said.set(text::OPENING_LONG));
            move || drop(timer)
        });
    }
    centre(waiting(Some(*said)))
}

/// The server does not answer; the page goes on asking by itself.
fn unreachable(away: &Away, try_now: &Callback<()>) -> Html {
    let again = Again { label: text::TRY_NOW, run: try_now.clone() };
    centre(html! {
        <>
            <div class="lead">{ Heading { text: text::AWAY_HEADING, tab: text::AWAY_TAB }.show() }</div>
            { alert("away", &away.why.words(), Some(again)) }
            { waiting(Some(text::AWAY_AGAIN)) }
        </>
    })
}

fn broken(failure: &Failure) -> Html {
    let again = Again::new(&Callback::from(|()| browser::reload()));
    centre(html! {
        <>
            <div class="lead">{ Heading { text: text::BROKEN_HEADING, tab: text::AWAY_TAB }.show() }</div>
            { alert("broken", &failure.words(), Some(again)) }
        </>
    })
}

/// What is left of the wizard.
fn welcome(api: &Api, here: &Here, tell: &Callback<Action>, go: Callback<(Route, Write)>) -> Html {
    let (at_stake, content) = match here.me.recovery_codes {
        None => (
            AtStake::RecoveryCodes,
            html! { <CodesStep api={api.clone()} me={here.me.clone()} on_session={tell.clone()} /> },
        ),
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
    let end = way_out(api, here, tell, AtStake::Nothing);
    shell(
        Width::Page,
        end,
        html! {
            <>
                { alarm(&history, now_ms) }
                { account::summary(here, live) }
                <PasskeysPanel api={api.clone()} {changes} />
                <ConnectionsPanel api={api.clone()} live={handle} />
                { here.me.recovery_codes.as_ref().map(|codes| codes_left(codes, now_ms)) }
                { activity_panel(&history, now_ms) }
            </>
        },
    )
}

/// Who is signed in, and the way out.
fn way_out(api: &Api, here: &Here, tell: &Callback<Action>, at_stake: AtStake) -> Html {
    html! {
        <div class="bar-end">
            <span class="who small muted">{ here.me.account.name.clone() }</span>
            <SignOut api={api.clone()} on_session={tell.clone()} {at_stake} />
        </div>
    }
}
