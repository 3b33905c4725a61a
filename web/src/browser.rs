use gloo_events::{EventListener, EventListenerOptions};
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, Element, HtmlAnchorElement, HtmlElement, HtmlInputElement, Storage, Url,
    VisibilityState,
};
use yew::{BaseComponent, Renderer};

/// What this tab keeps across a reload, and forgets when it is closed.
#[derive(Debug, Clone, Copy)]
pub enum Kept {
    /// The setup token of the link.
    SetupToken,
    /// What was typed in the first step of setup.
    SetupName,
    /// As above.
    SetupEmail,
    /// Recovery codes were on the screen: "yes", or "sent" once they may be in force.
    CodesShown,
    /// Where in the console the person was when they had to sign in.
    WayBack,
}

impl Kept {
    const fn key(self) -> &'static str {
        match self {
            Kept::SetupToken => "holdfast.setup-token",
            Kept::SetupName => "holdfast.setup-name",
            Kept::SetupEmail => "holdfast.setup-email",
            Kept::CodesShown => "holdfast.codes-shown",
            Kept::WayBack => "holdfast.way-back",
        }
    }

    /// What was kept.
    pub fn read(self) -> Option<String> {
        session_storage()?.get_item(self.key()).ok().flatten()
    }

    /// Keeps it. A browser without storage loses it at the next reload, and nothing else.
    pub fn write(self, value: &str) {
        if let Some(storage) = session_storage() {
            let _ = storage.set_item(self.key(), value);
        }
    }

    /// Forgets it.
    pub fn forget(self) {
        if let Some(storage) = session_storage() {
            let _ = storage.remove_item(self.key());
        }
    }
}

/// Puts a component in the place of the words that the document came with.
pub fn show<C: BaseComponent<Properties = ()>>() {
    match element::<Element>("app") {
        Some(root) => Renderer::<C>::with_root(root).render(),
        None => Renderer::<C>::new().render(),
    };
}

fn session_storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

/// `location.origin`
pub fn origin() -> String {
    web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// Takes `#t=…` out of the address bar and the history, and gives it.
pub fn take_fragment_token() -> Option<String> {
    let window = web_sys::window()?;
    let location = window.location();
    let token = token_of(&location.hash().ok()?)?.to_owned();
    if let (Ok(history), Ok(path)) = (window.history(), location.pathname()) {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    }
    Some(token)
}

/// The setup token in a fragment, or in a whole setup link that somebody pasted.
pub fn token_of(text: &str) -> Option<&str> {
    let token = text.split('#').skip(1).find_map(|fragment| fragment.strip_prefix("t="))?.trim();
    (!token.is_empty()).then_some(token)
}

/// `location.search`
pub fn query() -> String {
    web_sys::window().and_then(|window| window.location().search().ok()).unwrap_or_default()
}

/// Takes the query out of the address bar and the history.
pub fn drop_query() {
    let Some(window) = web_sys::window() else { return };
    if let (Ok(history), Ok(path)) = (window.history(), window.location().pathname()) {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    }
}

/// A cookie that scripts may read.
pub fn cookie(name: &str) -> Option<String> {
    let document = web_sys::window()?.document()?.dyn_into::<web_sys::HtmlDocument>().ok()?;
    cookie_in(&document.cookie().ok()?, name).map(str::to_owned)
}

fn cookie_in<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    cookies.split(';').find_map(|cookie| {
        let cookie = cookie.strip_prefix(' ').unwrap_or(cookie);
        cookie.strip_prefix(name)?.strip_prefix('=')
    })
}

/// Opens another document of this origin, in the place of this one.
pub fn replace_by(path: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.location().replace(path);
    }
}

/// Whether the browser believes that it has a network.
pub fn is_online() -> bool {
    web_sys::window().is_none_or(|window| window.navigator().on_line())
}

/// Whether the person can see the page.
pub fn is_visible() -> bool {
    web_sys::window()
        .and_then(|window| window.document())
        .is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// How wide the page is: `innerWidth`.
pub fn width_px() -> Option<f64> {
    web_sys::window()?.inner_width().ok()?.as_f64()
}

/// Names the tab.
pub fn title(text: &str) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(text);
    }
}

/// Moves the focus to an element.
pub fn focus(id: &str) {
    if let Some(element) = element::<HtmlElement>(id) {
        let _ = element.focus();
    }
}

/// Moves the focus into a field, with what is in it selected.
pub fn select(id: &str) {
    focus(id);
    if let Some(input) = element::<HtmlInputElement>(id) {
        input.select();
    }
}

/// What is typed into a field.
pub fn typed(id: &str) -> Option<String> {
    value_of(element::<HtmlElement>(id)?.as_ref())
}

/// What an input, a choice or a text area holds.
pub fn value_of(field: &JsValue) -> Option<String> {
    Reflect::get(field, &JsValue::from_str("value")).ok()?.as_string()
}

/// Brings an element to the middle of the bar that it stands in.
pub fn scroll_sideways_to(bar: &str, id: &str) {
    if let (Some(bar), Some(link)) = (element::<HtmlElement>(bar), element::<HtmlElement>(id)) {
        bar.set_scroll_left(link.offset_left() - (bar.client_width() - link.offset_width()) / 2);
    }
}

fn element<E: JsCast>(id: &str) -> Option<E> {
    web_sys::window()?.document()?.get_element_by_id(id)?.dyn_into().ok()
}

/// Random bytes from the system.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    web_sys::window()?.crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

/// A number below `bound`, every one as likely as a byte allows; 0 when there is no randomness.
pub fn pick(bound: usize) -> usize {
    random::<1>().map_or(0, |[byte]| usize::from(byte) * bound / 256)
}

/// The clipboard did not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCopied;

/// Puts text on the clipboard.
pub async fn copy(text: &str) -> Result<(), NotCopied> {
    let window = web_sys::window().ok_or(NotCopied)?;
    let promise = window.navigator().clipboard().write_text(text);
    JsFuture::from(promise).await.map(|_| ()).map_err(|_| NotCopied)
}

/// Gives the person a text file.
pub fn download(name: &str, text: &str) -> Option<()> {
    let document = web_sys::window()?.document()?;
    let kind = BlobPropertyBag::new();
    kind.set_type("text/plain;charset=utf-8");
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&JsValue::from_str(text)), &kind).ok()?;
    let address = Url::create_object_url_with_blob(&blob).ok()?;
    let anchor = document.create_element("a").ok()?.dyn_into::<HtmlAnchorElement>().ok()?;
    anchor.set_href(&address);
    anchor.set_download(name);
    anchor.click();
    // The browser has begun to read it; a minute later nothing of it is left in the page.
    gloo_timers::callback::Timeout::new(60_000, move || {
        let _ = Url::revoke_object_url(&address);
    })
    .forget();
    Some(())
}

/// Opens the browser's print dialog.
pub fn print() {
    if let Some(window) = web_sys::window() {
        let _ = window.print();
    }
}

/// Has the browser ask before this page goes, until it is dropped.
pub fn warn_before_leaving() -> Option<EventListener> {
    let window = web_sys::window()?;
    let options = EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(&window, "beforeunload", options, |event| event.prevent_default()))
}

/// Loads the page anew.
pub fn reload() {
    if let Some(window) = web_sys::window() {
        let _ = window.location().reload();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_token_is_read_from_a_fragment_and_from_a_whole_link() {
        assert_eq!(token_of("#t=abc"), Some("abc"));
        assert_eq!(token_of("http://localhost:8787/setup#t=abc \n"), Some("abc"));
        assert_eq!(token_of("Console #1: http://localhost:8787/setup#t=abc"), Some("abc"));
        assert_eq!(token_of("#t="), None);
        assert_eq!(token_of("abc"), None);
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        assert_eq!(cookie_in("xcsrf=1; csrf=2; csrf2=3", "csrf"), Some("2"));
        assert_eq!(cookie_in("csrf2=3", "csrf"), None);
        assert_eq!(cookie_in("", "csrf"), None);
    }
}
