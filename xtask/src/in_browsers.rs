//! The module's own tests, compiled to wasm once and run by wasm-bindgen's runner: in every browser, in a
//! window and in each kind of worker.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use serde_json::json;

use crate::packages::{CHROMEDRIVER, CHROMIUM, FIREFOX, GECKODRIVER_VARIABLE, WEBKIT_DRIVER};
use crate::process::{cargo, without_cargo_run};
use crate::project::Project;
use crate::setup::Equipment;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Browser {
    Chromium,
    Firefox,
    WebKit,
}

/// Where in a browser the tests run.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    /// Tells the runner.
    variable: &'static str,
}

const WINDOW: Place = Place { name: "a window", variable: "WASM_BINDGEN_USE_BROWSER" };
const DEDICATED_WORKER: Place =
    Place { name: "a dedicated worker", variable: "WASM_BINDGEN_USE_DEDICATED_WORKER" };
const SHARED_WORKER: Place = Place { name: "a shared worker", variable: "WASM_BINDGEN_USE_SHARED_WORKER" };
const SERVICE_WORKER: Place = Place { name: "a service worker", variable: "WASM_BINDGEN_USE_SERVICE_WORKER" };

/// The driver that the runner starts: the first of these that it is told of.
const DRIVERS: [&str; 3] = ["GECKODRIVER", "SAFARIDRIVER", "CHROMEDRIVER"];

impl Browser {
    pub(crate) fn places(self) -> &'static [Place] {
        match self {
            Browser::Chromium | Browser::Firefox => {
                &[WINDOW, DEDICATED_WORKER, SHARED_WORKER, SERVICE_WORKER]
            }
            // Its shared workers can neither store a key nor read one, and these tests do both. What holds
            // there all the same is tested with the npm package.
            Browser::WebKit => &[WINDOW, DEDICATED_WORKER, SERVICE_WORKER],
        }
    }

    /// `cargo test` of the module, with this browser and place, where the runner's server listens at the address.
    pub(crate) fn tests(
        self,
        project: &Project,
        equipment: &Equipment,
        place: Place,
        address: SocketAddr,
    ) -> Result<Command> {
        let mut command = match self {
            Browser::Chromium | Browser::Firefox => cargo(),
            // It has no headless mode.
            Browser::WebKit => {
                let mut command = Command::new(project.target().join("debug/with_display"));
                without_cargo_run(&mut command);
                command.arg("cargo");
                command
            }
        };
        command
            .current_dir(project.root())
            .args(["test", "--package", "holdfast-pop", "--target", "wasm32-unknown-unknown"])
            .args(["--no-fail-fast", "--test", "*", "--"])
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &equipment.wasm_bindgen_test_runner)
            .env("WASM_BINDGEN_TEST_ADDRESS", address.to_string())
            .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30")
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", self.capabilities(project, equipment)?);
        for Place { variable, .. } in [WINDOW, DEDICATED_WORKER, SHARED_WORKER, SERVICE_WORKER] {
            command.env_remove(variable);
        }
        command.env(place.variable, "1");
        // WebKitGTK's driver speaks as Safari's does, down to its arguments.
        let (driver, path) = match self {
            Browser::Chromium => ("CHROMEDRIVER", CHROMEDRIVER.variable),
            Browser::Firefox => ("GECKODRIVER", GECKODRIVER_VARIABLE),
            Browser::WebKit => ("SAFARIDRIVER", WEBKIT_DRIVER.variable),
        };
        for other in DRIVERS {
            command.env_remove(other);
        }
        command.env(driver, equipment.variable(path)?);
        Ok(command)
    }

    /// The file that tells the driver which browser to start, and how.
    fn capabilities(self, project: &Project, equipment: &Equipment) -> Result<PathBuf> {
        let (name, capabilities) = match self {
            // The runner adds `headless` and `no-sandbox`.
            Browser::Chromium => (
                "chromium",
                json!({ "goog:chromeOptions": {
                    "binary": equipment.variable(CHROMIUM.variable)?,
                    "args": ["disable-background-networking", "disable-gpu"],
                }}),
            ),
            Browser::Firefox => {
                let binary = equipment.variable(FIREFOX.variable)?;
                ("firefox", json!({ "moz:firefoxOptions": { "binary": binary } }))
            }
            // The driver knows its browser.
            Browser::WebKit => ("webkit", json!({})),
        };
        let folder = project.target();
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("webdriver-{name}.json"));
        fs::write(&file, capabilities.to_string())?;
        Ok(file)
    }
}
