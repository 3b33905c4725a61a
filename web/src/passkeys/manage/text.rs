//! The words of managing passkeys.

use super::deed::{Deed, Kind, Phase};
use crate::{
    ceremony::CeremonyFailure,
    problem::Failure,
    text,
    words::{Tone, Words},
};
use std::borrow::Cow;

pub(super) const IN_USE: &str = "In use";
pub(super) const ADD: &str = "Add a passkey";
pub(super) const MAKE_TITLE: &str = "Confirmed. Now the new passkey.";
pub(super) const MAKE_ELSEWHERE: &str =
    "For another device, choose a phone or a security key when your browser offers the choice.";
pub(super) const MAKE: &str = "Make the passkey";
pub(super) const CONFIRMING: &str = "Waiting for your confirmation";
pub(super) const PROMPTING: &str = "Your device is asking. Answer it there.";
pub(super) const CHECKING: &str = "Checking the answer";
pub(super) const ADDED: &str = "The passkey was added.";
pub(super) const ADDED_NAME_IT: &str = "The passkey was added. Give it a name that you will know it by.";
pub(super) const CONFIRM_AGAIN: &str = "Confirm again";
pub(super) const EXPIRED: Words = Words {
    what: Cow::Borrowed("The time to make the passkey is over."),
    way_on: Cow::Borrowed("Nothing was added. Confirm once more, then make it within four minutes."),
    tone: Tone::Wait,
};
const HELD_ALREADY: Words = Words {
    what: Cow::Borrowed("That device has a passkey of this account already."),
    way_on: Cow::Borrowed(
        "Nothing was added. Try again and choose another one: a phone, a security key, or another password manager.",
    ),
    tone: Tone::Wait,
};

pub(super) const TEST: &str = "Test";
pub(super) const REMOVE: &str = "Remove";
pub(super) const REMOVE_NOW: &str = "Remove this passkey";
pub(super) const KEEP: &str = "Keep it";
pub(super) const ADD_FIRST: &str = "Add another one first: without this passkey nobody could sign in to this account any more, since recovery codes cannot be used yet.";
pub(super) const LAST: &str = "This is your last passkey. It stays.";
pub(super) const NOTHING_DONE: &str = "Nothing was done.";

pub(super) const FOR_GOOD: &str = "It can never sign in or confirm anything again. That cannot be undone; the device can be given a new one.";
pub(super) const STAYS_ON_ITS_DEVICE: &str = "What is left of it on its device opens nothing here. Your browser is told to stop offering it; not every one listens.";
pub(super) const COPIES_STAY: &str = "Its copies stay in its password manager, on every device, until you delete them there. They open nothing here.";
pub(super) const ONE_IS_LEFT: &str = "One passkey is left then. If you lose that one, too, nothing opens this account: recovery codes cannot be used yet.";
pub(super) const YOU_STAY: &str =
    "It has opened the session that you are in. You stay signed in here until you sign out.";

pub(super) const END_SESSIONS: &str = "End them";
pub(super) const ENDING: &str = "Ending them";
pub(super) const REMOVED_TITLE: &str = "Removed";
pub(super) const REMOVED_BODY: &str = "They sign in nowhere and stay here for the record.";
pub(super) const TRUSTED: &str = ", trusted";
pub(super) const ID: &str = "Id ";

/// Where its copies stay, of a provider that is known.
pub(super) fn copies_stay(provider: &str) -> String {
    [
        "Its copies stay in ",
        provider,
        ", on every device, until you delete them there. They open nothing here.",
    ]
    .concat()
}

/// Of several passkeys with one provider.
pub(super) fn kept_by_one(provider: &str) -> String {
    [
        "Every passkey of yours is kept by ",
        provider,
        ". If you lose your account there, you lose them all: one that lives elsewhere, on a security key or with \
         another password manager, keeps you in.",
    ]
    .concat()
}

/// Before it is removed.
pub(super) fn sessions_go_on(number: u32) -> String {
    let sessions = text::count(u64::from(number), "other session", "other sessions");
    let go_on = if number == 1 {
        ", which goes on until you end it: the list offers that."
    } else {
        ", which go on until you end them: the list offers that."
    };
    ["It has opened ", &sessions, go_on].concat()
}

/// Above what removing it means.
pub(super) fn remove_title(name: &str) -> String {
    ["Remove “", name, "”?"].concat()
}

/// Beside it in the list.
pub(super) fn sessions(number: u32) -> String {
    ["It has opened ", &text::count(u64::from(number), "other session", "other sessions"), "."].concat()
}

/// How many can sign in.
pub(super) fn number(in_use: usize) -> String {
    text::count(u64::try_from(in_use).unwrap_or_default(), "passkey", "passkeys")
}

/// A button says which passkey it means.
pub(super) fn label(deed: &str, name: &str) -> String {
    [deed, " ", name].concat()
}

/// How it ended; `None`: it has not, or a failure says it.
pub(super) fn ended(deed: &Deed) -> Option<String> {
    let name = ["“", &deed.name, "”"].concat();
    match (&deed.phase, deed.kind) {
        (Phase::Done, Kind::Test) => Some([&name, " works: you have just confirmed with it."].concat()),
        (Phase::Done, Kind::Removal) => Some([&name, " was removed. It can never sign in again."].concat()),
        (Phase::Done, Kind::EndOfSessions) => {
            Some(["The other sessions that ", &name, " had opened were ended."].concat())
        }
        (Phase::Left, Kind::Test | Kind::EndOfSessions) => Some(NOTHING_DONE.to_owned()),
        _ => None,
    }
}

/// How the making of a further passkey failed.
pub(super) fn not_made(failure: &Failure) -> Words {
    match failure {
        Failure::Ceremony(CeremonyFailure::AlreadyRegistered) => HELD_ALREADY,
        other => other.words(),
    }
}
