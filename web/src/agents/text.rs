//! The words of this slice.

use super::limits::{Change, Fault, Until};
use crate::{
    money::money,
    problem::Failure,
    text,
    words::{Tone, Words},
};
use holdfast_protocol::{
    agents::{AgentState, AgentView, Charge, FileScope, PairingView, Source, named},
    problem::Code,
    step_up::quoted,
    wallet::Usd,
};

pub(super) const INTRO: &str = "An agent is a program that works for you, within limits that you sign: what it may spend, until when, and with which files. It never asks you for anything while it works; what goes beyond its limits is refused.";

// Pairing
pub(super) const PAIR_TITLE: &str = "Pair an agent";
pub(super) const CODE: &str = "Code that the agent shows";
pub(super) const CODE_HINT: &str =
    "Eight letters and digits, such as 7k4m-x2f9. The agent's code is good for ten minutes.";
pub(super) const CODE_FROM_LINK: &str = "This code came with the link that you opened. Go on only if your own agent showed you that link, just now.";
pub(super) const LOOK: &str = "See who asks";
pub(super) const LOOKING: &str = "Looking for the agent";
pub(super) const CODE_MISSING: &str = "Type the code that the agent shows.";
pub(super) const CODE_UNCLEAR: &str =
    "A code has eight letters and digits. Compare it with what the agent shows.";
pub(super) const ASKS: &str = "This agent asks to work for you";
pub(super) const OWN_WORDS: &str = "Its name and its wishes are its own words; anybody can ask by any name. Go on only if the agent is yours and shows this very code.";
pub(super) const DECIDE: &str = "What you allow it";
pub(super) const PAIR: &str = "Pair this agent";
pub(super) const PAIRING: &str = "Pairing";
pub(super) const NOT_MINE: &str = "Not mine";
pub(super) const ANOTHER_CODE: &str = "Type another code";
pub(super) const BY_PASSKEY: &str = "Besides, it may read the credentials that you have stored for every agent. You confirm this with your passkey. Nothing is paired before that.";

pub(super) const NO_AGENT: Words = words(
    "No agent waits with this code.",
    "Compare it with what the agent shows. A code is good for ten minutes and pairs once: if it is older, let the agent ask again.",
);
pub(super) const PAIRING_OVER: Words = words(
    "This code leads to no agent any more.",
    "Its ten minutes are over, or it was used. Nothing was paired here. Let the agent ask again and type its new code.",
);

// The list
pub(super) const LIST_TITLE: &str = "Your agents";
pub(super) const LOADING: &str = "Fetching your agents";
pub(super) const NONE: &str = "No agent works for you yet.";
pub(super) const HOW: [&str; 3] = [
    "Start the agent. It asks this console to be paired, and shows a code.",
    "Type its code where it says “Pair an agent”. You see who asks and for what, before anything is decided.",
    "Say what it may spend, until when and with which files, and confirm that with your passkey.",
];
pub(super) const SAMPLE: &str =
    "To try it, start the sample agent of Holdfast's source in a terminal (it needs Node 18 or newer):";
pub(super) const COPY: &str = "Copy";
pub(super) const COPIED: &str = "Copied.";
pub(super) const NOT_COPIED: &str = "The browser did not copy it. Select the line and copy it yourself.";
pub(super) const STALE: &str = "These figures may be old: the newest could not be fetched. They are fetched again as soon as something happens.";
pub(super) const LIVE: &str = "shown live";
pub(super) const NOT_LIVE: &str = "not shown live now";
pub(super) const CHARGES: &str = "Last charges";
pub(super) const NO_CHARGES: &str = "It has paid nothing yet.";
pub(super) const NO_MONEY: &str =
    "This is a limit, not money: the agent pays by its own means, and nothing leaves your wallet.";
pub(super) const LIMITS: &str = "Change limits";
pub(super) const MORE_TIME: &str = "Give it more time";
pub(super) const REVOKE: &str = "Revoke";
pub(super) const TEAR_DOWN: &str = "Tear down";
pub(super) const SET: &str = "Set these limits";
pub(super) const SETTING: &str = "Setting its limits";
pub(super) const AT_ONCE: &str = "Less money holds at once, and needs no confirmation.";
pub(super) const BY_SIGNATURE: &str =
    "This is more than you signed for, or something else: you confirm it with your passkey.";
pub(super) const ENDING: &str = "Ending its work";
pub(super) const REVOKE_DOES: &str =
    "Revoke ends its work at once and for good. It stays in this list, and what is stored for it stays, too.";
pub(super) const TEAR_DOWN_DOES: &str = "Tear down ends its work if it is at work, deletes what is stored for it alone, and takes it off this list.";
pub(super) const TEAR_DOWN_LEAVES: &str =
    "Tearing down cannot be undone. What the agent has paid stays in your activity.";
pub(super) const LISTING_CREDENTIALS: &str = "Looking for its credentials";
pub(super) const NO_CREDENTIALS: &str = "No credential is stored for it alone, so none is deleted.";
pub(super) const TEAR_DOWN_NOW: &str = "Tear it down";

pub(super) const GONE: Words = words(
    "This agent is not there any more.",
    "It was revoked or torn down meanwhile, perhaps in another window. Nothing was changed now.",
);
pub(super) const LOWER_BY_NOW: Words = words(
    "Its budget is lower than that by now.",
    "It was cut meanwhile, perhaps in another window. Look at it again: more than it has wants your confirmation.",
);

const fn words(what: &'static str, way_on: &'static str) -> Words {
    use std::borrow::Cow::Borrowed;
    Words { what: Borrowed(what), way_on: Borrowed(way_on), tone: Tone::Wait }
}

/// Why no agent was found by its code.
pub(super) fn not_found(failure: &Failure) -> Words {
    if failure.code() == Some(Code::NotFound) { NO_AGENT } else { failure.words() }
}

/// Why nobody knows what a teardown deletes.
pub(super) fn not_listed(failure: &Failure) -> String {
    [&failure.words().what, " What is stored for it alone is deleted all the same."].concat()
}

/// Why nothing was changed about one that is paired.
pub(super) fn not_changed(failure: &Failure) -> Words {
    match failure.code() {
        Some(Code::NotFound) => GONE,
        Some(Code::StepUpRequired) => LOWER_BY_NOW,
        _ => failure.words(),
    }
}

// What is filled in
pub(super) const BUDGET: &str = "Budget in US dollars";
pub(super) const BUDGET_HINT: &str = "All that it may ever spend, unless you sign for more. 0 means nothing.";
pub(super) const UNTIL: &str = "How long may it work?";
pub(super) const SCOPE: &str = "Which files may it use?";
pub(super) const SCOPE_DANGER: &str = "With every file it may read keys, passwords and other people's work, and change them. Choose this only for a program that you would start on that machine yourself.";

/// So that a slip of the point is seen.
pub(super) fn reads_as(amount: Usd) -> String {
    ["That is ", &money(amount), ". "].concat()
}

pub(super) fn budget_hint(agent: &AgentView) -> String {
    ["All that it may ever spend, with the ", &money(agent.spent), " that it has spent."].concat()
}

pub(super) const fn until(until: Until) -> &'static str {
    match until {
        Until::Signed(_) => "As long as now",
        Until::Hour => "An hour",
        Until::Day => "A day",
        Until::Week => "A week",
        Until::Month => "30 days",
    }
}

pub(super) fn until_then(then: &str) -> String {
    ["until ", then].concat()
}

/// The sentence to confirm has one time for everybody.
pub(super) fn in_the_prompt(utc: &str) -> String {
    ["What you confirm names it as ", utc, "."].concat()
}

pub(super) const fn scope(scope: FileScope) -> &'static str {
    match scope {
        FileScope::Workspace => "The workspace's files",
        FileScope::Full => "Every file of the machine",
    }
}

pub(super) const fn scope_means(scope: FileScope) -> &'static str {
    match scope {
        FileScope::Workspace => "Enough for nearly every agent.",
        FileScope::Full => "Nothing on the machine is kept from it.",
    }
}

pub(super) const fn choice_id(change: &Change) -> &'static str {
    match change {
        Change::Budget(_) => "budget",
        Change::Until(Until::Signed(_)) => "until-signed",
        Change::Until(Until::Hour) => "until-hour",
        Change::Until(Until::Day) => "until-day",
        Change::Until(Until::Week) => "until-week",
        Change::Until(Until::Month) => "until-month",
        Change::Scope(FileScope::Workspace) => "scope-workspace",
        Change::Scope(FileScope::Full) => "scope-full",
    }
}

pub(super) const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::NoBudget => "Write an amount; 0 means that it may spend nothing.",
        Fault::Budget => {
            "Use digits, and a point before the cents: 12.50. No comma, no space, no currency sign."
        }
        Fault::Same => "These are its limits already. Change something first.",
        Fault::Over => "Its time has run out meanwhile. Choose another one.",
    }
}

// An agent that asks
pub(super) const CALLS_ITSELF: &str = "Calls itself";
pub(super) const ID: &str = "Its id";
pub(super) const WANTS: &str = "Wants";
pub(super) const FROM: &str = "Asks from";
pub(super) const SHOWS: &str = "Shows the code";

pub(super) fn wants(asks: &PairingView) -> String {
    let files = match asks.scope {
        FileScope::Workspace => ", and the workspace's files",
        FileScope::Full => ", and every file of the machine",
    };
    [&money(asks.budget), files].concat()
}

pub(super) const fn source(source: Source) -> &'static str {
    match source {
        Source::Same => "the network address of this browser",
        Source::Another => "another network address than this browser's: look twice if it should run here",
    }
}

/// How long the code is still good; `None`: it is over.
pub(super) fn lives(asks: &PairingView, now_ms: u64) -> Option<String> {
    let left_ms = asks.expires_at_ms.checked_sub(now_ms).filter(|left| *left > 0)?;
    Some([", good for another ", &text::duration(left_ms)].concat())
}

/// As long as its work is not over; `None`: it is not in the list yet.
pub(super) fn paired(agent: &AgentView, stands: Option<AgentState>) -> String {
    let how = if stands == Some(AgentState::Active) {
        " is paired. It is at work."
    } else {
        " is paired. It finds out by itself within seconds, and is then at work."
    };
    [&named(&agent.name, &agent.id), how].concat()
}

// An agent of the list
pub(super) const fn state(state: AgentState) -> (Tone, &'static str) {
    match state {
        AgentState::Waiting => (Tone::Wait, "not connected yet"),
        AgentState::Active => (Tone::Held, "at work"),
        AgentState::Expired => (Tone::Plain, "its time is over"),
        AgentState::Revoked => (Tone::Plain, "revoked"),
    }
}

pub(super) const SPENT_ALL: &str = "nothing left";
pub(super) const EVERY_FILE: &str = "every file";

pub(super) fn at_work(number: usize) -> String {
    text::count(u64::try_from(number).unwrap_or_default(), "agent at work", "agents at work")
}

pub(super) fn left(left: Usd) -> String {
    [&money(left), " left"].concat()
}

pub(super) fn spent(agent: &AgentView) -> String {
    [&money(agent.spent), " of ", &money(agent.budget), " spent"].concat()
}

/// Of one whose time is not over.
pub(super) fn ends(agent: &AgentView, now_ms: u64) -> String {
    let left_ms = agent.expires_at_ms.saturating_sub(now_ms);
    // It ends at the next whole minute: that rest makes no further hour of an hour, nor another day of a day.
    let left_ms = if left_ms > 3_600_000 { left_ms - 60_000 } else { left_ms };
    ["Ends in ", &text::duration(left_ms)].concat()
}

pub(super) const ENDED: &str = "Ended ";

/// After when it ends.
pub(super) const fn may_use(scope: FileScope) -> &'static str {
    match scope {
        FileScope::Workspace => ". It may use the workspace's files.",
        FileScope::Full => ". It may use every file of the machine.",
    }
}

/// What the merchant wanted: the budget is counted in dollars all the same.
pub(super) fn settled(charge: &Charge) -> String {
    [", asked for in ", &charge.merchant.settlement_token].concat()
}

/// A button of one row among many.
pub(super) fn label(does: &str, agent: &AgentView) -> String {
    [does, " ", &agent.name].concat()
}

/// Above its limits, as they are filled in.
pub(super) fn limits_of(agent: &AgentView) -> String {
    ["Limits of ", &quoted(&agent.name)].concat()
}

/// What came of the last thing that was done.
pub(super) fn cut(agent: &AgentView, to: Usd) -> String {
    [&named(&agent.name, &agent.id), " may spend ", &money(to), " in all from now on."].concat()
}

pub(super) fn limited(agent: &AgentView) -> String {
    [&named(&agent.name, &agent.id), " has its new limits."].concat()
}

pub(super) fn revoked(agent: &AgentView) -> String {
    [
        &named(&agent.name, &agent.id),
        " is revoked. It can do nothing more; what is stored for it stays until you tear it down.",
    ]
    .concat()
}

pub(super) fn torn_down(agent: &AgentView) -> String {
    [&named(&agent.name, &agent.id), " is torn down, and what was stored for it is deleted."].concat()
}

/// What a teardown deletes.
pub(super) fn deletes(names: &[String]) -> String {
    let listed: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let what = text::count(u64::try_from(names.len()).unwrap_or_default(), "credential", "credentials");
    ["It deletes ", &what, " that only this agent could read: ", &listed.join(", "), "."].concat()
}

/// The command line of the sample agent.
pub(super) fn sample(origin: &str) -> String {
    ["node tests/agent/agent.mjs ", origin, " Shopper 50.00"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use holdfast_protocol::problem::Problem;

    #[test]
    fn a_day_that_was_chosen_is_said_to_be_a_day() {
        let agent = sample::agent(1);
        let before = |ms: u64| ends(&agent, agent.expires_at_ms - ms);
        assert_eq!(before(3_600_000 + 59_000), "Ends in 60 minutes");
        assert_eq!(before(24 * 3_600_000 + 59_000), "Ends in 24 hours");
        assert_eq!(before(7 * 86_400_000 + 59_000), "Ends in 7 days");
        assert_eq!(before(30_000), "Ends in 30 seconds");
    }

    #[test]
    fn a_refusal_has_the_words_of_the_place_where_it_happens() {
        let refused = |code| Failure::Refused(Box::new(Problem::of(code)));
        assert_eq!(not_found(&refused(Code::NotFound)), NO_AGENT);
        assert_eq!(not_changed(&refused(Code::NotFound)), GONE);
        assert_eq!(not_changed(&refused(Code::StepUpRequired)), LOWER_BY_NOW);
        for words in [not_found, not_changed] {
            assert_eq!(words(&refused(Code::RateLimited)), refused(Code::RateLimited).words());
            assert_eq!(words(&Failure::ServerAway), Failure::ServerAway.words());
        }
    }
}
