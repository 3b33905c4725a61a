//! The script of the terminal, which the console loads when somebody opens one: web/terminal/terminal.mjs
//! with xterm.js inside, changed so that the page's Content-Security-Policy can stay as strict as it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::page::Mode;
use crate::project::Project;
use crate::seal;
use crate::setup::Equipment;
use crate::shrink;

/// What console.html calls it, until it is named after its contents.
const NAME: &str = "terminal.js";

const XTERM: &str = "@xterm/xterm/lib/xterm.mjs";
const FIT: &str = "@xterm/addon-fit/lib/addon-fit.mjs";
const STYLE: &str = "@xterm/xterm/css/xterm.css";

/// What the policy refuses, as xterm.js 6.0.0 spells it; how often it stands there; and what does the same
/// within the policy. An adopted style sheet and `cssText` are the CSSOM, which no policy restricts.
const REPLACED: [(&str, usize, &str); 3] = [
    (r#"n.mainDocument.createElement("style")"#, 1, "styleSheet()"),
    (r#"this._document.createElement("style")"#, 2, "styleSheet()"),
    (r#"t.setAttribute("style",`${t.getAttribute("style")||""}${e};`)"#, 1, "t.style.cssText+=e"),
];

/// Nothing of this may be left: inline styles, markup from text, code from text.
const REFUSED: [&str; 9] = [
    r#"createElement("style")"#,
    r#"setAttribute("style""#,
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "srcdoc",
    "document.write",
    "new Function",
    "eval(",
];

/// Writes it beside the console's document, and its name into that.
pub(crate) fn add(project: &Project, equipment: &Equipment, mode: Mode, dist: &Path) -> Result<()> {
    let read = |file: &str| {
        let path = equipment.xterm.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let ours = fs::read_to_string(project.path("web/terminal/terminal.mjs"))?;
    let script = dist.join(NAME);
    fs::write(&script, joined(&ours, &within_the_policy(&read(XTERM)?)?, &read(FIT)?, &read(STYLE)?)?)?;
    if mode == Mode::Release {
        shrink::minify(equipment, &script)?;
    }
    let name = format!("terminal-{}.js", seal::short_hash(&fs::read(&script)?));
    fs::rename(&script, dist.join(&name))?;
    let document = dist.join("index.html");
    let html = fs::read_to_string(&document)?;
    if html.matches(NAME).count() != 1 {
        bail!("console.html names {NAME} {} times, not once", html.matches(NAME).count());
    }
    Ok(fs::write(document, html.replace(NAME, &name))?)
}

fn within_the_policy(xterm: &str) -> Result<String> {
    let mut script = xterm.to_owned();
    for (refused, times, replaced) in REPLACED {
        if script.matches(refused).count() != times {
            bail!("xterm.js no longer has `{refused}` {times} times: see anew what it injects");
        }
        script = script.replace(refused, replaced);
    }
    for refused in REFUSED {
        if script.contains(refused) {
            bail!("xterm.js has `{refused}`, which the Content-Security-Policy refuses");
        }
    }
    Ok(script)
}

/// One script, in which the modules that ours imports are values.
fn joined(ours: &str, xterm: &str, fit: &str, style: &str) -> Result<String> {
    let imports = [
        (r#"import { Terminal } from "@xterm/xterm";"#, closed(xterm, "Terminal")?),
        (r#"import { FitAddon } from "@xterm/addon-fit";"#, closed(fit, "FitAddon")?),
        (
            r#"import STYLE from "@xterm/xterm/css/xterm.css";"#,
            format!("const STYLE = {};", serde_json::Value::from(style)),
        ),
    ];
    let mut script = ours.to_owned();
    for (import, value) in imports {
        let (before, after) = script
            .split_once(import)
            .with_context(|| format!("web/terminal/terminal.mjs does not `{import}`"))?;
        script = [before, &value, after].concat();
    }
    Ok(script)
}

/// A module that exports one thing, as that thing.
fn closed(module: &str, name: &str) -> Result<String> {
    let found = module.rsplit_once("export{").and_then(|(body, rest)| {
        let (own, _) = rest.split_once(&format!(" as {name}}};"))?;
        let alone = !own.contains(',') && !body.contains("export{");
        alone.then(|| format!("const {name} = (() => {{\n{body}\nreturn {own};\n}})();"))
    });
    found.with_context(|| format!("the module does not export {name} alone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_policy_refuses_is_replaced_and_nothing_else_of_the_kind_is_let_through() {
        let [main, own, attribute] = REPLACED.map(|(refused, _, _)| refused);
        let xterm = [main, own, own, attribute].join(";");
        assert_eq!(
            within_the_policy(&xterm).unwrap(),
            "styleSheet();styleSheet();styleSheet();t.style.cssText+=e"
        );
        for other in [
            [main, own, attribute].join(";"),
            [main, main, own, own, attribute].join(";"),
            format!("{xterm};e.innerHTML=t"),
            format!(r#"{xterm};d.createElement("style")"#),
        ] {
            assert!(within_the_policy(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn three_files_become_one_script() {
        let ours = "// ours\nimport { Terminal } from \"@xterm/xterm\";\n\
                    import { FitAddon } from \"@xterm/addon-fit\";\n\
                    import STYLE from \"@xterm/xterm/css/xterm.css\";\nuse(Terminal);\n";
        let (xterm, fit) = ("var a=1;export{a as Terminal};\n//# map", "var b=2;export{b as FitAddon};");
        assert_eq!(
            joined(ours, xterm, fit, ".x{content:\"\\\"}").unwrap(),
            "// ours\nconst Terminal = (() => {\nvar a=1;\nreturn a;\n})();\n\
             const FitAddon = (() => {\nvar b=2;\nreturn b;\n})();\n\
             const STYLE = \".x{content:\\\"\\\\\\\"}\";\nuse(Terminal);\n"
        );
        assert!(joined("", xterm, fit, "").is_err());
        assert!(joined(ours, "var a=1;export{a as Terminal,b as Buffer};", fit, "").is_err());
    }
}
