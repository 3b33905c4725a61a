use crate::{
    text,
    ui::{Focus, Icon, picture},
};
use yew::prelude::{Html, html};

/// The product's mark and name.
pub fn mark() -> Html {
    html! { <span class="mark">{ picture(Icon::Knot) }{ text::PRODUCT }</span> }
}

/// How wide the content may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Lists.
    Page,
    /// One thing to read or fill in.
    Column,
}

/// The bar, with what stands at its end, and the content below it.
pub fn shell(width: Width, end: Html, content: Html) -> Html {
    let class = match width {
        Width::Page => "page",
        Width::Column => "page column",
    };
    html! {
        <>
            <a class="skip" href="#content">{ text::SKIP }</a>
            <header class="bar">{ mark() }{ end }</header>
            <main id="content" tabindex="-1" {class}>{ content }</main>
        </>
    }
}

/// A page of one thing, in the middle.
pub fn centre(content: Html) -> Html {
    html! {
        <main class="centre">
            <span class="seal">{ picture(Icon::Knot) }<span class="small muted">{ text::PRODUCT }</span></span>
            { content }
        </main>
    }
}

/// The page's one first-level heading. It names the tab, and takes the focus when it appears.
pub struct Heading {
    /// What it says.
    pub text: &'static str,
    /// What the tab is called.
    pub tab: &'static str,
}

impl Heading {
    /// The `id` of the heading.
    pub const ID: &'static str = "heading";

    /// As it is shown.
    pub fn show(&self) -> Html {
        html! {
            <>
                <h1 id={Self::ID} tabindex="-1">{ self.text }</h1>
                <Focus id={Self::ID} cue={self.tab} tab={self.tab} />
            </>
        }
    }
}

/// A region with a heading.
pub struct Panel {
    /// The region's name, and its heading.
    pub title: &'static str,
    /// Unique in the page.
    pub id: &'static str,
    /// What stands beside the heading.
    pub beside: Html,
}

impl Panel {
    /// With its content.
    pub fn show(self, content: Html) -> Html {
        html! {
            <section class="card panel" aria-labelledby={self.id}>
                <header><h2 id={self.id} tabindex="-1">{ self.title }</h2>{ self.beside }</header>
                { content }
            </section>
        }
    }
}
