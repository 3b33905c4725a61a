use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::wd::{Capabilities, TimeoutConfiguration};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Kind, Memory};
use crate::supervised::{End, Supervised, locate};

/// Starts a driver and one browser behind it. Each browser has a driver of its own: geckodriver
/// serves one only, starting a driver takes hundredths of a second, and so the end of its process
/// group is the end of exactly this browser.
pub(super) async fn start(kind: Kind, memory: Memory) -> Result<(Supervised, Client)> {
    let (program, port) = driver(kind).await?;
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities(kind, memory, program.folder())?)
        .connect(&format!("http://127.0.0.1:{port}/"))
        .await
        .with_context(|| format!("open a WebDriver session; the driver says:\n{}", program.log()))?;
    // The process group is ended, not the session.
    client.persist().await?;
    let patience = Some(Duration::from_secs(30));
    client.update_timeouts(TimeoutConfiguration::new(patience, patience, None)).await?;
    Ok((program, client))
}

/// Starts a driver, and again where another program was quicker to take its port.
async fn driver(kind: Kind) -> Result<(Supervised, u16)> {
    for _ in 0..10 {
        let folder = TempDir::with_prefix("holdfast-browser-").context("make a folder for the browser")?;
        std::fs::create_dir(downloads(folder.path())).context("make a folder for downloads")?;
        let mut command = command(kind)?;
        // Profiles and whatever else a browser leaves behind go where they are removed with it.
        command.env("TMPDIR", folder.path()).env("HOME", folder.path());
        let program = Supervised::start(&command, folder, End::Kill)?;
        if let Listens::On(port) = program.ready(|log| listens(kind, log)).await? {
            return Ok((program, port));
        }
    }
    bail!("every port that the driver of {kind:?} chose was taken")
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

/// What a driver says of the port that it takes by itself.
#[derive(Debug, PartialEq)]
enum Listens {
    On(u16),
    /// ChromeDriver takes a port that is free in IPv6, and ends where it is not free in IPv4.
    Nowhere,
}

fn listens(kind: Kind, log: &str) -> Option<Listens> {
    let before = match kind {
        Kind::Chromium => "started successfully on port ",
        Kind::Firefox => "Listening on 127.0.0.1:",
    };
    let Some((_, after)) = log.split_once(before) else {
        return log.contains("port not available").then_some(Listens::Nowhere);
    };
    let end = after.find(|character: char| !character.is_ascii_digit())?;
    after[..end].parse().ok().map(Listens::On)
}

fn capabilities(kind: Kind, memory: Memory, folder: &Path) -> Result<Capabilities> {
    let mut own = match kind {
        Kind::Chromium => chromium(folder)?,
        Kind::Firefox => firefox(folder)?,
    };
    if memory == Memory::Private {
        match kind {
            Kind::Chromium => {
                let arguments = own.pointer_mut("/goog:chromeOptions/args").and_then(Value::as_array_mut);
                arguments.context("Chromium has arguments")?.push(json!("--incognito"));
            }
            Kind::Firefox => {
                own["moz:firefoxOptions"]["prefs"]["browser.privatebrowsing.autostart"] = json!(true)
            }
        }
    }
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
        assert_eq!(listens(Kind::Chromium, chromium), Some(Listens::On(41234)));
        let taken = "[1.578][SEVERE]: bind() failed: Address already in use (98)\nIPv4 port not available. Exiting...\n";
        assert_eq!(listens(Kind::Chromium, taken), Some(Listens::Nowhere));
        let firefox = "1763700000000\tgeckodriver\tINFO\tListening on 127.0.0.1:4444\n";
        assert_eq!(listens(Kind::Firefox, firefox), Some(Listens::On(4444)));
        assert_eq!(listens(Kind::Firefox, "Listening on 127.0.0.1:44"), None, "more digits may follow");
    }
}
