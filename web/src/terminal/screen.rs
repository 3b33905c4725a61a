use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::{
    JsCast as _, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// In console.html: an import of web/terminal/terminal.mjs.
    #[wasm_bindgen(js_name = loadTerminal, catch)]
    fn load_terminal() -> Result<Promise, JsValue>;

    type Module;

    #[wasm_bindgen(method, catch)]
    fn open(this: &Module, place: &JsValue, hears: &Object) -> Result<Drawn, JsValue>;

    type Drawn;

    #[wasm_bindgen(method)]
    fn columns(this: &Drawn) -> u16;

    #[wasm_bindgen(method)]
    fn rows(this: &Drawn) -> u16;

    #[wasm_bindgen(method, catch)]
    fn write(this: &Drawn, bytes: &Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn text(this: &Drawn) -> String;

    #[wasm_bindgen(method)]
    fn focus(this: &Drawn);

    #[wasm_bindgen(method)]
    fn freeze(this: &Drawn);

    #[wasm_bindgen(method)]
    fn close(this: &Drawn);
}

/// What a terminal is drawn with, once it has been fetched. Every copy is the same.
#[derive(Clone)]
pub(super) struct Script(Rc<Module>);

/// It did not come, or not as it was published; or the browser has no place for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotDrawn;

/// Fetches it, where it has not been fetched before.
pub(super) async fn fetch() -> Result<Script, NotDrawn> {
    let loading = load_terminal().map_err(|_| NotDrawn)?;
    let module = JsFuture::from(loading).await.map_err(|_| NotDrawn)?;
    Ok(Script(Rc::new(module.unchecked_into())))
}

/// What a screen tells.
pub(super) struct Hears {
    /// What was typed or pasted.
    pub(super) typed: Box<dyn Fn(Vec<u8>)>,
    /// It has another size: characters across, and lines.
    pub(super) sized: Box<dyn Fn(u16, u16)>,
    /// The keys for copying were pressed.
    pub(super) copies: Box<dyn Fn()>,
    /// The keys for leaving it were pressed: Tab goes to the shell.
    pub(super) leaves: Box<dyn Fn()>,
}

/// A terminal in its place on the page, until it is dropped.
pub(super) struct Screen {
    drawn: Drawn,
    _typed: Closure<dyn Fn(Uint8Array)>,
    _sized: Closure<dyn Fn(u16, u16)>,
    _keys: [Closure<dyn Fn()>; 2],
}

impl Screen {
    /// In the element with this `id`, as large as that.
    pub(super) fn open(Script(module): &Script, id: &str, hears: Hears) -> Result<Self, NotDrawn> {
        let place = web_sys::window()
            .and_then(|window| window.document())
            .and_then(|document| document.get_element_by_id(id))
            .ok_or(NotDrawn)?;
        let Hears { typed, sized, copies, leaves } = hears;
        let typed = Closure::<dyn Fn(Uint8Array)>::new(move |bytes: Uint8Array| typed(bytes.to_vec()));
        let (sized, keys) = (Closure::wrap(sized), [copies, leaves].map(Closure::wrap));
        let object = Object::new();
        let told = |name: &str, hear: &JsValue| {
            // Setting a property of a fresh object cannot fail.
            let _ = Reflect::set(&object, &JsValue::from_str(name), hear.unchecked_ref::<Function>());
        };
        told("typed", typed.as_ref());
        told("sized", sized.as_ref());
        told("copies", keys[0].as_ref());
        told("leaves", keys[1].as_ref());
        let drawn = module.open(&place, &object).map_err(|_| NotDrawn)?;
        Ok(Self { drawn, _typed: typed, _sized: sized, _keys: keys })
    }

    /// Characters across, and lines.
    pub(super) fn size(&self) -> (u16, u16) {
        (self.drawn.columns(), self.drawn.rows())
    }

    /// Shows what the shell has written.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), NotDrawn> {
        // A copy in the browser's own memory: it is read later.
        self.drawn.write(&Uint8Array::from(bytes)).map_err(|_| NotDrawn)
    }

    /// What is selected; of nothing, everything that was shown.
    pub(super) fn text(&self) -> String {
        self.drawn.text()
    }

    /// Nothing can be typed any more; what was shown stays.
    pub(super) fn freeze(&self) {
        self.drawn.freeze();
    }

    /// Moves the focus into it.
    pub(super) fn focus(&self) {
        self.drawn.focus();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.drawn.close();
    }
}
