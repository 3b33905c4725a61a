//! The words of the log.

use super::state::Filter;
use crate::words::Tone;
use holdfast_protocol::{
    problem::Code,
    step_up::{Group, Kind, Outcome},
};

pub(super) const TITLE: &str = "What was confirmed";
pub(super) const INTRO: &str = "Everything that wants your passkey is written here when it is asked for, and again when it is done or refused. Each action is first tried without a confirmation: that is how this page learns that one is wanted. What was confirmed is kept with its signature.";
pub(super) const FILTERS: &str = "Show";
pub(super) const LOADING: &str = "Fetching the log";
pub(super) const LOADING_OLDER: &str = "Fetching older entries";
pub(super) const OLDER: &str = "Show older";
pub(super) const BEGINNING: &str = "This is where the log begins.";

/// What a button of the filter says.
pub(super) const fn filter(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "All",
        Filter::Of(Group::AgentApprove) => "Agents approved",
        Filter::Of(Group::Wallet) => "Wallet",
        Filter::Of(Group::Passkey) => "Passkeys",
        Filter::Of(Group::Agent) => "Agents ended",
        Filter::Of(Group::Credential) => "Credentials",
        Filter::Of(Group::Account) => "Account",
    }
}

/// Nothing is there.
pub(super) const fn none(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "Nothing has been asked for yet.",
        Filter::Of(Group::AgentApprove) => "No agent was paired or given other limits yet.",
        Filter::Of(Group::Wallet) => "No money was sent yet.",
        Filter::Of(Group::Passkey) => "No passkey was added, tested or removed yet.",
        Filter::Of(Group::Agent) => "No agent was revoked or torn down yet.",
        Filter::Of(Group::Credential) => "No credential was stored or deleted yet.",
        Filter::Of(Group::Account) => "No recovery codes were replaced and no terminal was opened yet.",
    }
}

/// What became of it, and how that is shown.
pub(super) fn outcome(outcome: Outcome, code: Option<&str>) -> (Tone, &'static str) {
    match outcome {
        // The page's first try, without a confirmation: the server says that it wants one.
        Outcome::Denied if code == Some(Code::StepUpRequired.as_str()) => {
            (Tone::Plain, "came without a confirmation")
        }
        Outcome::Asked => (Tone::Plain, "asked for"),
        Outcome::Confirmed => (Tone::Held, "confirmed and done"),
        Outcome::Failed => (Tone::Wait, "not done, the confirmation failed"),
        Outcome::Denied => (Tone::Wait, "refused"),
        Outcome::Replayed => (Tone::Broken, "refused, the confirmation was used before"),
        Outcome::Unguarded => (Tone::Wait, "done without a confirmation"),
    }
}

/// Why, in the server's words; nothing where the outcome says it all.
pub(super) fn why(code: &str) -> Option<&'static str> {
    let code = Code::ALL.iter().find(|known| known.as_str() == code)?;
    (*code != Code::StepUpRequired).then(|| code.title())
}

/// What the operator has switched off, above the list.
pub(super) fn switched_off(kinds: &[Kind]) -> String {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    [
        "The operator of this console has switched the confirmation off for ",
        &kinds.join(", "),
        ". Whoever sits at a signed-in browser of yours can do that without your passkey; each use is written here.",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_try_of_the_page_is_no_alarm_and_a_refusal_is_one() {
        assert_eq!(outcome(Outcome::Denied, Some("step_up_required")).0, Tone::Plain);
        assert_eq!(outcome(Outcome::Denied, Some("cooldown")), (Tone::Wait, "refused"));
        assert_eq!(outcome(Outcome::Replayed, None).0, Tone::Broken);
        assert_eq!(why("cooldown"), Some("The account is in a cooldown"));
        assert_eq!((why("step_up_required"), why("unheard_of")), (None, None));
    }

    #[test]
    fn what_is_switched_off_is_named() {
        let said = switched_off(&[Kind::WalletSend, Kind::PasskeyRemove]);
        assert!(said.contains("wallet.send, passkey.remove"), "{said}");
    }
}
