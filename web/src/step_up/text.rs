//! The words of this slice.

use super::check::{Difference, Signer};
use crate::{
    ceremony::{CeremonyFailure, Kind, WillAsk},
    problem::Failure,
    text::{refusal, will_ask_to_sign_in},
    words::{Tone, Words},
};
use holdfast_protocol::{
    history::Device,
    problem::{Code, Problem},
    step_up::Kind as Action,
};
use std::borrow::Cow;

pub(super) const TITLE: &str = "Confirm with your passkey";
pub(super) const CLAIMED: &str = "The password manager that keeps your passkeys is known to say that it has asked for your fingerprint, face or PIN without asking. Whoever sits at this unlocked device could confirm this, too.";
pub(super) const LEAD: &str = "This is done once, exactly as it is written here:";
pub(super) const CONFIRM: &str = "Confirm with a passkey";
pub(super) const CLOSE: &str = "Close";
pub(super) const SEND_AGAIN: &str = "Send the same request again";
pub(super) const ASKING: &str = "Getting the confirmation ready";
pub(super) const PROMPTING: &str = "Your device is asking. Answer it there.";
pub(super) const SENDING: &str = "Confirmed. The console is doing it now.";
pub(super) const BARRED_TITLE: &str = "Not now";
pub(super) const ALARM_TITLE: &str = "Stop. This is not what you asked for.";
pub(super) const ALARM_ASKED: &str = "You asked for this:";
pub(super) const SECURITY_PAGE: &str = "Open your Security page";

const fn words(what: &'static str, way_on: &'static str, tone: Tone) -> Words {
    Words { what: Cow::Borrowed(what), way_on: Cow::Borrowed(way_on), tone }
}

/// For who comes back to a prompt that has been open for long.
pub(super) const WAITED: Words = words(
    "This has been waiting for a while.",
    "It was asked for anew, and nothing was done. Press the button once more.",
    Tone::Wait,
);

const NO_PASSKEY: Words = words(
    "You have no passkey to confirm this with.",
    "Nothing was done. Make a passkey on your Security page first, then come back.",
    Tone::Wait,
);

const TOO_LATE: Words = words(
    "The time for this confirmation was over.",
    "Nothing was done. Look at it once more, then confirm it again.",
    Tone::Wait,
);

const CANCELLED: Words = words(
    "The passkey prompt was closed.",
    "Nothing was done. If no passkey of yours was offered, choose a phone or a security key there.",
    Tone::Wait,
);

const TIMED_OUT: Words = words(
    "The time for the passkey prompt was over.",
    "Nothing was done. Have your device or security key at hand, then confirm it again.",
    Tone::Wait,
);

/// What happened, in words of this page's own: the server's beside the sentence could talk the person into
/// confirming it.
fn own_words(failure: &Failure) -> Words {
    match failure {
        Failure::Refused(problem) => {
            let retry_after_s = problem.retry_after_s;
            refusal(&Problem { retry_after_s, ..Problem::of(problem.code) })
        }
        _ => failure.words(),
    }
}

/// What went wrong with a confirmation.
pub(super) fn failure(failure: &Failure) -> Words {
    match failure {
        Failure::Ceremony(CeremonyFailure::Cancelled(Kind::SignIn)) => CANCELLED,
        Failure::Ceremony(CeremonyFailure::TimedOut) => TIMED_OUT,
        Failure::Refused(problem) if problem.code == Code::StepUpRequired => TOO_LATE,
        _ => own_words(failure),
    }
}

/// Why it is not even asked for.
pub(super) fn barred(failure: &Failure) -> Words {
    match failure.code() {
        Some(Code::StepUpRequired) => NO_PASSKEY,
        _ => Words { tone: Tone::Wait, ..own_words(failure) },
    }
}

/// This page does not know whether it was done.
pub(super) fn unanswered(failure: &Failure) -> Words {
    if !failure.may_pass() {
        return failure.words();
    }
    Words {
        what: own_words(failure).what,
        way_on:
            "You confirmed it, and this page does not know whether it was done. Send the same request again: \
                 however often it arrives, it is done once."
                .into(),
        tone: Tone::Wait,
    }
}

/// What browsers and systems are called. What else the server calls them is not repeated beside the sentence.
const BROWSERS: [&str; 6] = ["Chrome", "Edge", "Firefox", "Opera", "Safari", "Vivaldi"];
const SYSTEMS: [&str; 7] = ["Android", "ChromeOS", "iPad", "iPhone", "Linux", "Mac", "Windows"];

/// From where, with what, and what the device will ask for.
pub(super) fn by(device: &Device, signer: Signer, will_ask: Option<WillAsk>) -> String {
    let known = |names: &[&'static str], name: &str| names.iter().find(|known| **known == name).copied();
    let browser = known(&BROWSERS, &device.browser).unwrap_or("this browser");
    let system = known(&SYSTEMS, &device.system).unwrap_or("this device");
    let passkey = match signer {
        Signer::AnyPasskey => ", with one of your passkeys.",
        Signer::ThatPasskey => ", with that passkey itself.",
    };
    let said = ["You confirm it in ", browser, " on ", system, passkey].concat();
    match will_ask {
        Some(will_ask) => [&said, " ", will_ask_to_sign_in(will_ask)].concat(),
        None => said,
    }
}

/// What the alarm means.
pub(super) const ALARM: Words = words(
    "The server wanted your passkey to confirm something else. Your passkey was not asked, so nothing was confirmed.",
    "Somebody may have taken over this console, or stand between it and you. Do not try again here. Tell whoever runs the console, by phone or in person and not through this page.",
    Tone::Broken,
);

/// Before [`to_quote`].
pub(super) const QUOTE: &str = "Quote this to them: ";

/// What helps whoever runs the console.
pub(super) fn to_quote(action: Action, difference: Difference) -> String {
    [action.as_str(), ", another ", differing(difference)].concat()
}

const fn differing(difference: Difference) -> &'static str {
    match difference {
        Difference::Unreadable => "kind of token",
        Difference::Challenge => "challenge",
        Difference::Ceremony => "ceremony",
        Difference::Verification => "way to confirm",
        Difference::Account => "account",
        Difference::Session => "session",
        Difference::Action => "action",
        Difference::Target => "target",
        Difference::Parameters => "operation",
        Difference::Sentence => "sentence",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step_up::state::Means;
    use holdfast_protocol::problem::StepUpReason;

    #[test]
    fn who_has_no_passkey_is_led_to_one() {
        let mut problem = Problem::of(Code::StepUpRequired);
        problem.reason = Some(StepUpReason::Setup.as_str().to_owned());
        assert_eq!(barred(&Failure::Refused(Box::new(problem))), NO_PASSKEY);
        let cooldown = barred(&Failure::Refused(Box::new(Problem::of(Code::Cooldown))));
        assert_eq!(cooldown.what, "The account is in a cooldown.");
    }

    #[test]
    fn nothing_of_what_the_server_writes_stands_beside_the_sentence() {
        const LIE: &str = "The line above is an old test. Confirm once more";
        for code in Code::ALL {
            let lie = Problem { title: LIE.to_owned(), detail: LIE.to_owned(), ..Problem::of(*code) };
            let lie = Failure::Refused(Box::new(lie));
            let words = match Means::of(&lie) {
                Means::Barred => barred(&lie),
                Means::Unanswered => unanswered(&lie),
                Means::Confirm | Means::Refused => super::failure(&lie),
            };
            assert!(!words.what.contains("old test") && !words.way_on.contains("old test"), "{code}");
        }
        let device = |browser: &str, system: &str| {
            let device = Device { browser: browser.to_owned(), system: system.to_owned() };
            by(&device, Signer::AnyPasskey, None)
        };
        let known = "You confirm it in Firefox on Linux, with one of your passkeys.";
        assert_eq!(device("Firefox", "Linux"), known);
        let own = "You confirm it in this browser on this device, with one of your passkeys.";
        assert_eq!(device(LIE, LIE), own);
    }

    #[test]
    fn a_failure_says_what_became_of_the_action() {
        for failure in [
            Failure::Ceremony(CeremonyFailure::Cancelled(Kind::SignIn)),
            Failure::Ceremony(CeremonyFailure::TimedOut),
            Failure::Refused(Box::new(Problem::of(Code::StepUpRequired))),
        ] {
            assert!(super::failure(&failure).way_on.starts_with("Nothing was done."), "{failure:?}");
        }
        assert!(unanswered(&Failure::TooSlow).way_on.contains("does not know whether it was done"));
        let reused = Failure::Refused(Box::new(Problem::of(Code::IdempotencyKeyReused)));
        assert!(unanswered(&reused).way_on.starts_with("It may have been done: look first."));
    }
}
