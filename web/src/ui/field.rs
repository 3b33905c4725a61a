use crate::ui::{Content as _, Hears, div, element, p};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;
use yew::prelude::{Callback, Html};

/// A labelled text field with its hint and its fault, both tied to it.
pub struct Field<'a> {
    /// Unique in the page.
    pub id: &'static str,
    /// What it is called.
    pub label: &'a str,
    /// What is typed.
    pub value: &'a str,
    /// Hears what is typed.
    pub on_input: Callback<String>,
    /// `text` or `email`
    pub kind: &'static str,
    /// As HTML names it.
    pub autocomplete: &'static str,
    /// What to write there.
    pub hint: Option<&'static str>,
    /// Why what was typed will not do.
    pub fault: Option<String>,
    /// For codes and tokens.
    pub spelled: Spelled,
    /// Characters at most.
    pub maxlength: Option<&'static str>,
}

/// How the characters of a field are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelled {
    /// As prose.
    AsWords,
    /// Letter by letter.
    AsCode,
}

impl<'a> Field<'a> {
    /// A field for words, without hint or fault.
    pub fn new(id: &'static str, label: &'a str, value: &'a str, on_input: Callback<String>) -> Self {
        Self {
            id,
            label,
            value,
            on_input,
            kind: "text",
            autocomplete: "off",
            hint: None,
            fault: None,
            spelled: Spelled::AsWords,
            maxlength: None,
        }
    }

    /// As it is shown.
    pub fn show(self) -> Html {
        let on_input = self.on_input;
        let hint_id = [self.id, "-hint"].concat();
        let fault_id = [self.id, "-fault"].concat();
        let described = match (&self.fault, self.hint) {
            (Some(_), Some(_)) => Some([&fault_id, " ", &hint_id].concat()),
            (Some(_), None) => Some(fault_id.clone()),
            (None, Some(_)) => Some(hint_id.clone()),
            (None, None) => None,
        };
        let off = (self.spelled == Spelled::AsCode).then_some("off");
        let input = element("input")
            .attr("id", self.id)
            .class(off.map_or("", |_| "mono"))
            .attr("type", self.kind)
            .value(self.value)
            .on(Hears::Input, move |event| {
                let target = event.target();
                if let Some(input) = target.and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
                    on_input.emit(input.value());
                }
            })
            .attr("autocomplete", self.autocomplete)
            .attr("autocapitalize", off)
            .attr("autocorrect", off)
            .attr("spellcheck", off.map(|_| "false"))
            .attr("maxlength", self.maxlength)
            .attr("aria-invalid", self.fault.as_ref().map(|_| "true"))
            .attr("aria-describedby", described);
        let fault = self.fault.map(|fault| p("fault").attr("role", "alert").attr("id", fault_id).with(fault));
        let hint = self.hint.map(|hint| p("hint").attr("id", hint_id).with(hint));
        div("field")
            .with(element("label").attr("for", self.id).with(self.label.to_owned()))
            .with(input)
            .with(fault)
            .with(hint)
            .into_html()
    }
}
