//! The PoP module, as the npm package `@holdfast/pop` in target/npm/pop: wasm, the one script that an
//! application imports, its types, and brotli twins of all that a browser loads.

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

/// Joins the script that an application imports.
const SHAPES: &str = "pop-wasm/js/shapes.mjs";

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
    let own = with_shapes_inside(&fs::read_to_string(&index)?, &fs::read_to_string(project.path(SHAPES))?);
    let own = own.context("js/index.mjs imports js/shapes.mjs in another way")?;
    let one = for_somebody(fs::read_to_string(&glue)?).and_then(|glue| with_glue_inside(&own, &glue));
    fs::write(&index, one.context("wasm-bindgen writes another kind of script")?)?;
    fs::remove_file(&glue)?;
    shrink::minify(equipment, &index)?;
    for file in [wasm, index] {
        seal::compress(&file)?;
    }
    Ok(folder)
}

/// One script of the two that are ours, which know one another's names.
fn with_shapes_inside(index: &str, shapes: &str) -> Option<String> {
    let (before, import) = index.split_once("import { OURS, ")?;
    let (_, after) = import.split_once(" } from \"./shapes.mjs\";\n")?;
    let shapes = shapes.replace("\nexport ", "\n");
    (!shapes.contains("import ")).then(|| format!("{before}{shapes}{after}"))
}

/// What the glue does for browsers that are too old for the rest of the module, which wants `AbortSignal.timeout`,
/// and for callers that it does not have: from where, and to where.
const FOR_NOBODY: [(&str, &str); 3] = [
    ("if (!('encodeInto' in cachedTextEncoder)) {", "\n}\n"),
    ("    if (realloc === undefined) {", "\n    }\n"),
    ("(typeof FinalizationRegistry === 'undefined')", "\n    : "),
];

/// The glue without that.
fn for_somebody(mut glue: String) -> Option<String> {
    for (from, to) in FOR_NOBODY {
        let (before, rest) = glue.split_once(from)?;
        let (_, after) = rest.split_once(to)?;
        glue = [before, after].concat();
    }
    Some(glue)
}

/// One script of the two, so that a browser loads one, and what of the glue nobody uses goes: the package
/// has a way of its own to load the wasm. `None`: one of them does not have the lines that are looked for.
fn with_glue_inside(index: &str, glue: &str) -> Option<String> {
    let (before, after) = index.split_once("import * as glue from \"./holdfast_pop.js\";\n")?;
    let (glue, rest) = glue.split_once("export { initSync, __wbg_init as default };")?;
    let glue = glue.replace("\nexport function ", "\nfunction ");
    let named = "imports: __wbg_get_imports, start: __wbg_finalize_init, open";
    let scope = format!("(() => {{\n{glue}\nreturn {{ {named} }};\n}})()");
    let whole = !glue.contains("\nexport ") && rest.trim().is_empty();
    whole.then(|| format!("{before}const glue = {scope};\n{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_two_scripts_become_one() {
        let index = "import glue;\nimport { OURS, mine } from \"./shapes.mjs\";\nmine(OURS);\n";
        let shapes = "// Shapes.\n\nexport const OURS = 1;\nexport function mine() {}\n";
        let one = "import glue;\n// Shapes.\n\nconst OURS = 1;\nfunction mine() {}\nmine(OURS);\n";
        assert_eq!(with_shapes_inside(index, shapes).as_deref(), Some(one));
        assert_eq!(with_shapes_inside("mine(OURS);", shapes), None);
        assert_eq!(with_shapes_inside(index, "import more;"), None);
    }

    #[test]
    fn what_the_glue_does_for_nobody_goes() {
        let glue = "const D = (typeof FinalizationRegistry === 'undefined')\n    ? {}\n    : new R();\n\
                    function pass(realloc) {\n    if (realloc === undefined) {\n        if (a) {\n        }\n    }\n    b();\n}\n\
                    if (!('encodeInto' in cachedTextEncoder)) {\n    c();\n}\nlet d;\n";
        let left = "const D = new R();\nfunction pass(realloc) {\n    b();\n}\nlet d;\n";
        assert_eq!(for_somebody(glue.to_owned()).as_deref(), Some(left));
        assert_eq!(for_somebody(left.to_owned()), None);
    }

    #[test]
    fn two_scripts_become_one() {
        let index = "// ours\nimport * as glue from \"./holdfast_pop.js\";\nuse(glue.open);\n";
        let glue = "let a;\nexport function open() {}\nexport { initSync, __wbg_init as default };\n";
        let one = with_glue_inside(index, glue).unwrap();
        assert_eq!(
            one,
            "// ours\nconst glue = (() => {\nlet a;\nfunction open() {}\n\n\
             return { imports: __wbg_get_imports, start: __wbg_finalize_init, open };\n})();\nuse(glue.open);\n"
        );
        assert_eq!(with_glue_inside("nothing", glue), None);
        assert_eq!(with_glue_inside(index, "function f() {}"), None);
        let more = "let a;\nexport const b = 1;\nexport { initSync, __wbg_init as default };\n";
        assert_eq!(with_glue_inside(index, more), None);
    }
}
