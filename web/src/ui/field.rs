use wasm_bindgen::JsCast as _;
use web_sys::{HtmlInputElement, InputEvent};
use yew::prelude::{Callback, Html, html};

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
        let oninput = Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            {
                on_input.emit(input.value());
            }
        });
        let hint_id = [self.id, "-hint"].concat();
        let fault_id = [self.id, "-fault"].concat();
        let described = match (&self.fault, self.hint) {
            (Some(_), Some(_)) => Some([&fault_id, " ", &hint_id].concat()),
            (Some(_), None) => Some(fault_id.clone()),
            (None, Some(_)) => Some(hint_id.clone()),
            (None, None) => None,
        };
        let off = (self.spelled == Spelled::AsCode).then_some("off");
        html! {
            <div class="field">
                <label for={self.id}>{ self.label }</label>
                <input
                    id={self.id}
                    class={off.map_or("", |_| "mono")}
                    type={self.kind}
                    value={self.value.to_owned()}
                    {oninput}
                    autocomplete={self.autocomplete}
                    autocapitalize={off}
                    autocorrect={off}
                    spellcheck={off.map(|_| "false")}
                    maxlength={self.maxlength}
                    aria-invalid={self.fault.as_ref().map(|_| "true")}
                    aria-describedby={described}
                />
                if let Some(fault) = self.fault {
                    <p class="fault" role="alert" id={fault_id}>{ fault }</p>
                }
                if let Some(hint) = self.hint {
                    <p class="hint" id={hint_id}>{ hint }</p>
                }
            </div>
        }
    }
}
