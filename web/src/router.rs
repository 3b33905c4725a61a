use crate::store::{use_effect_of, use_value};
use gloo_events::EventListener;
use wasm_bindgen::JsValue;
use yew::prelude::{Callback, hook};

/// The addresses of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The first account is made here, once.
    Setup,
    /// Signing in.
    SignIn,
    /// What is left of the wizard: recovery codes, then done.
    Welcome,
    /// Account > Security.
    Security,
}

impl Route {
    /// As the address bar shows it.
    pub const fn path(self) -> &'static str {
        match self {
            Route::Setup => "/setup",
            Route::SignIn => "/sign-in",
            Route::Welcome => "/welcome",
            Route::Security => "/security",
        }
    }

    /// From the address bar; `None` for `/` and everything unknown.
    pub fn parse(path: &str) -> Option<Self> {
        [Route::Setup, Route::SignIn, Route::Welcome, Route::Security]
            .into_iter()
            .find(|route| route.path() == path.trim_end_matches('/'))
    }
}

/// How the history of the tab is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// The person went there: a step back leads here.
    Push,
    /// The page decided: the address it came from leads nowhere.
    Replace,
}

/// The address as it stands, and the way to change it.
#[hook]
pub fn use_route() -> (Option<Route>, Callback<(Route, Write)>) {
    let route = use_value(current);
    {
        let route = route.setter();
        use_effect_of((), move |()| {
            web_sys::window()
                .map(|window| EventListener::new(&window, "popstate", move |_| route.set(current())))
        });
    }
    let setter = route.setter();
    let go = Callback::from(move |(route, write): (Route, Write)| {
        let history = web_sys::window().and_then(|window| window.history().ok());
        let Some(history) = history else { return };
        // Nothing of the page is ever kept in the history's state: it outlives what it describes.
        let written = match write {
            Write::Push => history.push_state_with_url(&JsValue::NULL, "", Some(route.path())),
            Write::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(route.path())),
        };
        if written.is_ok() {
            setter.set(Some(route));
        }
    });
    (*route, go)
}

fn current() -> Option<Route> {
    let path = web_sys::window()?.location().pathname().ok()?;
    Route::parse(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_back_to_its_route() {
        for route in [Route::Setup, Route::SignIn, Route::Welcome, Route::Security] {
            assert_eq!(Route::parse(route.path()), Some(route));
        }
        assert_eq!(Route::parse("/security/"), Some(Route::Security));
        for other in ["/", "", "/nowhere", "/security/x"] {
            assert_eq!(Route::parse(other), None, "{other}");
        }
    }
}
