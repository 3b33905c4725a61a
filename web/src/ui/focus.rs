use crate::store::use_effect_of;
use crate::{browser, text, ui::element::component_of};
use yew::prelude::{AttrValue, Html, Properties, component};

/// How the focus is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// Focused.
    Focus,
    /// Focused, and its text selected.
    Select,
}

#[derive(Properties, PartialEq)]
pub struct FocusProps {
    /// The element that gets the focus.
    pub id: AttrValue,
    /// Gets it when this appears, and again whenever the cue changes.
    pub cue: AttrValue,
    pub taking: Taking,
    /// A new page: what the tab is called from now on.
    pub tab: Option<&'static str>,
}

/// Moves the focus; shows nothing.
#[component]
pub fn Focus(props: &FocusProps) -> Html {
    let (id, taking, tab) = (props.id.clone(), props.taking, props.tab);
    use_effect_of(props.cue.clone(), move |_| {
        if let Some(tab) = tab {
            browser::title(&[tab, " · ", text::PRODUCT].concat());
        }
        match taking {
            Taking::Focus => browser::focus(&id),
            Taking::Select => browser::select(&id),
        }
    });
    Html::default()
}

impl Focus {
    /// When this appears.
    pub fn at(id: impl Into<AttrValue>) -> Html {
        Self::placed(id.into(), AttrValue::default(), Taking::Focus, None)
    }

    /// When this appears, and again whenever the cue changes.
    pub fn again_at(id: impl Into<AttrValue>, cue: impl Into<AttrValue>) -> Html {
        Self::placed(id.into(), cue.into(), Taking::Focus, None)
    }

    /// When this appears, with all that is written there selected.
    pub fn selecting(id: &'static str) -> Html {
        Self::placed(id.into(), AttrValue::default(), Taking::Select, None)
    }

    /// On a new page, which names the tab.
    pub fn on_page(id: &'static str, tab: &'static str) -> Html {
        Self::placed(id.into(), tab.into(), Taking::Focus, Some(tab))
    }

    fn placed(id: AttrValue, cue: AttrValue, taking: Taking, tab: Option<&'static str>) -> Html {
        component_of::<Self>(FocusProps { id, cue, taking, tab }, None)
    }
}
