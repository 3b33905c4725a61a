use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::wd::{Capabilities, TimeoutConfiguration};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Kind, Setup};
use crate::display::Display;
use crate::supervised::{End, Supervised, free_port, locate};

/// A driver, the session of its browser, and where the browser shows itself if it must.
pub(super) struct Started {
    pub(super) client: Client,
    pub(super) program: Supervised,
    pub(super) display: Option<Display>,
}

/// Starts a driver and one browser behind it. Each browser has a driver of its own: geckodriver
/// serves one only, starting a driver takes hundredths of a second, and so the end of its process
/// group is the end of exactly this browser.
pub(super) async fn start(kind: Kind, setup: Setup<'_>) -> Result<Started> {
    let display = if kind == Kind::WebKit { Some(Display::start().await?) } else { None };
    let (program, port) = driver(kind, display.as_ref()).await?;
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities(kind, setup, program.folder())?)
        .connect(&format!("http://127.0.0.1:{port}/"))
        .await
        .with_context(|| format!("open a WebDriver session; the driver says:\n{}", program.log()))?;
    // The process group is ended, not the session.
    client.persist().await?;
    let patience = Some(Duration::from_secs(30));
    client.update_timeouts(TimeoutConfiguration::new(patience, patience, None)).await?;
    Ok(Started { client, program, display })
}

/// Starts a driver, and again where another program was quicker to take its port.
async fn driver(kind: Kind, display: Option<&Display>) -> Result<(Supervised, u16)> {
    for _ in 0..10 {
        let folder = TempDir::with_prefix("holdfast-browser-").context("make a folder for the browser")?;
        std::fs::create_dir(downloads(folder.path())).context("make a folder for downloads")?;
        let wanted = free_port()?;
        let mut command = command(kind, wanted)?;
        // Profiles and whatever else a browser leaves behind go where they are removed with it.
        command.env("TMPDIR", folder.path()).env("HOME", folder.path());
        command.envs(display.map(|display| ("DISPLAY", display.name())));
        let program = Supervised::start(&command, folder, End::Kill)?;
        if let Listens::On(port) = program.ready(|log| listens(kind, wanted, log)).await? {
            return Ok((program, port));
        }
    }
    bail!("every port that the driver of {kind:?} chose was taken")
}

pub(super) fn downloads(folder: &Path) -> PathBuf {
    folder.join("downloads")
}

/// `wanted` is for the driver that cannot look for a port by itself.
fn command(kind: Kind, wanted: u16) -> Result<Command> {
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
        Kind::WebKit => {
            let driver = locate("HOLDFAST_WEBKITDRIVER", &["WebKitWebDriver"])?;
            let mut command = Command::new(driver);
            command.arg(format!("--port={wanted}"));
            command
        }
    })
}

/// Where a driver listens.
#[derive(Debug, PartialEq)]
enum Listens {
    On(u16),
    /// ChromeDriver takes a port that is free in IPv6, and ends where it is not free in IPv4;
    /// WebKitWebDriver ends where somebody was quicker.
    Nowhere,
}

fn listens(kind: Kind, wanted: u16, log: &str) -> Option<Listens> {
    if log.contains("port not available") || log.contains("Unable to listen") {
        return Some(Listens::Nowhere);
    }
    let before = match kind {
        Kind::Chromium => "started successfully on port ",
        Kind::Firefox => "Listening on 127.0.0.1:",
        // It says nothing.
        Kind::WebKit => {
            return TcpStream::connect((Ipv4Addr::LOCALHOST, wanted)).is_ok().then_some(Listens::On(wanted));
        }
    };
    let (_, after) = log.split_once(before)?;
    let end = after.find(|character: char| !character.is_ascii_digit())?;
    after[..end].parse().ok().map(Listens::On)
}

fn capabilities(kind: Kind, setup: Setup<'_>, folder: &Path) -> Result<Capabilities> {
    let mut own = match kind {
        Kind::Chromium => chromium(folder)?,
        Kind::Firefox => firefox(folder)?,
        // Its worlds have certificates of their own (`World::over_tls`).
        Kind::WebKit => json!({ "acceptInsecureCerts": true }),
    };
    match (setup, kind) {
        (Setup::Profile, _) => {}
        (Setup::Private, Kind::Chromium) => add_arguments(&mut own, ["--incognito".to_owned()])?,
        (Setup::Private, Kind::Firefox) => {
            own["moz:firefoxOptions"]["prefs"]["browser.privatebrowsing.autostart"] = json!(true)
        }
        (Setup::Private, Kind::WebKit) => bail!("WebKitGTK's private windows are not started by its driver"),
        (Setup::Hardware(trusts), Kind::Chromium) => {
            let features = "DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";
            let trusts = format!("--ignore-certificate-errors-spki-list={trusts}");
            add_arguments(&mut own, [format!("--enable-features={features}"), trusts])?;
        }
        (Setup::Hardware(_), _) => bail!("{kind:?} keeps no keys in hardware"),
    }
    let common = json!({ "acceptInsecureCerts": false, "unhandledPromptBehavior": "ignore" });
    Ok([common, own].into_iter().filter_map(|value| value.as_object().cloned()).flatten().collect())
}

fn add_arguments(own: &mut Value, more: impl IntoIterator<Item = String>) -> Result<()> {
    let arguments = own.pointer_mut("/goog:chromeOptions/args").and_then(Value::as_array_mut);
    arguments.context("Chromium has arguments")?.extend(more.into_iter().map(Value::from));
    Ok(())
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
        assert_eq!(listens(Kind::Chromium, 0, chromium), Some(Listens::On(41234)));
        let taken = "[1.578][SEVERE]: bind() failed: Address already in use (98)\nIPv4 port not available. Exiting...\n";
        assert_eq!(listens(Kind::Chromium, 0, taken), Some(Listens::Nowhere));
        let firefox = "1763700000000\tgeckodriver\tINFO\tListening on 127.0.0.1:4444\n";
        assert_eq!(listens(Kind::Firefox, 0, firefox), Some(Listens::On(4444)));
        assert_eq!(listens(Kind::Firefox, 0, "Listening on 127.0.0.1:44"), None, "more digits may follow");
        let taken = "FATAL: Unable to listen for HTTP server at host 127.0.0.1 and port 4444.\n";
        assert_eq!(listens(Kind::WebKit, 4444, taken), Some(Listens::Nowhere));
    }
}
