use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::wd::{Capabilities, TimeoutConfiguration};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Kind;
use crate::supervised::{End, Supervised, locate};

/// Starts a driver and one browser behind it. Each browser has a driver of its own: geckodriver
/// serves one only, starting a driver takes hundredths of a second, and so the end of its process
/// group is the end of exactly this browser.
pub(super) async fn start(kind: Kind) -> Result<(Supervised, Client)> {
    let folder = TempDir::with_prefix("holdfast-browser-").context("make a folder for the browser")?;
    std::fs::create_dir(downloads(folder.path())).context("make a folder for downloads")?;
    let capabilities = capabilities(kind, folder.path())?;
    let mut command = command(kind)?;
    // Profiles and whatever else a browser leaves behind go where they are removed with it.
    command.env("TMPDIR", folder.path()).env("HOME", folder.path());
    let program = Supervised::start(&command, folder, End::Kill)?;
    let port = program.ready(|log| port(kind, log)).await?;

    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}/"))
        .await
        .with_context(|| format!("open a WebDriver session; the driver says:\n{}", program.log()))?;
    // The process group is ended, not the session.
    client.persist().await?;
    let patience = Some(Duration::from_secs(30));
    client.update_timeouts(TimeoutConfiguration::new(patience, patience, None)).await?;
    Ok((program, client))
}

pub(super) fn downloads(folder: &Path) -> PathBuf {
    folder.join("downloads")
}

fn command(kind: Kind) -> Result<Command> {
    Ok(match kind {
        Kind::Chromium => {
            let driver = locate("HOLDFAST_CHROMEDRIVER", &["chromedriver"])?;
            let mut command = Command::new(driver);
            command.arg("--port=0");
            command
        }
        Kind::Firefox => {
            let driver = locate("HOLDFAST_GECKODRIVER", &["geckodriver"])?;
            let mut command = Command::new(driver);
            // System access: the console is read in the browser's own context.
            command.args(["--port", "0", "--allow-system-access"]);
            command
        }
    })
}

/// Drivers take a free port by themselves and say which.
fn port(kind: Kind, log: &str) -> Option<u16> {
    let before = match kind {
        Kind::Chromium => "started successfully on port ",
        Kind::Firefox => "Listening on 127.0.0.1:",
    };
    let (_, after) = log.split_once(before)?;
    let end = after.find(|character: char| !character.is_ascii_digit())?;
    after[..end].parse().ok()
}

fn capabilities(kind: Kind, folder: &Path) -> Result<Capabilities> {
    let own = match kind {
        Kind::Chromium => chromium(folder)?,
        Kind::Firefox => firefox(folder)?,
    };
    let common = json!({ "acceptInsecureCerts": false, "unhandledPromptBehavior": "ignore" });
    Ok([own, common].into_iter().filter_map(|value| value.as_object().cloned()).flatten().collect())
}

fn chromium(folder: &Path) -> Result<Value> {
    let binary = locate("HOLDFAST_CHROMIUM", &["chromium", "chromium-browser", "google-chrome"])?;
    Ok(json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": binary,
            "args": [
                "--headless=new",
                // The system user of a test machine may be root, where the sandbox refuses to work.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-breakpad",
                "--disable-sync",
                "--no-first-run",
                "--password-store=basic",
            ],
            "prefs": {
                "download.default_directory": downloads(folder),
                "download.prompt_for_download": false,
                "credentials_enable_service": false,
            },
        },
    }))
}

fn firefox(folder: &Path) -> Result<Value> {
    let binary = locate("HOLDFAST_FIREFOX", &["firefox", "firefox-esr"])?;
    Ok(json!({
        "browserName": "firefox",
        "moz:firefoxOptions": {
            "binary": binary,
            "args": ["-headless"],
            "prefs": {
                // Without these two `navigator.credentials.create` fails with NotAllowedError.
                "security.webauth.webauthn_enable_softtoken": true,
                "security.webauth.webauthn_enable_usbtoken": false,
                "browser.download.folderList": 2,
                "browser.download.dir": downloads(folder),
                "browser.download.useDownloadDir": true,
            },
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_what_the_drivers_say() {
        let chromium = "Please see https://x\nChromeDriver was started successfully on port 41234.\n";
        assert_eq!(port(Kind::Chromium, chromium), Some(41234));
        let firefox = "1763700000000\tgeckodriver\tINFO\tListening on 127.0.0.1:4444\n";
        assert_eq!(port(Kind::Firefox, firefox), Some(4444));
        assert_eq!(port(Kind::Firefox, "Listening on 127.0.0.1:44"), None, "more digits may follow");
    }
}
