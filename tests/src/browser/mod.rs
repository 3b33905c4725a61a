//! One browser with a profile of its own, driven over W3C WebDriver.
//!
//! Things are found by role and accessible name, and every look waits for what it looks for:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
//!
//! let browser = Browser::start(Kind::Chromium).await?;
//! let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
//! browser.goto("http://localhost:8080/sign-in").await?;
//! browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
//! browser.page_says("Your passkeys").await?;
//! let row = browser.by_role(Role::ListItem, Name::Any).saying("Chrome on Linux");
//! row.by_role(Role::Button, "Rename").click().await?;
//! assert_eq!(authenticator.credentials().await?.len(), 1);
//! # Ok(()) }
//! ```

mod authenticator;
mod console;
mod cookies;
mod devtools;
mod driver;
mod keyboard;
mod locator;
mod network;
mod role;
mod tabs;

pub use authenticator::{Authenticator, AuthenticatorOptions, Credential, Transport};
pub use console::Complaint;
pub use cookies::Cookie;
pub use devtools::ColorScheme;
pub use fantoccini::key::Key;
pub use locator::{Locator, Name};
pub use role::Role;
pub use tabs::Tab;

use std::path::Path;

use anyhow::{Context, Result, bail};
use fantoccini::Client;
use serde_json::Value;

use crate::display::Display;
use crate::supervised::{Signal, Supervised};
use crate::wait;
use driver::Started;

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chromium,
    Firefox,
    /// WebKitGTK's MiniBrowser. It has no passkeys, and takes no `__Host-` cookie without TLS.
    WebKit,
}

/// How a browser is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setup<'a> {
    Profile,
    /// It forgets everything when it is closed.
    Private,
    /// It keeps keys as if in hardware, and trusts a server with this public key.
    Hardware(&'a str),
}

/// A running browser. A second one is a second profile: it shares nothing with the first. Dropping it
/// ends the browser and removes its profile.
#[derive(Debug)]
pub struct Browser {
    kind: Kind,
    client: Client,
    program: Supervised,
    /// Ends after the browser.
    #[expect(dead_code, reason = "held for what its end does")]
    display: Option<Display>,
}

impl Browser {
    /// Starts a browser with a fresh profile, and one empty tab of 1280 by 800.
    pub async fn start(kind: Kind) -> Result<Self> {
        Self::start_with(kind, Setup::Profile).await
    }

    /// The same with a private window, which forgets everything when it is closed.
    pub async fn start_private(kind: Kind) -> Result<Self> {
        Self::start_with(kind, Setup::Private).await
    }

    /// Chromium as on a machine with hardware for keys, which it plays itself. It uses them only at a server whose
    /// certificate it trusts: `trusts` is the SHA-256 of its public key, in base64.
    pub async fn start_with_hardware(trusts: &str) -> Result<Self> {
        Self::start_with(Kind::Chromium, Setup::Hardware(trusts)).await
    }

    async fn start_with(kind: Kind, setup: Setup<'_>) -> Result<Self> {
        let started = driver::start(kind, setup).await.with_context(|| format!("start {kind:?}"))?;
        let Started { client, program, display } = started;
        let browser = Self { kind, client, program, display };
        browser.set_window_size(1280, 800).await?;
        Ok(browser)
    }

    /// A second browser of the same kind: another person, another machine, a thief.
    pub async fn another_profile(&self) -> Result<Self> {
        Self::start(self.kind).await
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The folder into which the browser downloads.
    pub fn downloads(&self) -> std::path::PathBuf {
        driver::downloads(self.program.folder())
    }

    /// Puts the browser to sleep with all its processes, as a laptop does whose lid is shut: nothing runs
    /// and nothing is closed, until [`Browser::wake`]. No command reaches it meanwhile.
    pub fn sleep(&self) -> Result<()> {
        self.program.signal(Signal::Stop)
    }

    /// Lets it go on.
    pub fn wake(&self) -> Result<()> {
        self.program.signal(Signal::Continue)
    }

    /// What the driver and the browser have written, for finding out why something failed.
    pub fn driver_log(&self) -> String {
        self.program.log()
    }

    pub async fn goto(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("go to {url}"))
    }

    pub async fn url(&self) -> Result<String> {
        Ok(self.client.current_url().await.context("ask for the address")?.into())
    }

    /// Waits until the tab's address ends with `end`: where a page leads without a full load.
    pub async fn arrives_at(&self, end: &str) -> Result<()> {
        let arrived = async || Ok(self.url().await?.ends_with(end).then_some(()));
        if wait::until(arrived).await?.is_none() {
            bail!("the page did not lead to {end:?}\n{}", self.description().await);
        }
        Ok(())
    }

    pub async fn title(&self) -> Result<String> {
        self.client.title().await.context("ask for the title")
    }

    pub async fn back(&self) -> Result<()> {
        self.client.back().await.context("go back")
    }

    pub async fn forward(&self) -> Result<()> {
        self.client.forward().await.context("go forward")
    }

    pub async fn reload(&self) -> Result<()> {
        self.client.refresh().await.context("reload")
    }

    /// Runs a script's body in the page with `arguments`, and gives what it returns.
    pub async fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.client.execute(script, arguments.to_vec()).await.context("run a script")
    }

    /// Runs the body of an async function in the page with `arguments`, and waits for its result; what
    /// it throws is an error.
    pub async fn execute_async(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        let body = format!(
            "const done = arguments[arguments.length - 1];
            (async function () {{ {script} }}).apply(null, Array.from(arguments).slice(0, -1)).then(
                (value) => done({{ value: value === undefined ? null : value }}),
                (error) => done({{ error: String(error) }}))"
        );
        let mut answer = self.client.execute_async(&body, arguments.to_vec()).await?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => bail!("the script in the page failed: {error}"),
            None => Ok(answer["value"].take()),
        }
    }

    /// Writes a picture of what the window shows, as PNG.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        let picture = self.client.screenshot().await.context("take a screenshot")?;
        std::fs::write(path, picture).with_context(|| format!("write {}", path.display()))
    }

    /// Sets the size of the page's own area in CSS pixels, whatever frame the window has around it.
    pub async fn set_window_size(&self, width: u32, height: u32) -> Result<()> {
        let frame = "return [outerWidth - innerWidth, outerHeight - innerHeight]";
        let wanted = serde_json::json!([width, height]);
        let (mut outer_width, mut outer_height) = (width, height);
        // The frame is known once the window has been laid out, so the second round is exact.
        let settled = wait::until(async || {
            self.client.set_window_size(outer_width, outer_height).await?;
            if self.execute("return [innerWidth, innerHeight]", &[]).await? == wanted {
                return Ok(Some(()));
            }
            let (x, y): (u32, u32) = serde_json::from_value(self.execute(frame, &[]).await?)?;
            (outer_width, outer_height) = (width + x, height + y);
            Ok(None)
        });
        settled.await?.with_context(|| format!("the window does not become {width} by {height}"))
    }

    /// The part of the page with this role and this accessible name. Nothing is looked for until
    /// something is done with it.
    pub fn by_role(&self, role: Role, name: impl Into<Name>) -> Locator<'_> {
        Locator::new(self, role, name.into())
    }

    /// Waits until the page shows `sentence`. White space counts as one space.
    pub async fn page_says(&self, sentence: &str) -> Result<()> {
        let said = wait::until(async || Ok(self.visible_text().await?.contains(sentence).then_some(())));
        if said.await?.is_none() {
            bail!("the page does not say {sentence:?}\n{}", self.description().await);
        }
        Ok(())
    }

    /// All text that the page shows, white space made one space.
    pub async fn visible_text(&self) -> Result<String> {
        let text = self.execute("return document.body ? document.body.innerText : ''", &[]).await?;
        Ok(locator::normalised(text.as_str().unwrap_or_default()))
    }

    /// Where the browser is and what it shows, for the error that is about to be told.
    pub async fn description(&self) -> String {
        let url = self.url().await.unwrap_or_else(|error| format!("(no address: {error})"));
        let outline = match self.execute(include_str!("outline.js"), &[]).await {
            Ok(outline) => outline.as_str().unwrap_or_default().to_owned(),
            Err(error) => format!("(cannot be read: {error})"),
        };
        format!("in {:?} at {url}, which shows:\n{outline}", self.kind)
    }
}

/// Mounts each scenario, an `async fn(Kind) -> anyhow::Result<()>`, once for every browser that has
/// passkeys: the tests are `chromium::…` and `firefox::…`.
#[macro_export]
macro_rules! in_every_browser {
    ($($scenario:ident),+ $(,)?) => {
        $crate::in_every_browser!(@one chromium, Chromium, $($scenario),+);
        $crate::in_every_browser!(@one firefox, Firefox, $($scenario),+);
    };
    (@one $module:ident, $kind:ident, $($scenario:ident),+) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $scenario() -> anyhow::Result<()> {
                    super::$scenario($crate::browser::Kind::$kind).await
                }
            )+
        }
    };
}
