//! What views are written with: an element is made by a call, and so is each thing it gets.
//!
//! `html!` writes the making of every element out in full where it stands, some 150 bytes of wasm each
//! time. These are calls with one word for the element, a third of that.

use std::borrow::Cow;
use std::rc::Rc;
use web_sys::Event;
use yew::prelude::{AttrValue, Callback, Html, NodeRef};
use yew::virtual_dom::{
    AttributeOrProperty, Attributes, Key, Listener, ListenerKind, VComp, VList, VTag, VText,
};

/// An element in the making.
#[must_use]
pub struct Element(Box<VTag>);

/// An element of this name, with nothing inside.
#[inline(never)]
pub fn element(name: &'static str) -> Element {
    let mut tag = VTag::new(name);
    tag.attributes = Attributes::IndexMap(Rc::default());
    Element(Box::new(tag))
}

/// An element of this name and class.
#[inline(never)]
pub fn classed(name: &'static str, class: &'static str) -> Element {
    element(name).class(class)
}

/// `<div>`
#[inline(never)]
pub fn div(class: &'static str) -> Element {
    classed("div", class)
}

/// `<p>`
#[inline(never)]
pub fn p(class: &'static str) -> Element {
    classed("p", class)
}

/// `<span>`
#[inline(never)]
pub fn span(class: &'static str) -> Element {
    classed("span", class)
}

/// `<button>`, which does this when it is pressed.
#[inline(never)]
pub fn button(class: &'static str, run: Callback<()>) -> Element {
    classed("button", class).attr("type", "button").on(Hears::Click, move |_| run.emit(()))
}

/// `<button>`, which sends the form that it stands in.
#[inline(never)]
pub fn submit(class: &'static str) -> Element {
    classed("button", class).attr("type", "submit")
}

/// `<form>`, which this page itself checks and sends.
#[inline(never)]
pub fn form(class: &'static str, send: Callback<()>) -> Element {
    classed("form", class).attr("novalidate", "").on(Hears::Submit, move |event| {
        event.prevent_default();
        send.emit(());
    })
}

impl Element {
    /// Its class; an empty one is none.
    #[inline(never)]
    pub fn class(self, class: &'static str) -> Self {
        if class.is_empty() { self } else { self.attr("class", class) }
    }

    /// An attribute.
    pub fn attr(self, name: &'static str, value: impl AttributeValue) -> Self {
        value.give(self, name)
    }

    /// What tells it from its siblings when their order changes.
    pub fn key(mut self, key: &str) -> Self {
        self.0.key = Some(Key::from(key));
        self
    }

    /// What an input holds.
    pub fn value(mut self, value: &str) -> Self {
        self.0.set_value(AttrValue::from(value.to_owned()));
        self
    }

    /// Where its DOM node is found once it is there.
    pub fn node(mut self, node: NodeRef) -> Self {
        self.0.node_ref = node;
        self
    }

    /// Hears an event.
    pub fn on(self, kind: Hears, hear: impl Fn(Event) + 'static) -> Self {
        self.listen(Rc::new(Heard { kind, hear }))
    }

    /// One more child.
    pub fn with(self, content: impl Content) -> Self {
        self.add(content.into_html())
    }

    /// One more child for each.
    pub fn with_each<C: Content>(self, contents: impl Iterator<Item = C>) -> Self {
        contents.fold(self, Self::with)
    }

    #[inline(never)]
    fn set(mut self, name: &'static str, value: AttrValue) -> Self {
        // Not `add_attribute`, which is ready for every other kind of attributes, too.
        if let Attributes::IndexMap(attributes) = &mut self.0.attributes
            && let Some(attributes) = Rc::get_mut(attributes)
        {
            attributes.insert(AttrValue::Static(name), AttributeOrProperty::Attribute(value));
        }
        self
    }

    #[inline(never)]
    fn set_static(self, name: &'static str, value: &'static str) -> Self {
        self.set(name, AttrValue::Static(value))
    }

    #[inline(never)]
    fn set_owned(self, name: &'static str, value: String) -> Self {
        self.set(name, value.into())
    }

    #[inline(never)]
    fn listen(mut self, listener: Rc<dyn Listener>) -> Self {
        self.0.add_listener(listener);
        self
    }

    #[inline(never)]
    fn add(mut self, child: Html) -> Self {
        self.0.add_child(child);
        self
    }
}

/// What views listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// `cancel`, of a dialog.
    Cancel,
    /// `click`
    Click,
    /// `input`
    Input,
    /// `keydown`
    KeyDown,
    /// `submit`
    Submit,
}

struct Heard<F> {
    kind: Hears,
    hear: F,
}

impl<F: Fn(Event)> Listener for Heard<F> {
    fn kind(&self) -> ListenerKind {
        match self.kind {
            Hears::Cancel => ListenerKind::oncancel,
            Hears::Click => ListenerKind::onclick,
            Hears::Input => ListenerKind::oninput,
            Hears::KeyDown => ListenerKind::onkeydown,
            Hears::Submit => ListenerKind::onsubmit,
        }
    }

    fn handle(&self, event: Event) {
        (self.hear)(event);
    }

    fn passive(&self) -> bool {
        false
    }
}

/// Nodes side by side, without an element around them.
#[must_use]
pub struct Group(Box<VList>);

/// An empty group.
#[inline(never)]
pub fn group() -> Group {
    Group(Box::default())
}

impl Group {
    /// One more node.
    pub fn with(self, content: impl Content) -> Self {
        self.add(content.into_html())
    }

    #[inline(never)]
    fn add(mut self, child: Html) -> Self {
        self.0.add_child(child);
        self
    }
}

/// A component with its properties.
pub fn component_of<C: yew::BaseComponent>(properties: C::Properties, key: Option<Key>) -> Html {
    VComp::new::<C>(Rc::new(properties), key).into()
}

/// What an element or a group can hold. Nothing, too, keeps its place, so that what comes and goes
/// moves nothing else.
pub trait Content {
    /// As yew holds it.
    fn into_html(self) -> Html;
}

impl Content for Html {
    fn into_html(self) -> Html {
        self
    }
}

impl Content for Element {
    #[inline(never)]
    fn into_html(self) -> Html {
        (*self.0).into()
    }
}

impl Content for Group {
    #[inline(never)]
    fn into_html(self) -> Html {
        (*self.0).into()
    }
}

impl Content for &'static str {
    #[inline(never)]
    fn into_html(self) -> Html {
        VText::new(AttrValue::Static(self)).into()
    }
}

impl Content for String {
    #[inline(never)]
    fn into_html(self) -> Html {
        VText::new(self).into()
    }
}

impl Content for Cow<'static, str> {
    fn into_html(self) -> Html {
        match self {
            Cow::Borrowed(said) => said.into_html(),
            Cow::Owned(said) => said.into_html(),
        }
    }
}

impl<C: Content> Content for Option<C> {
    fn into_html(self) -> Html {
        self.map_or_else(Html::default, Content::into_html)
    }
}

/// What an attribute can be.
pub trait AttributeValue {
    /// Sets it.
    fn give(self, to: Element, name: &'static str) -> Element;
}

impl AttributeValue for &'static str {
    fn give(self, to: Element, name: &'static str) -> Element {
        to.set_static(name, self)
    }
}

impl AttributeValue for String {
    fn give(self, to: Element, name: &'static str) -> Element {
        to.set_owned(name, self)
    }
}

impl<V: AttributeValue> AttributeValue for Option<V> {
    fn give(self, to: Element, name: &'static str) -> Element {
        match self {
            Some(value) => value.give(to, name),
            None => to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yew::prelude::html;

    #[test]
    fn an_element_is_what_html_would_have_written() {
        let busy: Option<&'static str> = None;
        let made = div("card")
            .attr("id", "seven".to_owned())
            .attr("aria-disabled", busy)
            .with(p("").with("Seven").with(String::from(" of seven")))
            .with(Some(element("br")))
            .into_html();
        let written = html! {
            <div class="card" id="seven" aria-disabled={busy}><p>{ "Seven" }{ " of seven" }</p><br /></div>
        };
        assert_eq!(
            format!("{made:?}").matches("VTag").count(),
            format!("{written:?}").matches("VTag").count()
        );
        let (Html::VTag(made), Html::VTag(written)) = (made, written) else { panic!("no elements") };
        assert_eq!(made.tag(), written.tag());
        let attributes = |tag: &VTag| {
            let mut all: Vec<_> =
                tag.attributes.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            all.sort();
            all
        };
        assert_eq!(attributes(&made), attributes(&written));
        assert_eq!(attributes(&made), [("class".into(), "card".into()), ("id".into(), "seven".into())]);
    }

    #[test]
    fn what_is_not_there_keeps_its_place() {
        let shown = |note: Option<&'static str>| {
            let Html::VTag(tag) = div("").with(note.map(|note| p("").with(note))).with("end").into_html()
            else {
                panic!("no element")
            };
            match tag.children() {
                Some(Html::VList(list)) => list.len(),
                _ => 0,
            }
        };
        assert_eq!((shown(None), shown(Some("note"))), (2, 2));
    }
}
