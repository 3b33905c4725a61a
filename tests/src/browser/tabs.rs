use anyhow::{Context, Result};
use fantoccini::wd::WindowHandle;

use super::Browser;

/// A tab of one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab(WindowHandle);

impl Browser {
    /// The tab that is driven now.
    pub async fn tab(&self) -> Result<Tab> {
        self.client.window().await.map(Tab).context("ask for the tab")
    }

    /// Opens an empty tab in front of the others and drives it.
    pub async fn new_tab(&self) -> Result<Tab> {
        let opened = self.client.new_window(true).await.context("open a tab")?;
        let tab = Tab(opened.handle);
        self.switch(&tab).await?;
        Ok(tab)
    }

    /// All open tabs.
    pub async fn tabs(&self) -> Result<Vec<Tab>> {
        Ok(self.client.windows().await.context("list the tabs")?.into_iter().map(Tab).collect())
    }

    /// Drives another tab from now on. In Firefox this brings it to the front, in Chromium it stays
    /// where it is.
    pub async fn switch(&self, tab: &Tab) -> Result<()> {
        self.client.switch_to_window(tab.0.clone()).await.context("switch to a tab")
    }

    /// Closes the tab that is driven now, and drives `next`.
    pub async fn close_tab(&self, next: &Tab) -> Result<()> {
        self.client.close_window().await.context("close a tab")?;
        self.switch(next).await
    }
}
