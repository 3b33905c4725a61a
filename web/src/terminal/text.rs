//! The words of this slice.

use super::state::{Line, Over};
use crate::words::{Tone, Words};

pub(super) const TITLE: &str = "A shell on the console's machine";
pub(super) const WHAT: &str =
    "It can do everything there that this console can: read its files, its database and its secrets.";
pub(super) const HOW: &str = "You confirm each one with your passkey, and this browser proves itself for as long as it is open. The shell ends with its connection: when you leave the console, sign out or lose the network. What runs in it ends then, too.";
pub(super) const OPEN: &str = "Open a terminal";
pub(super) const OPEN_ANOTHER: &str = "Open another terminal";
pub(super) const FETCHING: &str = "Fetching the terminal";
pub(super) const CONFIRMING: &str = "Waiting for your confirmation";
pub(super) const LEFT: &str = "No terminal was opened.";
pub(super) const MEMBER: &str =
    "Only administrators of this console open terminals, and this account is not one.";
pub(super) const COPY: &str = "Copy";
pub(super) const END: &str = "End it";
pub(super) const COPIED: &str = "Copied.";
pub(super) const NOT_COPIED: &str = "The browser did not allow copying.";
pub(super) const KEYS: &str = "Tab and Escape go to the shell; Shift+F6 leaves the terminal. Ctrl+Shift+C copies what is selected, or else everything; Ctrl+Shift+V pastes. On a Mac, ⌘C and ⌘V.";

/// Not started with `--terminal`.
pub(super) fn off() -> Words {
    Words {
        what: "Terminals are switched off here.".into(),
        way_on: "Whoever runs this server switches them on by starting it with --terminal, or with HOLDFAST_TERMINAL=true in its environment.".into(),
        tone: Tone::Plain,
    }
}

/// What draws it did not come.
pub(super) fn not_fetched() -> Words {
    Words {
        what: "The terminal could not be fetched.".into(),
        way_on: "No shell was opened. Reload the page, then try again; if it stays, tell your operator."
            .into(),
        tone: Tone::Broken,
    }
}

pub(super) const fn line(line: Line) -> (Tone, &'static str) {
    match line {
        Line::Connecting => (Tone::Wait, "connecting"),
        Line::Proven => (Tone::Held, "proven"),
        Line::Held => (Tone::Wait, "frozen"),
    }
}

/// What there is to wait for.
pub(super) const fn wait(line: Line) -> Option<&'static str> {
    match line {
        Line::Connecting => Some("Connecting. This browser proves itself before anything flows."),
        Line::Proven => None,
        Line::Held => {
            Some("Frozen: waiting for this browser to prove itself. What you type is sent when it has.")
        }
    }
}

pub(super) const OVER: &str = "ended";

pub(super) fn over(over: Over) -> Words {
    let (what, way_on, tone) = match over {
        Over::Shell(Some(0)) => return shell("The shell has ended.".to_owned()),
        Over::Shell(Some(status)) => {
            return shell(["The shell has ended, with status ", &status.to_string(), "."].concat());
        }
        Over::Shell(None) => return shell("The shell was ended by a signal.".to_owned()),
        Over::Here => ("You ended the terminal.", NEXT, Tone::Plain),
        Over::Elsewhere => (
            "The terminal was ended from the list of connections.",
            "If that was not you, look at your sessions on the Security page.",
            Tone::Wait,
        ),
        Over::SignedOut => {
            ("Your session is over, and the terminal with it.", "Sign in to open another.", Tone::Wait)
        }
        Over::Lost => (
            "The connection was lost, and the shell has ended with it.",
            "What you typed last may not have reached it. Open another to go on.",
            Tone::Wait,
        ),
        Over::Refused => (
            "The server did not open the terminal.",
            "A confirmation is good for one terminal and one minute. Open another to confirm anew.",
            Tone::Broken,
        ),
        Over::TooMuch => (
            "More came at once than this page can hold, and the terminal was ended.",
            "Paste less at a time, or write what is long into a file. Open another to go on.",
            Tone::Broken,
        ),
        Over::NotDrawn => (
            "This browser could not draw the terminal, and it was ended.",
            "Reload the page, then try again, or use a current browser.",
            Tone::Broken,
        ),
    };
    Words { what: what.into(), way_on: way_on.into(), tone }
}

const NEXT: &str = "What it showed stays here until you leave the page or open another.";

fn shell(what: String) -> Words {
    Words { what: what.into(), way_on: NEXT.into(), tone: Tone::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_says_what_happened_and_what_to_do() {
        let overs = [
            Over::Shell(Some(0)),
            Over::Shell(Some(3)),
            Over::Shell(None),
            Over::Here,
            Over::Elsewhere,
            Over::SignedOut,
            Over::Lost,
            Over::Refused,
            Over::TooMuch,
            Over::NotDrawn,
        ];
        for words in overs.map(over).into_iter().chain([off(), not_fetched()]) {
            assert!(words.what.ends_with('.') && words.way_on.ends_with('.'), "{words:?}");
        }
        assert_eq!(over(Over::Shell(Some(3))).what, "The shell has ended, with status 3.");
    }
}
