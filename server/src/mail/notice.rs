//! What mail says.

use holdfast_protocol::{
    history::{Device, TheftSign},
    step_up::quoted,
};

/// What an account's owner is told by mail.
pub(crate) enum Notice<'a> {
    PasskeyAdded { name: &'a str, device: &'a Device },
    PasskeyRemoved { name: &'a str, device: &'a Device },
    TheftSuspected { sign: TheftSign, device: &'a Device },
}

/// A mail's words, in plain text.
pub(super) struct Text {
    pub subject: String,
    pub body: String,
}

impl Notice<'_> {
    pub fn kind(&self) -> &'static str {
        match self {
            Notice::PasskeyAdded { .. } => "passkey_added",
            Notice::PasskeyRemoved { .. } => "passkey_removed",
            Notice::TheftSuspected { .. } => "theft_suspected",
        }
    }

    /// To the owner of this name, of the console at this origin.
    pub(super) fn text(&self, owner: &str, origin: &str) -> Text {
        let words = match self {
            Notice::PasskeyAdded { name, device } => Words {
                subject: format!("Passkey added: {}", quoted(name)),
                happened: format!("the passkey {} was added", quoted(name)),
                device,
                meaning: "It can sign in to your account from now on.",
                unless: "If this was not you, go",
                cure: "remove that passkey and sign out everywhere",
            },
            Notice::PasskeyRemoved { name, device } => Words {
                subject: format!("Passkey removed: {}", quoted(name)),
                happened: format!("the passkey {} was removed", quoted(name)),
                device,
                meaning: "It can never sign in to your account again. Where it is synced, a copy may stay with its \
                          provider: delete it there, too.",
                unless: "If this was not you, go",
                cure: "look at your passkeys and sign out everywhere",
            },
            Notice::TheftSuspected { sign, device } => {
                let (happened, meaning) = match sign {
                    TheftSign::ForeignKey => (
                        "the cookie of a session of yours was used with somebody else's key",
                        "It opened nothing. A copy of the cookie is probably in other hands.",
                    ),
                    TheftSign::ReplayedProof => (
                        "a proof of a session of yours was used a second time",
                        "It opened nothing. Somebody may have recorded your browser's traffic; or your browser sent a \
                         request again by itself, as some do when a connection breaks.",
                    ),
                };
                Words {
                    subject: "Suspected theft of a session".to_owned(),
                    happened: happened.to_owned(),
                    device,
                    meaning,
                    unless: "Go",
                    cure: "sign out everywhere, then sign in again",
                }
            }
        };
        let Words { subject, happened, device: Device { browser, system }, meaning, unless, cure } = words;
        Text {
            subject,
            body: format!(
                "Hello {owner},\n\n\
                 {happened}, in {browser} on {system}.\n\n\
                 {meaning}\n\n\
                 {unless} to {origin}/security at once, {cure}."
            ),
        }
    }
}

/// What differs from mail to mail.
struct Words<'a> {
    subject: String,
    happened: String,
    device: &'a Device,
    meaning: &'static str,
    /// The beginning of the last sentence.
    unless: &'static str,
    cure: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_says_what_happened_where_and_what_to_do() {
        let device = Device { browser: "Firefox".to_owned(), system: "Linux".to_owned() };
        let added = Notice::PasskeyAdded { name: "Blue key", device: &device };
        let Text { subject, body } = added.text("Mara", "https://console.example");
        assert_eq!(subject, "Passkey added: “Blue key”");
        assert_eq!(
            body,
            "Hello Mara,\n\nthe passkey “Blue key” was added, in Firefox on Linux.\n\nIt can sign in to your \
             account from now on.\n\nIf this was not you, go to https://console.example/security at once, remove \
             that passkey and sign out everywhere."
        );
        let removed = Notice::PasskeyRemoved { name: "A” was added. “B", device: &device };
        let Text { subject, body } = removed.text("Mara", "https://console.example");
        assert_eq!(subject, "Passkey removed: “A\" was added. \"B”");
        assert!(body.contains("delete it there, too"), "{body}");
    }

    #[test]
    fn a_mail_about_theft_says_how_it_showed_and_what_to_do() {
        let device = Device { browser: "Firefox".to_owned(), system: "Linux".to_owned() };
        let text =
            |sign| Notice::TheftSuspected { sign, device: &device }.text("Mara", "https://console.example");
        let Text { subject, body } = text(TheftSign::ForeignKey);
        assert_eq!(subject, "Suspected theft of a session");
        assert_eq!(
            body,
            "Hello Mara,\n\nthe cookie of a session of yours was used with somebody else's key, in Firefox on \
             Linux.\n\nIt opened nothing. A copy of the cookie is probably in other hands.\n\nGo to \
             https://console.example/security at once, sign out everywhere, then sign in again."
        );
        let Text { body, .. } = text(TheftSign::ReplayedProof);
        assert!(
            body.contains("\n\na proof of a session of yours was used a second time, in Firefox"),
            "{body}"
        );
        assert!(
            body.contains("recorded your browser's traffic; or your browser sent a request again"),
            "{body}"
        );
    }
}
