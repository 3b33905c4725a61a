use crate::{browser, text};
use yew::prelude::{AttrValue, Html, Properties, component, html, use_effect_with};

/// How the focus is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Taking {
    /// Focused.
    #[default]
    Focus,
    /// Focused, and its text selected.
    Select,
}

#[derive(Properties, PartialEq)]
pub struct FocusProps {
    /// The element that gets the focus.
    pub id: AttrValue,
    /// Gets it when this appears, and again whenever the cue changes.
    #[prop_or_default]
    pub cue: AttrValue,
    #[prop_or_default]
    pub taking: Taking,
    /// A new page: what the tab is called from now on.
    #[prop_or_default]
    pub tab: Option<&'static str>,
}

/// Moves the focus; shows nothing.
#[component]
pub fn Focus(props: &FocusProps) -> Html {
    let (id, taking, tab) = (props.id.clone(), props.taking, props.tab);
    use_effect_with(props.cue.clone(), move |_| {
        if let Some(tab) = tab {
            browser::title(&[tab, " · ", text::PRODUCT].concat());
        }
        match taking {
            Taking::Focus => browser::focus(&id),
            Taking::Select => browser::select(&id),
        }
    });
    html! {}
}
