//! The Vite project in tests/vite, built into target/vite/dist and served for development as its owner would.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{output, quietly};
use crate::project::Project;
use crate::setup::Equipment;
use crate::tools::{self, remove};

const FILES: [&str; 5] = ["package.json", "index.html", "vite.config.js", "main.jsx", "dev.mjs"];

/// Wants the npm package, which is built before.
pub(crate) fn build(project: &Project, equipment: &Equipment) -> Result<()> {
    let pop = install(project)?.join("node_modules/@holdfast");
    let folder = project.path("target/vite");
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    for file in FILES {
        let from = project.path("tests/vite").join(file);
        fs::copy(&from, folder.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let bin = tools::vite().bin(project);
    let installed = bin.parent().context("programs of npm stand in a folder of node_modules")?;
    link_packages(installed, &folder.join("node_modules"))?;
    fs::rename(pop, folder.join("node_modules/@holdfast"))?;
    quietly(equipment.lent("vite")?.current_dir(&folder).args(["build", "--logLevel", "warn"]))
        .context("Vite does not build a page with the npm package")?;
    quietly(equipment.lent("node")?.current_dir(&folder).arg("dev.mjs"))
        .context("Vite's development server does not serve the npm package")
}

/// Packs the npm package and installs that, as whoever gets it would: not as a link, which Vite takes for a part of
/// the page. In a folder of its own, since npm would clear away what is behind the links of another; gives it.
fn install(project: &Project) -> Result<PathBuf> {
    let (package, folder) = (project.path("target/npm/pop"), project.path("target/npm/installed"));
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    let mut pack = Command::new("npm");
    pack.current_dir(&package).args(["pack", "--silent", "--pack-destination"]).arg(&folder);
    let tarball = output(&mut pack).context("npm does not pack the npm package")?;
    let mut install = Command::new("npm");
    install.current_dir(&folder).args(["install", "--prefix", ".", "--offline", "--ignore-scripts"]);
    quietly(install.args(["--no-audit", "--no-fund"]).arg(folder.join(tarball)))
        .context("npm does not install the npm package")?;
    let (made, installed) = (names(&package)?, names(&folder.join("node_modules/@holdfast/pop"))?);
    ensure!(made == installed, "of {made:?}, {installed:?} are packed: see `files` in package.json");
    Ok(folder)
}

fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// What is installed once for all, as if it were installed here.
fn link_packages(installed: &Path, here: &Path) -> Result<()> {
    fs::create_dir_all(here)?;
    for package in fs::read_dir(installed).context("Vite is not installed")? {
        let package = package?;
        if !package.file_name().to_string_lossy().starts_with('.') {
            symlink(package.path(), here.join(package.file_name()))?;
        }
    }
    Ok(())
}
