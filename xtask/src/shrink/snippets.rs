//! What `pop-wasm` says in the browser's own language stands in files of its own, which the script imports.
//! Here they become part of it: one request, and one scope in which names can be shortened.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Of the folder beside the script that wasm-bindgen writes them to.
const FOLDER: &str = "./snippets/";

/// Puts them into the script, and removes the folder.
pub(super) fn inline(script: &Path) -> Result<()> {
    let folder = script.parent().context("the script is in no folder")?;
    let text = fs::read_to_string(script)?;
    let read = |module: &str| {
        fs::read_to_string(folder.join(module)).with_context(|| format!("cannot read {module}"))
    };
    fs::write(script, with_snippets(&text, read)?)?;
    let snippets = folder.join(FOLDER);
    if snippets.exists() {
        fs::remove_dir_all(snippets)?;
    }
    Ok(())
}

/// One that begins with an import of a snippet is the snippet. Two that use one name are refused by whatever
/// reads the script next.
fn with_snippets(script: &str, read: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut whole = String::with_capacity(script.len());
    let (mut inside, mut wholes, mut again) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in script.lines() {
        let Some((what, module)) = imported(line) else {
            // What the wasm is made with has one member for each import: those of one module are the same.
            if !given(line).is_some_and(|name| again.contains(name)) {
                whole.push_str(line);
                whole.push('\n');
            }
            continue;
        };
        let snippet = read(module)?;
        if inside.insert(module) {
            whole.push_str(&snippet.replace("\nexport const ", "\nconst "));
            whole.push('\n');
        }
        if let Some(all) = what.strip_prefix("* as ") {
            if wholes.insert(module) {
                let names = exported(&snippet).collect::<Vec<_>>().join(", ");
                whole.push_str(&format!("const {all} = {{ {names} }};\n"));
            } else {
                again.insert(all);
            }
        } else if what.contains(" as ") {
            bail!("two snippets export what `{line}` imports under another name; rename one of them");
        }
    }
    Ok(whole)
}

/// What a line imports of which snippet.
fn imported(line: &str) -> Option<(&str, &str)> {
    let (what, module) = line.strip_prefix("import ")?.split_once(" from ")?;
    let module = module.trim_matches([';', '"', '\'']);
    module.starts_with(FOLDER).then_some((what, module))
}

/// The name in a line that gives a module to the wasm.
fn given(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("\"./snippets/")?.split_once("\": ")?.1.strip_suffix(',')
}

fn exported(snippet: &str) -> impl Iterator<Item = &str> {
    snippet.split("\nexport const ").skip(1).filter_map(|rest| rest.split_once(' ').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(module: &str) -> Result<String> {
        assert!(["./snippets/x/inline0.js", "./snippets/x/inline1.js"].contains(&module), "{module}");
        Ok(match module {
            "./snippets/x/inline0.js" => "\nconst a = 1;\nexport const b = () => a;\n",
            _ => "\nexport const c = 2;\nexport const d = 3;\n",
        }
        .to_owned())
    }

    #[test]
    fn snippets_become_part_of_the_script() {
        let script = "import { b } from './snippets/x/inline0.js';\n\
                      import * as import1 from \"./snippets/x/inline1.js\"\n\
                      import * as import2 from \"./snippets/x/inline1.js\"\n\
                      import { c } from './snippets/x/inline1.js';\n\
                      import other from './other.js';\nb(c);\n  return {\n    \
                      \"./snippets/x/inline1.js\": import1,\n    \"./snippets/x/inline1.js\": import2,\n  };\n";
        assert_eq!(
            with_snippets(script, read).unwrap(),
            "\nconst a = 1;\nconst b = () => a;\n\n\
             \nconst c = 2;\nconst d = 3;\n\nconst import1 = { c, d };\n\
             import other from './other.js';\nb(c);\n  return {\n    \
             \"./snippets/x/inline1.js\": import1,\n  };\n"
        );
    }

    #[test]
    fn two_of_one_name_are_refused() {
        let script = "import { b as b2 } from './snippets/x/inline0.js';\n";
        assert!(with_snippets(script, read).unwrap_err().to_string().contains("b as b2"));
    }
}
