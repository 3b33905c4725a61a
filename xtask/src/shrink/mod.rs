//! Makes what wasm-bindgen wrote small: snippets join the script, what a panic would say and what nobody can
//! call goes, wasm-opt does its work, functions that are alike are put side by side, and the names that script
//! and wasm call each other by get short.

mod formatting;
mod names;
mod order;
mod panics;
mod snippets;
mod uncallable;
mod wasm;
mod words;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::quietly;
use crate::setup::Equipment;

/// The features that rustc uses. wasm-opt refuses the module without them, and with all that it knows it
/// writes a module that browsers refuse.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The script has yet to be minified.
pub(crate) fn shrink(equipment: &Equipment, script: &Path, wasm: &Path) -> Result<()> {
    snippets::inline(script)?;
    fs::write(wasm, panics::silenced(&fs::read(wasm)?)?)?;
    // Taken apart and put together anew between rounds, each of which leaves something for the next. Rust's
    // data begins at 1 MiB, below it is the stack. Alignments are hints that no browser reads, and noise to
    // brotli.
    let smaller = ["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz", "--low-memory-unused", "--dealign"];
    optimise(equipment, wasm, &smaller)?;
    fs::write(wasm, order::named_by_likeness(&fs::read(wasm)?)?)?;
    let ordered = ["--reorder-functions-by-name", "--coalesce-locals", "--reorder-locals", "--dealign"];
    optimise(equipment, wasm, &ordered)?;
    optimise(equipment, wasm, &["--strip-debug", "--strip-producers", "--strip-target-features"])?;
    fs::write(wasm, words::without(panics::without_places(fs::read(wasm)?)?)?)?;
    names::shorten(script, wasm)
}

/// Makes a script shorter, without changing what it exports.
pub(crate) fn minify(equipment: &Equipment, script: &Path) -> Result<()> {
    let mut terser = equipment.lent("terser")?;
    terser
        .args(["--module", "--ecma", "2022", "--compress", "passes=3", "--mangle"])
        // wasm-bindgen's own: nobody else may use them.
        .args(["--mangle-props", "regex=/^__w|^__d/", "--output"])
        .arg(script)
        .arg(script);
    quietly(&mut terser).with_context(|| format!("{} cannot be minified", script.display()))
}

fn optimise(equipment: &Equipment, wasm: &Path, passes: &[&str]) -> Result<()> {
    let mut command: Command = equipment.lent("wasm-opt")?;
    command.args(FEATURES).args(passes).arg(wasm).arg("-o").arg(wasm);
    quietly(&mut command).with_context(|| format!("wasm-opt refuses {}", wasm.display()))
}
