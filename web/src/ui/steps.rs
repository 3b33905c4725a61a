use crate::ui::{Content as _, classed, div, element, hidden, p, span};
use std::cmp::Ordering;
use yew::prelude::Html;

/// The steps of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    You,
    Passkey,
    Codes,
    Done,
}

const ALL: [(Step, &str); 4] = [
    (Step::You, "You"),
    (Step::Passkey, "Your passkey"),
    (Step::Codes, "Recovery codes"),
    (Step::Done, "Done"),
];

/// How far the wizard is: a line, and the same in words.
pub fn steps(at: Step) -> Html {
    let number = ALL.iter().position(|(step, _)| *step == at).map_or(1, |place| place + 1).to_string();
    let name = ALL.iter().find(|(step, _)| *step == at).map_or(&"", |(_, name)| name);
    let bars = ALL.iter().map(|(step, name)| {
        let class = match step.cmp(&at) {
            Ordering::Less => "done",
            Ordering::Equal => "at",
            Ordering::Greater => "",
        };
        classed("li", class).with(span("").with(*name))
    });
    let said =
        p("small muted").with(["Step ", &number, " of 4: "].concat()).with(element("strong").with(*name));
    div("steps").with(said).with(hidden(element("ol")).with_each(bars)).into_html()
}
