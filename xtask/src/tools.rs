//! The tools that build and test the page, at pinned versions, in Holdfast's own cache folder.
//!
//! A tool is made in a folder beside its place and renamed into it, so it is there whole or not at
//! all; an interrupted compilation goes on where it stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{cargo, now, quietly, say, span};
use crate::project::Project;

pub(crate) struct Tool {
    name: &'static str,
    version: String,
    /// What it is for, and how long it takes on two cores.
    why: &'static str,
    source: Source,
    /// The file whose presence is checked.
    program: &'static str,
}

enum Source {
    /// A crate, compiled with these further arguments.
    Crate(&'static [&'static str]),
    /// An npm package; it is run by Node.
    Npm,
    /// The packages of a project in this folder, at the versions of its lock file.
    NpmProject(&'static str),
    /// The same, for their files: none of them is run.
    NpmFiles(&'static str),
}

/// Written last; a folder without it, or with another recipe's, is made anew.
const COMPLETE: &str = ".complete";
const RECIPE: &str = "1";
const LOCK: &str = "package-lock.json";

/// The newest that compiles with Rust 1.95.
pub(crate) fn trunk() -> Tool {
    Tool {
        name: "trunk",
        version: "0.21.14".into(),
        why: "bundles the page; about 2 minutes on two cores",
        // Without its lock file it meets a newer cssparser than it can be compiled with.
        source: Source::Crate(&["--locked", "--no-default-features"]),
        program: "trunk",
    }
}

/// wasm-bindgen's two halves, crate and program, speak to each other only at equal versions.
pub(crate) fn wasm_bindgen(project: &Project) -> Result<Tool> {
    Ok(Tool {
        name: "wasm-bindgen-cli",
        version: project.locked_version("wasm-bindgen")?,
        why: "joins wasm and JavaScript, and runs the module's tests in browsers; about a minute",
        // Not `--locked`: its lock file names a version that was withdrawn.
        source: Source::Crate(&[]),
        program: "wasm-bindgen",
    })
}

/// wasm-opt; the one in Debian 12 is too old for what rustc writes.
pub(crate) fn binaryen() -> Tool {
    Tool {
        name: "binaryen",
        version: "132.0.0".into(),
        why: "makes the wasm smaller; some seconds",
        source: Source::Npm,
        program: "wasm-opt",
    }
}

pub(crate) fn terser() -> Tool {
    Tool {
        name: "terser",
        version: "5.51.2".into(),
        why: "makes the page's script smaller; some seconds",
        source: Source::Npm,
        program: "terser",
    }
}

pub(crate) fn typescript() -> Tool {
    Tool {
        name: "typescript",
        version: "7.0.2".into(),
        why: "reads the types of the npm package as an integrator's compiler does; some seconds",
        source: Source::Npm,
        program: "tsc",
    }
}

/// Vite and React, for a console of somebody else's that uses the module.
pub(crate) fn vite() -> Tool {
    Tool {
        name: "vite",
        version: "8.3.8".into(),
        why: "builds a React page around the npm package, as an integrator's own tools do; some seconds",
        source: Source::NpmProject("tests/vite"),
        program: "vite",
    }
}

/// What the page's terminal is drawn with.
pub(crate) fn xterm() -> Tool {
    Tool {
        name: "xterm",
        version: "6.0.0".into(),
        why: "is the terminal in the page; some seconds",
        source: Source::NpmFiles("web/terminal"),
        program: "@xterm/xterm/lib/xterm.mjs",
    }
}

/// Debian has no package of it.
pub(crate) fn geckodriver() -> Tool {
    Tool {
        name: "geckodriver",
        version: "0.37.1".into(),
        why: "drives Firefox in the tests; about a minute",
        source: Source::Crate(&[]),
        program: "geckodriver",
    }
}

impl Tool {
    pub(crate) fn is_installed(&self, project: &Project) -> bool {
        let recipe = fs::read_to_string(self.home(project).join(COMPLETE)).unwrap_or_default();
        recipe == self.recipe(project) && self.program(project, self.program).is_file()
    }

    /// What it was made from.
    fn recipe(&self, project: &Project) -> String {
        let lock = match self.source {
            Source::Crate(_) | Source::Npm => return RECIPE.to_owned(),
            Source::NpmProject(folder) | Source::NpmFiles(folder) => project.path(folder).join(LOCK),
        };
        // Without its lock file nothing is installed, and that says so.
        format!("{RECIPE}\n{}", fs::read_to_string(lock).unwrap_or_default())
    }

    pub(crate) fn summary(&self) -> String {
        format!("{} {}, which {}", self.name, self.version, self.why)
    }

    pub(crate) fn bin(&self, project: &Project) -> PathBuf {
        self.home(project).join(self.source.bin())
    }

    pub(crate) fn program(&self, project: &Project, name: &str) -> PathBuf {
        self.bin(project).join(name)
    }

    /// Installs the tool; the caller holds the lock of the tools' folder.
    pub(crate) fn install(&self, project: &Project) -> Result<()> {
        let started = now();
        let (home, fresh) = (self.home(project), self.beside(project, "new"));
        remove(&fresh)?;
        fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
        let failed =
            || format!("{} {} could not be installed; with a connection, try again", self.name, self.version);
        match &self.source {
            Source::Crate(arguments) => {
                let build = self.beside(project, "build");
                quietly(&mut self.cargo_install(&fresh, &build, arguments)).with_context(failed)?;
                remove(&build)?;
            }
            Source::Npm => quietly(&mut self.npm_install(&fresh)).with_context(failed)?,
            Source::NpmProject(folder) | Source::NpmFiles(folder) => {
                for file in ["package.json", LOCK] {
                    fs::copy(project.path(folder).join(file), fresh.join(file))
                        .with_context(|| format!("cannot copy {folder}/{file}"))?;
                }
                let mut npm = Command::new("npm");
                npm.current_dir(&fresh).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
                quietly(&mut npm).with_context(failed)?;
            }
        }
        fs::write(fresh.join(COMPLETE), self.recipe(project))?;
        remove(&home)?;
        fs::rename(&fresh, &home).with_context(|| format!("cannot put {} in its place", self.name))?;
        say(format!("  {} {} is ready ({})", self.name, self.version, span(started.elapsed())));
        Ok(())
    }

    fn cargo_install(&self, root: &Path, build: &Path, arguments: &[&str]) -> Command {
        let mut command = cargo();
        command
            .args(["install", self.name, "--version", &self.version, "--profile", "dev"])
            .args(arguments)
            .arg("--root")
            .arg(root)
            .env("CARGO_TARGET_DIR", build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTFLAGS");
        command
    }

    fn npm_install(&self, root: &Path) -> Command {
        let mut command = Command::new("npm");
        command
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(root)
            .arg(format!("{}@{}", self.name, self.version));
        command
    }

    fn home(&self, project: &Project) -> PathBuf {
        project.tools().join(format!("{}-{}", self.name, self.version))
    }

    fn beside(&self, project: &Project, what: &str) -> PathBuf {
        project.tools().join(format!(".{}-{}.{what}", self.name, self.version))
    }
}

impl Source {
    fn bin(&self) -> &'static str {
        match self {
            Source::Crate(_) => "bin",
            Source::Npm | Source::NpmProject(_) => "node_modules/.bin",
            Source::NpmFiles(_) => "node_modules",
        }
    }
}

/// Removes a folder that may not be there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
