use crate::store::{at_end, use_effect_of};
use crate::{
    browser,
    ui::{Content, Hears, classed, component_of, element},
};
use web_sys::HtmlDialogElement;
use yew::prelude::{Callback, Html, Properties, component, use_node_ref};

#[derive(Properties, PartialEq)]
pub struct ModalProps {
    pub title: &'static str,
    /// Unique in the page; another dialog is another `id`.
    pub id: &'static str,
    /// The `id` of what opened it: the focus returns there.
    pub opener: &'static str,
    /// Escape, or a way out inside.
    pub on_close: Callback<()>,
    pub content: Html,
}

/// A dialog in front of the page; when it goes, the focus returns to where it was.
#[component]
pub fn Modal(props: &ModalProps) -> Html {
    let node = use_node_ref();
    {
        let (node, opener) = (node.clone(), props.opener);
        use_effect_of((), move |()| {
            let dialog = node.cast::<HtmlDialogElement>();
            if let Some(dialog) = &dialog {
                let _ = dialog.show_modal();
            }
            at_end(move || {
                // While it is open, nothing behind it can take the focus.
                if let Some(dialog) = dialog {
                    dialog.close();
                }
                browser::focus(opener);
            })
        });
    }
    let on_close = props.on_close.clone();
    // Escape asks to close: the state decides, so that element and state never differ.
    classed("dialog", "modal")
        .node(node)
        .attr("aria-labelledby", props.id)
        .on(Hears::Cancel, move |event| {
            event.prevent_default();
            on_close.emit(());
        })
        .with(element("h2").attr("id", props.id).with(props.title))
        .with(props.content.clone())
        .into_html()
}

impl Modal {
    /// A dialog; another `id` is another one.
    pub fn open(
        id: &'static str,
        opener: &'static str,
        title: &'static str,
        on_close: Callback<()>,
        content: impl Content,
    ) -> Html {
        let properties = ModalProps { title, id, opener, on_close, content: content.into_html() };
        component_of::<Self>(properties, Some(id.into()))
    }
}
