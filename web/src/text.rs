//! The words that more than one slice needs; a slice's own are in its `text.rs`. A translation
//! replaces these files and nothing else.

use crate::{
    ceremony::{CeremonyFailure, Kind, WillAsk},
    words::{Tone, Words},
};
use holdfast_pop::PopError;
use holdfast_protocol::problem::{Code, Problem};
use std::borrow::Cow;

pub const PRODUCT: &str = "Holdfast";
pub const TRY_AGAIN: &str = "Try again";
pub const TRY_NOW: &str = "Try now";
pub const CANCEL: &str = "Cancel";
pub const OPENING: &str = "Opening";
pub const OPENING_LONG: &str = "Still waiting for the server.";
pub const AWAY_HEADING: &str = "The console does not answer.";
pub const AWAY_TAB: &str = "Not available";
pub const AWAY_AGAIN: &str = "Trying again by itself";
pub const BROKEN_HEADING: &str = "This browser cannot open the console.";
pub const CONSOLE: &str = "Console";
pub const UNTIL: &str = "until ";
pub const OVER: &str = "It is over.";
pub const SKIP: &str = "Skip to the content";

const fn words(what: &'static str, way_on: &'static str, tone: Tone) -> Words {
    Words { what: Cow::Borrowed(what), way_on: Cow::Borrowed(way_on), tone }
}

pub const OFFLINE: Words =
    words("This device is offline.", "Connect it to the network; the page goes on by itself.", Tone::Wait);
pub const SERVER_AWAY: Words = words(
    "The server cannot be reached.",
    "It may be restarting. Nothing was lost; the page can try again at any time.",
    Tone::Wait,
);
pub const TOO_SLOW: Words =
    words("The server took too long.", "Nothing was lost. Try again in a moment.", Tone::Wait);
pub const UNREADABLE: Words = words(
    "The server's answer could not be read.",
    "The page may be older than the server. Reload it, then try again.",
    Tone::Broken,
);
/// The request's key has had its answer in an earlier session, which is not told to this one.
const ANSWERED_BEFORE: Words = words(
    "You confirmed this before this browser signed in anew.",
    "It may have been done: look first. To do it once more all the same, reload this page and ask for it again.",
    Tone::Wait,
);
pub const INSECURE: Words = words(
    "Passkeys do not work at this address.",
    "Open the console by its https address, or on the machine itself at localhost.",
    Tone::Broken,
);
pub const ILLEGIBLE: Words = words(
    "This cannot be shown as it is, and so it cannot be confirmed.",
    "A name or text in it is too long, or has characters that hide something or turn it around. Nothing was sent. If \
     you have not written it, tell whoever runs the console in another way than through this page.",
    Tone::Broken,
);

/// Of a passkey whose provider says that it has verified the person, and is known to say so in any case.
pub fn claims_verification(provider: &str) -> String {
    [
        provider,
        " says that it has asked for your fingerprint, face or PIN, and is known to say so without asking. \
         Whoever sits at the unlocked device can confirm with it.",
    ]
    .concat()
}

/// What is wrong with the browser's own key.
pub fn key(error: PopError) -> Words {
    match error {
        PopError::NotSupported => words(
            "This browser would not make its key.",
            "Holdfast needs the browser's own cryptography over https. Leave private browsing or update the browser, then try again.",
            Tone::Broken,
        ),
        PopError::NoKey | PopError::KeyRefused => words(
            "This browser can no longer use the key of its session.",
            "Sign in with your passkey to make a new one.",
            Tone::Wait,
        ),
        PopError::StorageRefused => words(
            "This browser would not give its key up.",
            "You are signed out, and the key opens nothing any more. Clear the site's data to remove it.",
            Tone::Wait,
        ),
        PopError::WrongOrigin | PopError::BadArgument | PopError::TooMuchHeld | PopError::Ended => {
            words("The connection could not be proven.", "Reload the page, then try again.", Tone::Broken)
        }
    }
}

/// A refusal of the server, which carries its own sentences; for one of them a page has better ones than those for
/// programs.
pub fn refusal(problem: &Problem) -> Words {
    if problem.code == Code::IdempotencyKeyReused {
        return ANSWERED_BEFORE;
    }
    let mut what = problem.title.clone();
    what.push('.');
    let mut way_on = problem.detail.clone();
    if let Some(seconds) = problem.retry_after_s {
        way_on.push_str(" Try again in ");
        way_on.push_str(&duration(u64::from(seconds) * 1_000));
        way_on.push('.');
    }
    let tone = if problem.status >= 500 || problem.status == 429 { Tone::Wait } else { Tone::Broken };
    Words { what: what.into(), way_on: way_on.into(), tone }
}

/// How a passkey prompt failed.
pub fn ceremony(failure: &CeremonyFailure) -> Words {
    match failure {
        CeremonyFailure::Cancelled(Kind::Registration) => words(
            "No passkey was made.",
            "The prompt was closed before it finished. Nothing was changed; try again when you are ready.",
            Tone::Wait,
        ),
        CeremonyFailure::Cancelled(Kind::SignIn) => words(
            "The passkey prompt was closed.",
            "If no passkey was offered, this device may not have one for this console: choose a phone or a security key in the prompt. Try again when you are ready.",
            Tone::Wait,
        ),
        CeremonyFailure::TimedOut => words(
            "The time for the passkey prompt was over.",
            "Nothing was changed. Have your device or security key at hand, then try again.",
            Tone::Wait,
        ),
        CeremonyFailure::NeverAnswered => words(
            "Your device never answered.",
            "The prompt was ended. If it is still on the screen, close it; then try again, or restart the browser.",
            Tone::Wait,
        ),
        CeremonyFailure::NoAuthenticator => words(
            "Nothing here can hold such a passkey.",
            "Set a PIN, fingerprint or face on this device, connect a security key that has a PIN, or use your phone. Then try again.",
            Tone::Broken,
        ),
        CeremonyFailure::AlreadyRegistered => words(
            "This device has a passkey for this account already.",
            "Sign in with it, or choose another device in the prompt.",
            Tone::Wait,
        ),
        CeremonyFailure::WrongAddress => words(
            "Passkeys of this console do not work at this address.",
            "Check the address bar: open the console by the address that its server was started with.",
            Tone::Broken,
        ),
        CeremonyFailure::Superseded => {
            words("A newer attempt took its place.", "Go on there, or try again here.", Tone::Wait)
        }
        CeremonyFailure::InsecureContext => INSECURE,
        CeremonyFailure::NotSupported => words(
            "This browser does not know passkeys.",
            "Use a current version of Chrome, Edge, Firefox or Safari.",
            Tone::Broken,
        ),
        CeremonyFailure::NotWhatWasAsked(_) => words(
            "This is not what was asked for, so your passkey was not.",
            "The server's answer belongs to another attempt or was changed on its way. Do not confirm any prompt; reload the page, and tell whoever runs this console if it happens again.",
            Tone::Broken,
        ),
        CeremonyFailure::UnreadableOptions => UNREADABLE,
        CeremonyFailure::UnreadableAnswer => words(
            "Your authenticator's answer could not be read.",
            "Try again, or use another passkey.",
            Tone::Broken,
        ),
        CeremonyFailure::Other(name) => Words {
            what: ["The browser could not finish this (", name, ")."].concat().into(),
            way_on: "Try again; if it happens again, restart the browser or use another device.".into(),
            tone: Tone::Broken,
        },
    }
}

/// What the device will ask for when a passkey is made.
pub const fn will_ask_to_make(will_ask: WillAsk) -> &'static str {
    match will_ask {
        WillAsk::ThisDevice => {
            "Your device will ask for your fingerprint, face or PIN, and keep the passkey itself or in your password manager."
        }
        WillAsk::PhoneOrKey => {
            "Your browser will ask for your phone, to scan a code with, or for a security key with its PIN."
        }
        WillAsk::Key => "Your browser will ask for a security key: connect it, type its PIN and touch it.",
    }
}

/// What the device will ask for when signing in.
pub const fn will_ask_to_sign_in(will_ask: WillAsk) -> &'static str {
    match will_ask {
        WillAsk::ThisDevice => "Your device will ask for your fingerprint, face or PIN.",
        WillAsk::PhoneOrKey => "Your browser will ask for your phone or your security key.",
        WillAsk::Key => "Your browser will ask for your security key.",
    }
}

/// The largest whole unit, as `2 minutes`.
pub fn duration(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    match seconds {
        0..90 => count(seconds, "second", "seconds"),
        90..5_400 => count(seconds.div_ceil(60), "minute", "minutes"),
        5_400..129_600 => count(seconds.div_ceil(3_600), "hour", "hours"),
        _ => count(seconds.div_ceil(86_400), "day", "days"),
    }
}

/// To the second, in its two largest units: `1 day 3 h`, `23 h 10 min`, `9 min 12 s`, `12 s`.
pub fn left(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |one: u64, of_one: &str, other: u64, of_other: &str| {
        [&one.to_string(), of_one, " ", &other.to_string(), of_other].concat()
    };
    match seconds {
        0..60 => [&seconds.to_string(), " s"].concat(),
        60..3_600 => two(minutes, " min", seconds % 60, " s"),
        3_600..86_400 => two(hours, " h", minutes % 60, " min"),
        86_400..172_800 => two(days, " day", hours % 24, " h"),
        _ => two(days, " days", hours % 24, " h"),
    }
}

/// `1 key`, `2 keys`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    let mut text = number.to_string();
    text.push(' ');
    text.push_str(if number == 1 { one } else { many });
    text
}

/// How long ago, while that is what a person wants to know; `None`: a date says it better.
pub fn ago(now_ms: u64, then_ms: u64) -> Option<String> {
    let seconds = now_ms.saturating_sub(then_ms) / 1_000;
    let text = match seconds {
        0..10 => "just now".to_owned(),
        10..60 => [&seconds.to_string(), " s ago"].concat(),
        60..3_600 => [&count(seconds / 60, "minute", "minutes"), " ago"].concat(),
        3_600..72_000 => [&count(seconds / 3_600, "hour", "hours"), " ago"].concat(),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_two_units() {
        let told = |seconds: u64| left(seconds * 1_000);
        assert_eq!([1, 59, 60, 552].map(told), ["1 s", "59 s", "1 min 0 s", "9 min 12 s"]);
        assert_eq!([3_600, 86_399, 97_200].map(told), ["1 h 0 min", "23 h 59 min", "1 day 3 h"]);
        assert_eq!((left(1), told(259_200)), ("1 s".to_owned(), "3 days 0 h".to_owned()));
    }

    #[test]
    fn ages_are_told_in_the_largest_unit_that_still_says_something() {
        let now = 10_000_000_000;
        assert_eq!(ago(now, now).as_deref(), Some("just now"));
        assert_eq!(ago(now, now + 5_000).as_deref(), Some("just now"));
        assert_eq!(ago(now, now - 12_000).as_deref(), Some("12 s ago"));
        assert_eq!(ago(now, now - 61_000).as_deref(), Some("1 minute ago"));
        assert_eq!(ago(now, now - 7_200_000).as_deref(), Some("2 hours ago"));
        assert_eq!(ago(now, now - 86_400_000), None);
    }

    #[test]
    fn durations_round_up_so_that_a_wait_is_never_too_short() {
        assert_eq!(duration(900), "1 second");
        assert_eq!(duration(45_000), "45 seconds");
        assert_eq!(duration(90_000), "2 minutes");
        assert_eq!(duration(7_200_000), "2 hours");
        assert_eq!(duration(172_800_000), "2 days");
    }
}
