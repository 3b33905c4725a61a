use crate::browser;
use web_sys::{Event, HtmlDialogElement};
use yew::prelude::{
    AttrValue, Callback, Children, Html, Properties, component, html, use_effect_with, use_node_ref,
};

#[derive(Properties, PartialEq)]
pub struct ModalProps {
    pub title: AttrValue,
    /// Unique in the page; another dialog is another `id`.
    pub id: AttrValue,
    /// The `id` of what opened it: the focus returns there.
    pub opener: &'static str,
    /// Escape, or a way out inside.
    pub on_close: Callback<()>,
    pub children: Children,
}

/// A dialog in front of the page; when it goes, the focus returns to where it was.
#[component]
pub fn Modal(props: &ModalProps) -> Html {
    let node = use_node_ref();
    {
        let (node, opener) = (node.clone(), props.opener);
        use_effect_with((), move |()| {
            let dialog = node.cast::<HtmlDialogElement>();
            if let Some(dialog) = &dialog {
                let _ = dialog.show_modal();
            }
            move || {
                // While it is open, nothing behind it can take the focus.
                if let Some(dialog) = dialog {
                    dialog.close();
                }
                browser::focus(opener);
            }
        });
    }
    let on_close = props.on_close.clone();
    // Escape asks to close: the state decides, so that element and state never differ.
    let oncancel = Callback::from(move |event: Event| {
        event.prevent_default();
        on_close.emit(());
    });
    html! {
        <dialog ref={node} class="modal" aria-labelledby={props.id.clone()} {oncancel}>
            <h2 id={props.id.clone()}>{ props.title.clone() }</h2>
            { props.children.clone() }
        </dialog>
    }
}
