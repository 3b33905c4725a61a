use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Browser;
use super::devtools::Command;

/// A cookie in WebDriver's own shape (W3C WebDriver, section "Cookies").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    pub name: String,
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(default)]
    pub secure: bool,
    #[serde(default)]
    pub http_only: bool,
    /// Seconds since 1970; none for a cookie of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_site: Option<String>,
}

impl Browser {
    /// The cookies that the page's address would be sent, those included that no script can read.
    pub async fn cookies(&self) -> Result<Vec<Cookie>> {
        let cookies = self.command(Command::get("cookie")).await?;
        serde_json::from_value(cookies).context("read the cookies")
    }

    /// The cookie of this name.
    pub async fn cookie(&self, name: &str) -> Result<Option<Cookie>> {
        Ok(self.cookies().await?.into_iter().find(|cookie| cookie.name == name))
    }

    /// Plants a cookie, perhaps one copied from another browser, in the site that is open now.
    pub async fn set_cookie(&self, cookie: &Cookie) -> Result<()> {
        let mut cookie = cookie.clone();
        // WebDriver names the domain when it reads a cookie that belongs to its host alone.
        if cookie.domain.as_deref().is_some_and(|domain| !domain.starts_with('.')) {
            cookie.domain = None;
        }
        // Firefox 153 refuses what it gave itself: the life of a copy is that of the browser.
        cookie.expiry = None;
        self.command(Command::post("cookie", json!({ "cookie": cookie }))).await?;
        Ok(())
    }

    /// Removes one cookie of the site that is open now.
    pub async fn delete_cookie(&self, name: &str) -> Result<()> {
        self.command(Command::delete(format!("cookie/{name}"))).await?;
        Ok(())
    }
}
