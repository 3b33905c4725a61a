//! The same as a person fills it in.

use super::{
    limits::{Change, Fault, Form, Until},
    text,
};
use crate::{
    clock,
    money::amount,
    ui::{Element, Focus, Group, Hears, classed, div, element, group, notice, p, span},
    words::Tone,
};
use holdfast_protocol::{
    agents::{AgentView, FileScope},
    calendar::utc_minute,
};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;
use yew::prelude::Callback;

/// The three questions; `of` is the agent that has answers already.
pub(super) fn fields(form: &Form, of: Option<&AgentView>, now_ms: u64, tell: &Callback<Change>) -> Group {
    let signed = of.map(|agent| Until::Signed(agent.expires_at_ms));
    let signed = signed.filter(|until| until.at_ms(now_ms) > now_ms);
    let choices = signed.into_iter().chain(Until::LENGTHS).map(|until| {
        let choice = Choice {
            group: "until",
            says: text::until(until),
            more: text::until_then(&clock::date_time(until.at_ms(now_ms))),
            chosen: form.until == until,
        };
        choice.show(Change::Until(until), tell)
    });
    let scopes = FileScope::ALL.into_iter().map(|scope| {
        let choice = Choice {
            group: "scope",
            says: text::scope(scope),
            more: text::scope_means(scope).to_owned(),
            chosen: form.scope == scope,
        };
        choice.show(Change::Scope(scope), tell)
    });
    let utc = text::in_the_prompt(&utc_minute(form.until.at_ms(now_ms)));
    let dangerous = form.scope == FileScope::Full;
    group()
        .with(budget(form, of, tell))
        .with(question(text::UNTIL).with_each(choices).with(p("hint").with(utc)))
        .with(question(text::SCOPE).with_each(scopes))
        .with(dangerous.then(|| notice(Tone::Broken, text::SCOPE_DANGER)))
        .with(form.fault.map(|fault| Focus::again_at(focus(fault), form.tries.to_string())))
}

fn focus(fault: Fault) -> &'static str {
    match fault {
        Fault::NoBudget | Fault::Budget | Fault::Same => "budget",
        Fault::Over => "until-hour",
    }
}

/// A field with a keyboard of digits; phones have one.
fn budget(form: &Form, of: Option<&AgentView>, tell: &Callback<Change>) -> Element {
    let tell = tell.clone();
    let fault = form
        .fault
        .map(|fault| p("fault").attr("role", "alert").attr("id", "budget-fault").with(text::fault(fault)));
    let means = of.map_or_else(|| text::BUDGET_HINT.to_owned(), text::budget_hint);
    let hint = [amount(&form.budget).map(text::reads_as).unwrap_or_default(), means].concat();
    let input = element("input")
        .attr("id", "budget")
        .attr("type", "text")
        .attr("inputmode", "decimal")
        .attr("autocomplete", "off")
        .attr("maxlength", "24")
        .attr("aria-invalid", fault.as_ref().map(|_| "true"))
        .attr("aria-describedby", fault.as_ref().map_or("budget-hint", |_| "budget-fault budget-hint"))
        .value(&form.budget)
        .on(Hears::Input, move |event| {
            let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if let Some(input) = input {
                tell.emit(Change::Budget(input.value()));
            }
        });
    div("field amount")
        .with(element("label").attr("for", "budget").with(text::BUDGET))
        .with(input)
        .with(fault)
        .with(p("hint").attr("id", "budget-hint").with(hint))
}

fn question(asks: &'static str) -> Element {
    classed("fieldset", "choices").with(element("legend").with(asks))
}

/// One answer of several.
struct Choice {
    group: &'static str,
    says: &'static str,
    more: String,
    chosen: bool,
}

impl Choice {
    fn show(self, change: Change, tell: &Callback<Change>) -> Element {
        let tell = tell.clone();
        let id = text::choice_id(&change);
        let more_id = [id, "-more"].concat();
        let input = element("input")
            .attr("id", id)
            .attr("type", "radio")
            .attr("name", self.group)
            .attr("aria-describedby", more_id.clone())
            .attr("checked", self.chosen.then_some("checked"))
            .on(Hears::Input, move |_| tell.emit(change.clone()));
        let says = element("label").attr("for", id).with(self.says);
        let more = span("small muted").attr("id", more_id).with(self.more);
        div("choice").with(input).with(div("").with(says).with(more))
    }
}
