//! The PoP module alone, as an ES module: wasm, its glue, and their brotli twins, in target/pop.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::{aloud, cargo, quietly, say};
use crate::project::Project;
use crate::seal;
use crate::setup::Equipment;
use crate::shrink;
use crate::tools::remove;

/// Builds it and gives its folder.
pub(crate) fn build(project: &Project, equipment: &Equipment) -> Result<PathBuf> {
    say("building the PoP module");
    let compile = ["build", "--package", "holdfast-pop", "--target", "wasm32-unknown-unknown"];
    let mut cargo = cargo();
    cargo.current_dir(project.root()).args(compile).args(["--profile", "wasm", "--features", "js"]);
    aloud(&mut cargo).context("the module does not compile")?;

    let folder = project.path("target/pop");
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    let compiled = project.target().join("wasm32-unknown-unknown/wasm/holdfast_pop.wasm");
    let mut bind = equipment.lent("wasm-bindgen")?;
    bind.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder).arg(&compiled);
    quietly(&mut bind).context("wasm-bindgen refuses the module")?;

    let wasm = folder.join("holdfast_pop_bg.wasm");
    let script = folder.join("holdfast_pop.js");
    shrink::shrink(equipment, &script, &wasm)?;
    for file in [wasm, script] {
        seal::compress(&file)?;
    }
    Ok(folder)
}
