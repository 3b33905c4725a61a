use crate::{
    browser,
    ui::{Content as _, Hears, div, element, p},
};
use yew::prelude::{Callback, Html};

/// A labelled choice of one of several, with its hint.
pub struct Choice<'a> {
    /// Unique in the page.
    pub id: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Each with its words.
    pub options: Vec<(String, String)>,
    /// The one that is chosen when it appears.
    pub first: &'a str,
    /// Hears what is chosen.
    pub on_choice: Callback<String>,
    /// What to choose by.
    pub hint: Option<&'static str>,
}

impl Choice<'_> {
    /// As it is shown.
    pub fn show(self) -> Html {
        let Self { id, label, options, first, on_choice, hint } = self;
        let hint_id = [id, "-hint"].concat();
        let options = options.into_iter().map(|(value, said)| {
            let selected = (value == first).then_some("");
            element("option").attr("value", value).attr("selected", selected).with(said)
        });
        let select = element("select")
            .attr("id", id)
            .attr("aria-describedby", hint.map(|_| hint_id.clone()))
            .on(Hears::Input, move |event| {
                if let Some(value) = event.target().and_then(|target| browser::value_of(&target)) {
                    on_choice.emit(value);
                }
            })
            .with_each(options);
        div("field")
            .with(element("label").attr("for", id).with(label))
            .with(select)
            .with(hint.map(|hint| p("hint").attr("id", hint_id).with(hint)))
            .into_html()
    }
}
