//! One agent of the list, with what is being done to it.

use super::{
    effects::{Handles, REVOKE, SET, TEAR_DOWN},
    state::{Action, Deed, Deletes, Loaded, Phase, Work, state_now},
};
use crate::{
    agents::{
        fields::fields,
        limits::{Form, Way},
        text,
    },
    browser, clock,
    money::money,
    text as words,
    ui::{
        Content as _, Element, Focus, alert, button, classed, div, element, form, group, hidden, moment, p,
        span, submit, tag, waiting,
    },
    words::Tone,
};
use holdfast_protocol::{
    agents::{AgentState, AgentView, Charge, FileScope},
    wallet::Usd,
};
use yew::prelude::{Callback, Html};

/// A face of straight lines.
const FACE: [&str; 4] =
    ["M6 9h12v10H6Z", "M12 9V5M9.5 5h5", "M9.5 13.2v.2M14.5 13.2v.2", "M3 12.5v3M21 12.5v3"];

pub(super) fn row(agent: &AgentView, loaded: &Loaded, handles: &Handles, now_ms: u64) -> Element {
    let state = state_now(agent, now_ms);
    let (tone, said) = text::state(state);
    let over = state == AgentState::Active && agent.left == Usd::ZERO;
    let title = p("row-title")
        .with(element("strong").with(agent.name.clone()))
        .with(tag(tone, said))
        .with(over.then(|| tag(Tone::Wait, text::SPENT_ALL)))
        .with((agent.scope == FileScope::Full).then(|| tag(Tone::Wait, text::EVERY_FILE)));
    let time = element("time")
        .attr("datetime", clock::iso(agent.expires_at_ms))
        .attr("title", clock::date_time(agent.expires_at_ms));
    let ends = match state {
        AgentState::Revoked => None,
        AgentState::Expired => {
            Some(p("small muted").with(text::ENDED).with(moment(agent.expires_at_ms, now_ms)))
        }
        AgentState::Waiting | AgentState::Active => {
            let ends = group().with(time.with(text::ends(agent, now_ms)));
            Some(p("small muted").with(ends.with(text::may_use(agent.scope))))
        }
    };
    let what =
        div("row-what").with(title).with(p("small muted mono").with(agent.id.as_str().to_owned())).with(ends);
    let work = loaded.work_on(&agent.id);
    let below = div("agent-more")
        .with(budget(agent, state))
        .with(charges(loaded.charges(&agent.id), now_ms))
        .with(acts(agent, state, loaded, handles))
        .with(work.map(|work| open(work, agent, loaded, handles, now_ms)));
    classed("li", "agent").key(agent.id.as_str()).with(span("row-icon").with(face())).with(what).with(below)
}

fn face() -> Element {
    let paths = FACE.into_iter().map(|d| element("path").attr("d", d));
    hidden(classed("svg", "icon")).attr("viewBox", "0 0 24 24").with_each(paths)
}

/// What is left, in words and as a bar; of an agent that can spend nothing more, what it has spent.
fn budget(agent: &AgentView, state: AgentState) -> Element {
    let spent = text::spent(agent);
    if matches!(state, AgentState::Expired | AgentState::Revoked) {
        return p("budget-said").with(element("strong").with(spent));
    }
    let rect =
        |class: &'static str, width: String| classed("rect", class).attr("width", width).attr("height", "8");
    let bar = hidden(classed("svg", "bar-of-budget"))
        .attr("viewBox", "0 0 1000 8")
        .attr("preserveAspectRatio", "none")
        .with(rect("rail", "1000".to_owned()))
        .with(rect("spent", spent_of_a_thousand(agent).to_string()));
    let said = p("budget-said")
        .with(element("strong").with(text::left(agent.left)))
        .with(span("small muted").with(spent));
    div("budget").with(said).with(bar).with(p("small muted").with(text::NO_MONEY))
}

fn spent_of_a_thousand(agent: &AgentView) -> i64 {
    let (spent, budget) = (agent.spent.micros(), agent.budget.micros());
    if spent >= budget { if spent == 0 { 0 } else { 1000 } } else { spent.saturating_mul(1000) / budget }
}

fn charges(charges: &[Charge], now_ms: u64) -> Html {
    if charges.is_empty() {
        return p("small muted").with(text::NO_CHARGES).into_html();
    }
    let rows = charges.iter().map(|charge| {
        let when = span("small muted").with(moment(charge.at_ms, now_ms)).with(text::settled(charge));
        classed("li", "charge")
            .key(charge.id.as_str())
            .with(span("merchant").with(charge.merchant.name.clone()))
            .with(span("amount").with(money(charge.amount)))
            .with(when)
    });
    classed("ol", "charges")
        .attr("role", "list")
        .attr("aria-label", text::CHARGES)
        .with_each(rows)
        .into_html()
}

/// What can be done, and what ends something says before it is pressed what that is.
fn acts(agent: &AgentView, state: AgentState, loaded: &Loaded, handles: &Handles) -> Element {
    let deed = loaded.work_on(&agent.id).map(|work| &work.deed);
    let busy = loaded.is_busy().then_some("true");
    let act = |class: &'static str, does: &'static str, id: String, run: Callback<()>| {
        button(class, run)
            .attr("id", id)
            .attr("aria-label", text::label(does, agent))
            .attr("aria-disabled", busy)
            .with(does)
    };
    let (revoke_means, tear_down_means) = (opener("revoke-means-", agent), opener("tear-down-means-", agent));
    let means = |id: &str, says: &'static str| p("small muted").attr("id", id.to_owned()).with(says);
    let lives = state != AgentState::Revoked;
    let limits = {
        let (tell, id) = (handles.agents.teller(), agent.id.clone());
        let run = Callback::from(move |()| {
            tell.dispatch(Action::LimitsOpened { agent: id.clone(), now_ms: clock::now_ms() });
        });
        let does = if state == AgentState::Expired { text::MORE_TIME } else { text::LIMITS };
        let expanded = if matches!(deed, Some(Deed::Limits(_))) { "true" } else { "false" };
        act("btn", does, opener("limits-", agent), run).attr("aria-expanded", expanded)
    };
    let revoke = {
        let (run, id) = (handles.revoke.clone(), agent.id.clone());
        let asked = deed == Some(&Deed::Revoke);
        let button_id = if asked { REVOKE.to_owned() } else { opener("revoke-", agent) };
        act("btn danger", text::REVOKE, button_id, Callback::from(move |()| run.emit(id.clone())))
            .attr("aria-describedby", revoke_means.clone())
    };
    let tear_down = {
        let (run, id) = (handles.open_teardown.clone(), agent.id.clone());
        let expanded = if matches!(deed, Some(Deed::TearDown(_))) { "true" } else { "false" };
        let run = Callback::from(move |()| run.emit(id.clone()));
        act("btn danger", text::TEAR_DOWN, opener("tear-down-", agent), run)
            .attr("aria-expanded", expanded)
            .attr("aria-describedby", tear_down_means.clone())
    };
    let buttons = div("actions").with(lives.then_some(limits)).with(lives.then_some(revoke)).with(tear_down);
    div("acts")
        .with(buttons)
        .with(lives.then(|| means(&revoke_means, text::REVOKE_DOES)))
        .with(means(&tear_down_means, text::TEAR_DOWN_DOES))
}

/// The `id` of the button that opens something.
fn opener(what: &str, agent: &AgentView) -> String {
    [what, agent.id.as_str()].concat()
}

/// What is open, or on its way.
fn open(work: &Work, agent: &AgentView, loaded: &Loaded, handles: &Handles, now_ms: u64) -> Element {
    let busy = work.phase == Phase::Busy;
    let failure = match &work.phase {
        Phase::Failed(failure) => Some(alert("work-failure", &text::not_changed(failure), None)),
        Phase::Open | Phase::Busy => None,
    };
    let leave = |back: String| {
        let tell = handles.agents.teller();
        let close = Callback::from(move |()| {
            tell.dispatch(Action::Left);
            browser::focus(&back);
        });
        (!busy).then(|| button("btn quiet", close).with(words::CANCEL))
    };
    match &work.deed {
        Deed::Revoke => div("").with(waiting(busy.then_some(text::ENDING))).with(failure),
        Deed::Limits(filled) => {
            let actions = div("actions")
                .with(
                    submit("btn primary")
                        .attr("id", SET)
                        .attr("aria-disabled", busy.then_some("true"))
                        .with(text::SET),
                )
                .with(leave(opener("limits-", agent)))
                .with(waiting(busy.then_some(text::SETTING)));
            limits(filled, agent, loaded, handles, now_ms).with(actions).with(failure)
        }
        Deed::TearDown(deletes) => {
            let deletes = match deletes {
                Deletes::Asked => waiting(Some(text::LISTING_CREDENTIALS)),
                Deletes::These(names) if names.is_empty() => p("").with(text::NO_CREDENTIALS).into_html(),
                Deletes::These(names) => p("").with(text::deletes(names)).into_html(),
                Deletes::Failed(failure) => p("fault").with(text::not_listed(failure)).into_html(),
            };
            let run = handles.tear_down.clone();
            let actions = div("actions")
                .with(
                    button("btn danger", run)
                        .attr("id", TEAR_DOWN)
                        .attr("aria-disabled", busy.then_some("true"))
                        .with(text::TEAR_DOWN_NOW),
                )
                .with(leave(opener("tear-down-", agent)))
                .with(waiting(busy.then_some(text::ENDING)));
            div("work")
                .attr("id", "work")
                .attr("tabindex", "-1")
                .with(p("").with(text::TEAR_DOWN_LEAVES))
                .with(deletes)
                .with(actions)
                .with(failure)
                .with(Focus::at("work"))
        }
    }
}

fn limits(filled: &Form, agent: &AgentView, loaded: &Loaded, handles: &Handles, now_ms: u64) -> Element {
    let changed = {
        let tell = handles.agents.teller();
        Callback::from(move |change| tell.dispatch(Action::Changed(change)))
    };
    let note = loaded.way(now_ms).map(|(_, way)| match way {
        Way::Cut(_) => text::AT_ONCE,
        Way::Sign(_) => text::BY_SIGNATURE,
    });
    form("work", handles.set_limits.clone())
        .with(element("h3").with(text::limits_of(agent)))
        .with(group().with(fields(filled, Some(agent), now_ms, &changed)).with(Focus::selecting("budget")))
        .with(p("small muted").attr("role", "status").with(note.unwrap_or_default()))
}
