//! The PoP module, as the npm package `@holdfast/pop` in target/npm/pop: wasm, its glue, what an
//! application imports and its types, and brotli twins of all that a browser loads.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::{aloud, cargo, quietly, say};
use crate::project::Project;
use crate::seal;
use crate::setup::{self, Equipment, Missing, Needs};
use crate::shrink;
use crate::tools::remove;

/// What of the package is copied as it stands.
const AS_THEY_STAND: &[(&str, &str)] = &[
    ("pop-wasm/js/index.mjs", "index.mjs"),
    ("pop-wasm/js/index.d.ts", "index.d.ts"),
    ("pop-wasm/package.json", "package.json"),
    ("pop-wasm/README.md", "README.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Refuse, with a list, where something would have to be installed.
    #[arg(long)]
    no_install: bool,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let equipment = setup::prepare(project, Needs::ThePage, Missing::unless(args.no_install))?;
    let folder = build(project, &equipment)?;
    say(format!("the package is in {}", folder.display()));
    Ok(ExitCode::SUCCESS)
}

/// Builds it and gives its folder.
pub(crate) fn build(project: &Project, equipment: &Equipment) -> Result<PathBuf> {
    say("building the PoP module");
    let compile = ["build", "--package", "holdfast-pop", "--target", "wasm32-unknown-unknown"];
    let mut cargo = cargo();
    cargo.current_dir(project.root()).args(compile).args(["--profile", "wasm", "--features", "js"]);
    aloud(&mut cargo).context("the module does not compile")?;

    let folder = project.path("target/npm/pop");
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    for (from, to) in AS_THEY_STAND {
        fs::copy(project.path(from), folder.join(to)).with_context(|| format!("cannot copy {from}"))?;
    }
    let compiled = project.target().join("wasm32-unknown-unknown/wasm/holdfast_pop.wasm");
    let mut bind = equipment.lent("wasm-bindgen")?;
    bind.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder).arg(&compiled);
    quietly(&mut bind).context("wasm-bindgen refuses the module")?;

    let [wasm, glue, index] =
        ["holdfast_pop_bg.wasm", "holdfast_pop.js", "index.mjs"].map(|name| folder.join(name));
    shrink::shrink(equipment, &glue, &wasm)?;
    shrink::minify(equipment, &index)?;
    for file in [wasm, glue, index] {
        seal::compress(&file)?;
    }
    Ok(folder)
}
