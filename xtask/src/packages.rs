//! What the tests take from the distribution: browsers, their drivers, PostgreSQL.

use std::env;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{aloud, output, say, which};

/// A program of the distribution, told to the tests by an environment variable.
pub(crate) struct Package {
    /// Where the tests find it; set by the person, it wins.
    pub(crate) variable: &'static str,
    /// Names it goes by on the PATH, best first.
    programs: &'static [&'static str],
    /// Debian's package.
    debian: &'static str,
    why: &'static str,
}

pub(crate) const CHROMIUM: Package = Package {
    variable: "HOLDFAST_CHROMIUM",
    programs: &["chromium", "chromium-browser"],
    debian: "chromium",
    why: "one of the three browsers of the tests",
};
pub(crate) const CHROMEDRIVER: Package = Package {
    variable: "HOLDFAST_CHROMEDRIVER",
    programs: &["chromedriver"],
    debian: "chromium-driver",
    why: "drives Chromium in the tests",
};
pub(crate) const FIREFOX: Package = Package {
    variable: "HOLDFAST_FIREFOX",
    programs: &["firefox-esr", "firefox"],
    debian: "firefox-esr",
    why: "the second browser of the tests",
};
/// It brings the browser along, MiniBrowser, and finds it by itself.
pub(crate) const WEBKIT_DRIVER: Package = Package {
    variable: "HOLDFAST_WEBKITDRIVER",
    programs: &["WebKitWebDriver"],
    debian: "webkit2gtk-driver",
    why: "drives WebKitGTK, the third browser of the tests, which comes with it",
};
pub(crate) const XVFB: Package = Package {
    variable: "HOLDFAST_XVFB",
    programs: &["Xvfb"],
    debian: "xvfb",
    why: "the display that WebKitGTK cannot do without",
};
/// Its variable names the folder that holds `initdb` and `postgres`: Debian keeps them off the PATH.
pub(crate) const POSTGRES: Package = Package {
    variable: "HOLDFAST_POSTGRES_BIN",
    programs: &["initdb"],
    debian: "postgresql",
    why: "the tests run over SQLite and over PostgreSQL, which they start themselves",
};

pub(crate) const PYTHON: Package = Package {
    variable: "HOLDFAST_PYTHON",
    programs: &["python3"],
    debian: "python3",
    why: "runs the protocol's example in Python against the server",
};

/// geckodriver is no package (see tools.rs), but the person may name their own.
pub(crate) const GECKODRIVER_VARIABLE: &str = "HOLDFAST_GECKODRIVER";

impl Package {
    /// Where it is. A path that the person gave and that leads nowhere is an error, not a reason to
    /// install something else.
    pub(crate) fn find(&self) -> Result<Option<PathBuf>> {
        if let Some(given) = given(self.variable)? {
            return Ok(Some(given));
        }
        let on_path = || self.programs.iter().find_map(|program| which(program));
        if self.variable == POSTGRES.variable {
            return Ok(newest_debian_postgres().or_else(|| on_path()?.parent().map(Path::to_owned)));
        }
        Ok(on_path())
    }

    pub(crate) fn summary(&self) -> String {
        format!("{} (package {}), {}", self.programs[0], self.debian, self.why)
    }
}

/// What the person set an environment variable to, if it leads somewhere.
pub(crate) fn given(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    if !path.exists() {
        bail!("{variable} is set to {}, which does not exist; correct it or unset it", path.display());
    }
    Ok(Some(path))
}

fn newest_debian_postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        bin.join("initdb").is_file().then_some((version, bin))
    });
    versions.max_by_key(|(version, _)| *version).map(|(_, bin)| bin)
}

/// Installs packages with apt-get, through sudo unless xtask runs as root.
pub(crate) fn install(packages: &[&Package]) -> Result<()> {
    let names: Vec<&str> = packages.iter().map(|package| package.debian).collect();
    let by_hand = || {
        let variables: Vec<&str> = packages.iter().map(|package| package.variable).collect();
        format!("install {} yourself, or name your own by {}", names.join(", "), variables.join(", "))
    };
    if which("apt-get").is_none() {
        bail!("this machine has no apt-get: {}", by_hand());
    }
    let root = output(Command::new("id").arg("-u"))? == "0";
    if !root {
        if which("sudo").is_none() {
            bail!("installing packages needs root, and there is no sudo: {}", by_hand());
        }
        say("  the distribution's packages need root: sudo may ask for your password");
    }
    apt_get(root, &["update", "-q"]).with_context(by_hand)?;
    let install = ["install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
    apt_get(root, &[&install, names.as_slice()].concat()).with_context(by_hand)
}

fn apt_get(root: bool, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root && !std::io::stdin().is_terminal() {
        // Nobody is there to type a password: fail at once instead of waiting for one.
        command.arg("-n");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
    aloud(&mut command)
}
