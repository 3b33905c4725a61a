use anyhow::{Result, bail};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::{Browser, Kind, Tab};

/// Light or dark, as the page sees it in `prefers-color-scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorScheme {
    Light,
    Dark,
}

/// What WebDriver itself does not have: the Chrome DevTools Protocol, so Chromium only.
impl Browser {
    /// One DevTools command, to the tab that is driven now.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        if self.kind != Kind::Chromium {
            bail!("{method} is a DevTools command, which {:?} does not know", self.kind);
        }
        self.command(Command::post("goog/cdp/execute", json!({ "cmd": method, "params": parameters }))).await
    }

    /// Freezes a tab in the background, as a browser does with tabs unseen for long: no script runs in
    /// it until [`Browser::resume`]. Another tab must be in front, and is driven afterwards.
    pub async fn freeze(&self, tab: &Tab) -> Result<()> {
        self.set_lifecycle(tab, "frozen").await
    }

    /// Lets a frozen tab run again.
    pub async fn resume(&self, tab: &Tab) -> Result<()> {
        self.set_lifecycle(tab, "active").await
    }

    async fn set_lifecycle(&self, tab: &Tab, state: &str) -> Result<()> {
        let front = self.tab().await?;
        if front == *tab {
            bail!("a tab in front cannot be frozen: open another first");
        }
        self.switch(tab).await?;
        self.devtools("Page.setWebLifecycleState", json!({ "state": state })).await?;
        self.switch(&front).await
    }

    /// Shows the page as to a person who prefers light or dark.
    pub async fn prefer(&self, scheme: ColorScheme) -> Result<()> {
        let value = match scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
        Ok(())
    }

    /// A WebDriver command that fantoccini does not have.
    pub(super) async fn command(&self, command: Command) -> Result<Value> {
        let name = command.path.clone();
        self.client.issue_cmd(command).await.map_err(|error| anyhow::anyhow!("{name}: {error}"))
    }
}

/// A command below `/session/{session id}/`.
#[derive(Debug)]
pub(super) struct Command {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Command {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None }
    }

    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body) }
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: None }
    }
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, driver: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        driver.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), self.body.as_ref().map(Value::to_string))
    }
}
