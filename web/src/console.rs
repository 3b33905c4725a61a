//! The other document of the page: agents, money, secrets, the terminal, and what is confirmed by a
//! passkey each time. Whoever is not signed in is led to the Security page's document, and back.

use crate::{
    account::AtStake,
    agents::{AgentsPanels, AgentsPanelsProps},
    api::Api,
    app::{Opening, broken, unreachable, way_out},
    browser::{self, Kept},
    credentials::{CredentialsPanels, CredentialsPanelsProps},
    live::use_live,
    passkeys::{ManagePasskeys, ManagePasskeysProps},
    recovery::{RenewCodes, RenewCodesProps},
    session::{Action, Here, Notice, Session, Standing, use_session},
    step_up::{Confirmations, ConfirmationsProps, Hold, HoldProps, StepUp, use_step_up},
    store::{at_end, use_effect_of, use_value},
    terminal::{TerminalPanel, TerminalPanelProps},
    text,
    ui::{
        Element, Heading, Hears, Width, centre, classed, component_of, element, group, shell_with, waiting,
    },
    wallet::{WalletPanels, WalletPanelsProps},
};
use gloo_events::EventListener;
use holdfast_protocol::account::Role;
use std::cell::Cell;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::MouseEvent;
use yew::{
    prelude::{Callback, Html, Properties, component, hook},
    virtual_dom::Key,
};

/// The server gives this document to every address that begins with it.
pub const PATH: &str = "/console";
/// The bar of links, which is wider than a phone.
const WAYS: &str = "ways";
/// The link in it that leads here.
const HERE: &str = "way-here";

/// What the console shows, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Who may act for the account, and how far.
    Agents,
    /// Money.
    Wallet,
    /// Secrets that agents read.
    Credentials,
    /// A shell on the server's machine.
    Terminal,
    /// Passkeys: added, tested, removed.
    Passkeys,
    /// Recovery codes: a new list.
    Codes,
    /// Everything that was confirmed, or was not.
    Confirmations,
}

/// A key that is in memory only does not live to see another document, which would have to sign in again.
pub fn is_open_to(kept: holdfast_pop::Kept) -> bool {
    kept == holdfast_pop::Kept::Stored
}

/// A link from the Security page's document to this one; none where it would end the session.
pub fn link(
    kept: holdfast_pop::Kept,
    class: &'static str,
    address: &'static str,
    said: &'static str,
) -> Option<Element> {
    is_open_to(kept).then(|| classed("a", class).attr("href", address).with(said))
}

impl Surface {
    const ALL: [Surface; 7] = [
        Surface::Agents,
        Surface::Wallet,
        Surface::Credentials,
        Surface::Terminal,
        Surface::Passkeys,
        Surface::Codes,
        Surface::Confirmations,
    ];

    /// As the address bar shows it.
    pub const fn path(self) -> &'static str {
        match self {
            Surface::Agents => "/console/agents",
            Surface::Wallet => "/console/wallet",
            Surface::Credentials => "/console/credentials",
            Surface::Terminal => "/console/terminal",
            Surface::Passkeys => "/console/passkeys",
            Surface::Codes => "/console/codes",
            Surface::Confirmations => "/console/confirmations",
        }
    }

    /// What it is called in the bar of links, and on its tab.
    const fn name(self) -> &'static str {
        match self {
            Surface::Agents => "Agents",
            Surface::Wallet => "Wallet",
            Surface::Credentials => "Credentials",
            Surface::Terminal => "Terminal",
            Surface::Passkeys => "Passkeys",
            Surface::Codes => "Recovery codes",
            Surface::Confirmations => "Confirmations",
        }
    }

    /// From the address bar; everything unknown is the first one.
    fn parse(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        Self::ALL.into_iter().find(|surface| surface.path() == path).unwrap_or(Surface::Agents)
    }
}

/// The whole document.
#[component]
pub fn Console() -> Html {
    let Session { standing, api, tell, try_now } = use_session();
    let elsewhere = elsewhere(&standing);
    {
        let api = api.clone();
        // Who leaves does not want to be led back.
        let leaves = standing == Standing::SignedOut(Some(Notice::SignedOutHere));
        use_effect_of((elsewhere, leaves), move |(elsewhere, leaves)| {
            let Some(path) = *elsewhere else { return };
            match api {
                // The key is to be gone before the document that holds it.
                Some(api) if *leaves => spawn_local(async move {
                    let _ = api.pop().destroy().await;
                    browser::replace_by(path);
                }),
                _ => {
                    if let Some(here) = address() {
                        Kept::WayBack.write(&here);
                    }
                    browser::replace_by(path);
                }
            }
        });
    }
    match (standing, api) {
        (Standing::Broken(failure), _) => broken(&failure),
        (Standing::Away(away), _) => unreachable(&away, &try_now),
        (Standing::SignedIn(here), Some(api)) if elsewhere.is_none() => {
            // Nothing of one account stays in sight of another.
            let account = Key::from(here.me.account.id.as_str());
            component_of::<Surfaces>(SurfacesProps { api, here, tell }, Some(account))
        }
        (Standing::Opening, _) => component_of::<Opening>((), None),
        // On the way to another document.
        (_, _) => centre(waiting(Some(text::OPENING))),
    }
}

/// Whether it is an address of this document, with or without a query.
pub fn is_address(path: &str) -> bool {
    let rest = path.strip_prefix(PATH);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// The document of the Security page that comes first, where something is to be done there.
fn elsewhere(standing: &Standing) -> Option<&'static str> {
    match standing {
        Standing::NoAccount => Some("/setup"),
        Standing::SignedOut(_) => Some("/sign-in"),
        Standing::SignedIn(here) if here.me.recovery_codes.is_none() => Some("/welcome"),
        _ => None,
    }
}

/// Path and query as they stand.
fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    Some([location.pathname().ok()?, location.search().ok()?].concat())
}

#[derive(Properties, PartialEq)]
struct SurfacesProps {
    api: Api,
    here: Here,
    tell: Callback<Action>,
}

/// The bar of links, and the surface that the address names.
#[component]
fn Surfaces(props: &SurfacesProps) -> Html {
    let SurfacesProps { api, here, tell } = props;
    let (surface, go) = use_surface();
    let live = use_live(api, tell).live;
    let StepUp { confirm, prompt } = use_step_up(api, &here.me);
    {
        let confirm = confirm.clone();
        use_effect_of(surface, move |_| {
            let show_here = || browser::scroll_sideways_to(WAYS, HERE);
            show_here();
            // Not when only the height has changed, as whenever a phone shows or hides its own bars.
            let shown_at = Cell::new(browser::width_px());
            let resized = web_sys::window().map(|window| {
                EventListener::new(&window, "resize", move |_| {
                    let width_px = browser::width_px();
                    if shown_at.replace(width_px) != width_px {
                        show_here();
                    }
                })
            });
            // A step back in the history takes away what the prompt was opened by.
            (resized, at_end(move || confirm.leave()))
        });
    }
    let (me, on_session) = (here.me.clone(), tell.clone());
    let hold = component_of::<Hold>(
        HoldProps {
            api: api.clone(),
            readiness: me.passkey_readiness.clone(),
            on_session: on_session.clone(),
        },
        None,
    );
    let api = api.clone();
    // Always there, since a shell lives for as long as its panel does.
    let terminal = TerminalPanelProps { api: api.clone(), me: here.me.clone(), confirm: confirm.clone() };
    let terminal = element("div")
        .attr("hidden", (surface != Surface::Terminal).then_some(""))
        .with(component_of::<TerminalPanel>(terminal, None));
    let panels = match surface {
        Surface::Wallet => component_of::<WalletPanels>(
            WalletPanelsProps { api, confirm, live, name: me.account.name.clone() },
            None,
        ),
        Surface::Agents => component_of::<AgentsPanels>(AgentsPanelsProps { api, confirm, live }, None),
        Surface::Passkeys => {
            let changes = live.passkey_changes();
            let properties = ManagePasskeysProps { api, confirm, me, on_session, changes };
            component_of::<ManagePasskeys>(properties, None)
        }
        Surface::Codes => component_of::<RenewCodes>(RenewCodesProps { api, confirm, me, on_session }, None),
        Surface::Credentials => {
            component_of::<CredentialsPanels>(CredentialsPanelsProps { api, confirm }, None)
        }
        Surface::Confirmations => component_of::<Confirmations>(ConfirmationsProps { api, live }, None),
        Surface::Terminal => Html::default(),
    };
    let heading = Heading { text: surface.name(), tab: surface.name() }.show();
    let content = group().with(hold).with(heading).with(panels).with(terminal).with(prompt);
    shell_with(
        Width::Page,
        way_out(&props.api, here, tell, AtStake::Nothing),
        ways(surface, here.me.account.role, &go),
        content,
    )
}

/// Links to every surface that is of any use to the person, and back to the Security page.
fn ways(surface: Surface, role: Role, go: &Callback<Surface>) -> Element {
    let way = |to: Surface| {
        let go = go.clone();
        element("li").with(
            element("a")
                .attr("href", to.path())
                .attr("aria-current", (to == surface).then_some("page"))
                .attr("id", (to == surface).then_some(HERE))
                .on(Hears::Click, move |event| {
                    // A click for another tab or window is the browser's.
                    let plain = event.dyn_ref::<MouseEvent>().is_none_or(|click| {
                        !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key())
                    });
                    if plain {
                        event.prevent_default();
                        go.emit(to);
                    }
                })
                .with(to.name()),
        )
    };
    let security = element("li").with(element("a").attr("href", "/security").with("Security"));
    let surfaces = Surface::ALL.into_iter().filter(|to| role == Role::Admin || *to != Surface::Terminal);
    classed("nav", "ways")
        .attr("id", WAYS)
        .attr("aria-label", "Console")
        .with(element("ul").with(security).with_each(surfaces.map(way)))
}

/// The surface of the address, and the way to another one.
#[hook]
fn use_surface() -> (Surface, Callback<Surface>) {
    let surface = use_value(current);
    {
        let surface = surface.setter();
        use_effect_of((), move |()| {
            web_sys::window()
                .map(|window| EventListener::new(&window, "popstate", move |_| surface.set(current())))
        });
    }
    let setter = surface.setter();
    let go = Callback::from(move |to: Surface| {
        let history = web_sys::window().and_then(|window| window.history().ok());
        // Nothing is ever kept in the history's state: it outlives what it describes.
        let written = history.map(|history| history.push_state_with_url(&JsValue::NULL, "", Some(to.path())));
        if let Some(Ok(())) = written {
            setter.set(to);
        }
    });
    (*surface, go)
}

fn current() -> Surface {
    let path = web_sys::window().and_then(|window| window.location().pathname().ok());
    Surface::parse(&path.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_back_to_its_surface() {
        for surface in Surface::ALL {
            assert_eq!(Surface::parse(surface.path()), surface);
            assert!(surface.path().starts_with(PATH));
        }
        assert_eq!(Surface::parse("/console/wallet/"), Surface::Wallet);
        assert_eq!(Surface::parse("/console"), Surface::Agents);
        assert_eq!(Surface::parse("/console/nowhere"), Surface::Agents);
    }

    #[test]
    fn a_key_in_memory_is_led_to_no_other_document() {
        use holdfast_pop::Kept;
        assert!(link(Kept::Stored, "small", PATH, "Console").is_some());
        assert!(link(Kept::MemoryOnly, "small", PATH, "Console").is_none());
    }

    #[test]
    fn the_way_back_leads_to_the_console_alone() {
        for address in ["/console", "/console?x", "/console/agents?code=7k4m-x2f9"] {
            assert!(is_address(address), "{address}");
        }
        for other in
            ["", "/", "/consoles", "//console/agents", "https://console.example/console", "/security"]
        {
            assert!(!is_address(other), "{other}");
        }
    }
}
