use crate::{
    text,
    ui::{Content, Focus, Icon, classed, element, group, picture, span},
};
use yew::prelude::Html;

/// The product's mark and name.
pub fn mark() -> Html {
    span("mark").with(picture(Icon::Knot)).with(text::PRODUCT).into_html()
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
pub fn shell(width: Width, end: impl Content, content: impl Content) -> Html {
    shell_with(width, end, Html::default(), content)
}

/// As [`shell`], with ways to other pages below the bar.
pub fn shell_with(width: Width, end: impl Content, ways: impl Content, content: impl Content) -> Html {
    let class = match width {
        Width::Page => "page",
        Width::Column => "page column",
    };
    group()
        .with(classed("a", "skip").attr("href", "#content").with(text::SKIP))
        .with(classed("header", "bar").with(mark()).with(end))
        .with(ways)
        .with(classed("main", class).attr("id", "content").attr("tabindex", "-1").with(content))
        .into_html()
}

/// A page of one thing, in the middle.
pub fn centre(content: impl Content) -> Html {
    let seal = span("seal").with(picture(Icon::Knot)).with(span("small muted").with(text::PRODUCT));
    classed("main", "centre").with(seal).with(content).into_html()
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
        group()
            .with(element("h1").attr("id", Self::ID).attr("tabindex", "-1").with(self.text))
            .with(Focus::on_page(Self::ID, self.tab))
            .into_html()
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
    pub fn show(self, content: impl Content) -> Html {
        let heading = element("h2").attr("id", self.id).attr("tabindex", "-1").with(self.title);
        classed("section", "card panel")
            .attr("aria-labelledby", self.id)
            .with(element("header").with(heading).with(self.beside))
            .with(content)
            .into_html()
    }
}
