//! What mail says.

use holdfast_protocol::{history::Device, step_up::quoted};

/// What an account's owner is told by mail.
pub(crate) enum Notice<'a> {
    PasskeyAdded { name: &'a str, device: &'a Device },
    PasskeyRemoved { name: &'a str, device: &'a Device },
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
        }
    }

    /// To the owner of this name, of the console at this origin.
    pub(super) fn text(&self, owner: &str, origin: &str) -> Text {
        let (name, device, done, meaning, cure) = match self {
            Notice::PasskeyAdded { name, device } => {
                let meaning = "It can sign in to your account from now on.";
                (name, device, "added", meaning, "remove that passkey and sign out everywhere")
            }
            Notice::PasskeyRemoved { name, device } => {
                let meaning = "It can never sign in to your account again. Where it is synced, a copy may stay with \
                               its provider: delete it there, too.";
                (name, device, "removed", meaning, "look at your passkeys and sign out everywhere")
            }
        };
        let name = quoted(name);
        let Device { browser, system } = device;
        Text {
            subject: format!("Passkey {done}: {name}"),
            body: format!(
                "Hello {owner},\n\n\
                 the passkey {name} was {done}, in {browser} on {system}.\n\n\
                 {meaning}\n\n\
                 If this was not you, go to {origin}/security at once, {cure}."
            ),
        }
    }
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
}
