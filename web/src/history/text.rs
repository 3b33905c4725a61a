//! The words of this slice.

use crate::words::Tone;
use holdfast_protocol::{
    history::{Activity, TheftSign},
    problem::Code,
    step_up::Outcome,
};
use std::borrow::Cow;

pub(super) const TITLE: &str = "Activity";
pub(super) const CONFIRMATIONS: &str = "Confirmations";
pub(super) const LOADING: &str = "Fetching what happened";
pub(super) const LOADING_OLDER: &str = "Fetching older events";
pub(super) const OLDER: &str = "Show older";
pub(super) const NONE: &str = "Nothing has happened yet.";
pub(super) const ALL: &str = "This is where the account began.";
pub(super) const ALARM: &str = "Somebody may hold a copy of your cookie.";
pub(super) const ALARM_DO: &str = "It opened nothing: it came without the key of this browser. To end that session for good, sign out everywhere, then sign in again. If a program or a person had access to your browser's files, look there for the cause.";

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) said: Cow<'static, str>,
    pub(super) tone: Tone,
    /// What the person can do, where there is something.
    pub(super) way_on: Option<&'static str>,
}

fn plain(said: impl Into<Cow<'static, str>>) -> Sentence {
    Sentence { said: said.into(), tone: Tone::Plain, way_on: None }
}

fn grave(tone: Tone, said: impl Into<Cow<'static, str>>, way_on: &'static str) -> Sentence {
    Sentence { said: said.into(), tone, way_on: Some(way_on) }
}

fn quoted(before: &str, name: &str, after: &str) -> String {
    [before, "“", name, "”", after].concat()
}

/// What happened.
pub(super) fn sentence(what: &Activity) -> Sentence {
    match what {
        Activity::AccountCreated => plain("The account was made."),
        Activity::PasskeyAdded { name, .. } => plain(quoted("The passkey ", name, " was added.")),
        Activity::PasskeyRenamed { name, .. } => plain(quoted("A passkey is called ", name, " now.")),
        Activity::PasskeySuspect { name, .. } => grave(
            Tone::Broken,
            quoted("The passkey ", name, " may have been cloned: its counter went backwards."),
            "Some authenticators count carelessly. If yours never did before, stop using this passkey.",
        ),
        Activity::RecoveryCodesCreated => plain("Recovery codes came into force."),
        Activity::SignedIn { name, .. } => plain(quoted("Signed in with the passkey ", name, ".")),
        Activity::SignInRefused { code } => Sentence {
            said: refused(code),
            tone: Tone::Wait,
            way_on: Some("If this was not you, somebody tried a passkey of yours and did not get in."),
        },
        Activity::SignedOut => plain("Signed out."),
        Activity::SignedOutEverywhere => plain("Signed out everywhere; every connection ended."),
        Activity::TheftSuspected { sign: TheftSign::ForeignKey } => grave(
            Tone::Broken,
            "Your session's cookie was used with somebody else's key. It opened nothing.",
            "A copy of the cookie is probably in other hands. Sign out everywhere, then sign in again.",
        ),
        Activity::TheftSuspected { sign: TheftSign::ReplayedProof } => grave(
            Tone::Broken,
            "A proof of your session was used a second time. It opened nothing.",
            "Somebody may have recorded your browser's traffic; or your browser sent a request again by itself, as some do when a connection breaks. Sign out everywhere, then sign in again.",
        ),
        Activity::CookieWithoutKey => grave(
            Tone::Wait,
            "Your session's cookie came without its key. It opened nothing.",
            "A browser whose site data was cleared looks like this; a copied cookie does too. If you cleared nothing, sign out everywhere.",
        ),
        Activity::ConnectionHeld { .. } => Sentence {
            said: "A connection missed an answer and was held back.".into(),
            tone: Tone::Wait,
            way_on: None,
        },
        Activity::ConnectionClosed { .. } => Sentence {
            said: "A connection could not prove itself twice in a row and was closed.".into(),
            tone: Tone::Wait,
            way_on: None,
        },
        Activity::ConnectionEnded { .. } => plain("You ended a connection."),
        Activity::RelayRefused { .. } => grave(
            Tone::Broken,
            "Your browser was handed the challenge of a connection that is not its own, and refused it.",
            "Something between you and this console tried to use your key. Use another network, and tell whoever runs the console.",
        ),
        Activity::PasskeyRemoved { name, .. } => plain(quoted("The passkey ", name, " was removed.")),
        Activity::RecoveryCodesReplaced => plain("New recovery codes took the place of the old ones."),
        Activity::CredentialRead { name, agent } => {
            plain([agent, " read the credential “", name, "”."].concat())
        }
        Activity::StepUp { outcome, sentence, code, .. } => {
            let (before, tone) = match outcome {
                // How every action begins that a page asks for.
                Outcome::Denied if code.as_deref() == Some(Code::StepUpRequired.as_str()) => {
                    ("A confirmation is needed: ", Tone::Plain)
                }
                Outcome::Asked => ("Confirmation asked for: ", Tone::Plain),
                Outcome::Confirmed => ("Confirmed: ", Tone::Plain),
                Outcome::Failed => ("Not done, the confirmation failed: ", Tone::Wait),
                Outcome::Denied => ("Refused: ", Tone::Wait),
                Outcome::Replayed => ("Refused, a confirmation was used twice: ", Tone::Broken),
                Outcome::Unguarded => ("Done without confirmation, as the operator has set: ", Tone::Wait),
            };
            Sentence { said: [before, sentence].concat().into(), tone, way_on: None }
        }
        Activity::Agent { sentence } => plain(sentence.clone()),
    }
}

fn refused(code: &str) -> Cow<'static, str> {
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    match known {
        Some(known) => ["A sign-in was refused: ", &lower_first(known.title()), "."].concat().into(),
        None => "A sign-in was refused.".into(),
    }
}

fn lower_first(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}

/// Short, for an eye that runs down the list.
pub(super) const fn mark(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Broken => Some("look at this"),
        Tone::Wait => Some("worth knowing"),
        Tone::Plain | Tone::Held => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::{ids::ConnectionId, step_up::Kind};

    #[test]
    fn what_may_be_theft_is_red_and_says_what_to_do() {
        for sign in [TheftSign::ForeignKey, TheftSign::ReplayedProof] {
            let sentence = sentence(&Activity::TheftSuspected { sign });
            assert_eq!(sentence.tone, Tone::Broken);
            assert!(sentence.way_on.is_some_and(|way_on| way_on.contains("Sign out everywhere")));
        }
        let wiped = sentence(&Activity::CookieWithoutKey);
        assert_eq!(wiped.tone, Tone::Wait);
        assert!(wiped.way_on.is_some());
    }

    #[test]
    fn a_refusal_names_its_reason_and_an_unknown_code_does_not_show() {
        let said = |code: &str| sentence(&Activity::SignInRefused { code: code.to_owned() }).said;
        assert_eq!(said("user_verification_missing"), "A sign-in was refused: you were not verified.");
        assert_eq!(said("whatever<b>"), "A sign-in was refused.");
    }

    #[test]
    fn every_sentence_ends_and_none_shouts() {
        let connection = ConnectionId::make([1; 16]);
        for what in [
            Activity::AccountCreated,
            Activity::RecoveryCodesCreated,
            Activity::SignedOut,
            Activity::SignedOutEverywhere,
            Activity::CookieWithoutKey,
            Activity::ConnectionHeld { connection: connection.clone(), why: "late".to_owned() },
            Activity::ConnectionClosed { connection: connection.clone() },
            Activity::ConnectionEnded { connection: connection.clone() },
            Activity::RelayRefused { connection },
            Activity::RecoveryCodesReplaced,
            Activity::StepUp {
                action: Kind::PasskeyRemove,
                outcome: Outcome::Asked,
                sentence: "Remove the passkey.".to_owned(),
                code: None,
            },
        ] {
            let Sentence { said, .. } = sentence(&what);
            assert!(said.ends_with('.') && !said.contains('!'), "{said}");
        }
    }
}
