//! The words of this slice.

use crate::{session::Notice, words::Tone};
use holdfast_protocol::problem::Code;

pub(super) const SETUP_TITLE: &str = "Set up this console.";
pub(super) const SETUP_TAB: &str = "Set up";
pub(super) const PASSKEY_TAB: &str = "Your passkey";
pub(super) const SIGN_IN_TAB: &str = "Sign in";
pub(super) const SECURITY_TAB: &str = "Security";
pub(super) const SETUP_INTRO: &str = "You are the first one here. This account opens with a passkey: there is no password to choose, to forget or to lose.";
pub(super) const NAME: &str = "Your name";
pub(super) const EMAIL: &str = "Email address";
pub(super) const EMAIL_HINT: &str = "It is kept with the account; nothing is mailed yet.";
pub(super) const TOKEN: &str = "Setup token";
pub(super) const TOKEN_HINT: &str = "It is in the link that the server printed when it started, or in HOLDFAST_SETUP_TOKEN: paste the link or the token, or ask whoever runs this console.";
pub(super) const CONTINUE: &str = "Continue";
pub(super) const BACK: &str = "Change name or address";
pub(super) const PASSKEY_TITLE: &str = "Make your passkey.";
pub(super) const PASSKEY_INTRO: &str =
    "It is the only thing that opens this account. The console learns its public half and nothing more.";
pub(super) const CREATE: &str = "Create my passkey";
pub(super) const FETCHING_OPTIONS: &str = "Getting everything ready";
pub(super) const CHECKING: &str = "Checking the answer";
pub(super) const PROMPTING: &str = "Your device is asking. Answer it there.";
pub(super) const FOR: &str = "Passkey for";
pub(super) const AT: &str = "At";

pub(super) const NAME_MISSING: &str = "Write the name that others here will know you by.";
pub(super) const NAME_TOO_LONG: &str = "Use at most 64 characters.";
pub(super) const NAME_CONTROL: &str = "Use letters, digits and ordinary signs only.";
pub(super) const EMAIL_MISSING: &str = "Write your email address.";
pub(super) const EMAIL_MALFORMED: &str = "Write a whole address, as in name@example.com.";
pub(super) const TOKEN_MISSING: &str = "Paste the setup token, or open the setup link.";
pub(super) const TOKEN_REFUSED: &str =
    "This token was used already, or is not the one that the server printed last.";

pub(super) const SIGN_IN_TITLE: &str = "Welcome back.";
pub(super) const SIGN_IN_INTRO: &str = "Your passkey is all you need.";
pub(super) const SIGN_IN: &str = "Sign in with a passkey";
pub(super) const AUTOFILL_LABEL: &str = "Your passkey";
pub(super) const AUTOFILL_HINT: &str = "Choose it here when your browser offers it.";
pub(super) const OR: &str = "or";

pub(super) const TIER: &str = "Web Locked";
pub(super) const LOCKED_TITLE: &str = "Only your passkeys open this.";
pub(super) const LOCKED_BODY: &str = "A copied cookie is worth nothing here: every request and every open connection proves itself with a key that cannot leave this browser.";
pub(super) const DEVICE_BOUND: &str = " The cookie is bound to this device's hardware as well.";
pub(super) const DONE_BODY: &str = "Your account is Web Locked. To come back you need your passkey. Add a second one soon, on another device: recovery codes cannot be used yet.";
pub(super) const OPEN_SECURITY: &str = "Open your security page";

pub(super) const SIGN_OUT: &str = "Sign out";
pub(super) const SIGN_OUT_HERE: &str = "Sign out of this browser";
pub(super) const SIGN_OUT_EVERYWHERE: &str = "Sign out everywhere";
pub(super) const SIGN_OUT_BODY: &str =
    "This ends your session here, closes its connections and destroys this browser's key.";
pub(super) const SIGN_OUT_CODES: &str =
    "Your recovery codes are not in force yet. If you leave now, you will see new ones at your next sign-in.";
pub(super) const EVERYWHERE_TITLE: &str = "Sign out everywhere?";
pub(super) const EVERYWHERE_BODY: &str = "Every browser is signed out and every connection of your account ends at once, this one included. Your passkeys stay as they are.";
pub(super) const STAY: &str = "Stay signed in";
pub(super) const ENDING: &str = "Signing out";
pub(super) const MEMORY_ONLY: &str = "This browser would not keep its key. You are signed in until you close or reload this page; outside private browsing it would last.";

/// Why the person is asked to sign in.
pub(super) fn notice(notice: Notice) -> (Tone, String) {
    match notice {
        Notice::SignedOutHere => {
            (Tone::Held, "You are signed out, and this browser's key is destroyed.".to_owned())
        }
        Notice::SignedOutElsewhere => (Tone::Plain, "You were signed out: in another tab, from another browser, or because the session had run its time.".to_owned()),
        Notice::SetupDone => (Tone::Plain, "This console has its first account already.".to_owned()),
        Notice::Refused(Code::SignedOut) => {
            (Tone::Plain, "Your session has ended. Sign in to go on.".to_owned())
        }
        Notice::Refused(code) => (Tone::Wait, ended(code).to_owned()),
    }
}

/// Why a session is none any more; of the server's codes those that come with 401, or the page would carry
/// the words of all.
fn ended(code: Code) -> &'static str {
    let words = match code {
        Code::PopProofMissing => const { Code::PopProofMissing.words() },
        Code::PopForeignKey => const { Code::PopForeignKey.words() },
        Code::PopProofReplayed => const { Code::PopProofReplayed.words() },
        Code::PopProofInvalid | Code::UseDpopNonce => const { Code::PopProofInvalid.words() },
        _ => const { Code::SignedOut.words() },
    };
    words.detail
}

/// The ring, in words.
pub(super) fn ring(in_place: usize) -> String {
    [&in_place.to_string(), " of 4 protections in place"].concat()
}
