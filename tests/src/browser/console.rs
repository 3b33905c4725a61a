use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::devtools::Command;
use super::{Browser, Kind};

/// An error that the browser's console shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The browser's word for where it comes from: `security`, `javascript`, `network`, `CSP`, …
    pub source: String,
    pub text: String,
}

impl Complaint {
    /// Whether it tells of a breach of the Content-Security-Policy, Trusted Types and integrity of
    /// scripts included.
    pub fn is_violation(&self) -> bool {
        let words = ["Content Security Policy", "Content-Security-Policy", "Trusted", "integrity"];
        self.source == "security" || words.iter().any(|word| self.text.contains(word))
    }
}

impl Browser {
    /// The errors in the console, of every tab, since the last call. A server's refusal (4xx) is an
    /// answer like any other, and left out. Firefox tells of uncaught errors and of violations here,
    /// Chromium also of `console.error`.
    pub async fn complaints(&self) -> Result<Vec<Complaint>> {
        match self.kind {
            Kind::Chromium => self.chromium_complaints().await,
            Kind::Firefox => self.firefox_complaints().await,
            Kind::WebKit => bail!("WebKitGTK shows its console to nobody"),
        }
    }

    /// The breaches of the Content-Security-Policy among [`Browser::complaints`].
    pub async fn violations(&self) -> Result<Vec<Complaint>> {
        Ok(self.complaints().await?.into_iter().filter(Complaint::is_violation).collect())
    }

    async fn chromium_complaints(&self) -> Result<Vec<Complaint>> {
        #[derive(Deserialize)]
        struct Entry {
            level: String,
            source: String,
            message: String,
        }
        let entries = self.command(Command::post("se/log", json!({ "type": "browser" }))).await?;
        let entries: Vec<Entry> = serde_json::from_value(entries).context("read the console")?;
        let errors = entries.into_iter().filter(|entry| entry.level == "SEVERE" && entry.source != "network");
        Ok(errors.map(|entry| Complaint { source: entry.source, text: entry.message }).collect())
    }

    async fn firefox_complaints(&self) -> Result<Vec<Complaint>> {
        // Messages without a category, and errors of the browser's own scripts, are not the page's.
        let script = r#"
            const messages = Services.console.getMessageArray();
            Services.console.reset();
            return messages
                .filter((message) => message instanceof Ci.nsIScriptError)
                .filter((message) => !(message.flags & Ci.nsIScriptError.warningFlag))
                .filter((message) => !message.isFromChromeContext)
                .map((message) => [String(message.category), message.errorMessage]);"#;
        let messages = self.execute_in_browser(script, &[]).await?;
        let messages: Vec<(String, String)> = serde_json::from_value(messages).context("read the console")?;
        Ok(messages.into_iter().map(|(source, text)| Complaint { source, text }).collect())
    }
}
