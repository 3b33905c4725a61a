//! The Vite project in tests/vite, built into target/vite/dist as its owner would build it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process::quietly;
use crate::project::Project;
use crate::setup::Equipment;
use crate::tools::{self, remove};

const FILES: [&str; 4] = ["package.json", "index.html", "vite.config.js", "main.jsx"];

/// Wants the npm package, which is built before.
pub(crate) fn build(project: &Project, equipment: &Equipment) -> Result<()> {
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
    let own = folder.join("node_modules/@holdfast");
    fs::create_dir_all(&own)?;
    symlink(project.path("target/npm/pop"), own.join("pop")).context("cannot link the npm package")?;
    quietly(equipment.lent("vite")?.current_dir(&folder).args(["build", "--logLevel", "warn"]))
        .context("Vite does not build a page with the npm package")
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
