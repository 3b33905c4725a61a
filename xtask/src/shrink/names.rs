//! The names that the script and the wasm call each other by, those of the modules of imports among them. Most
//! hold hashes, which no compression can make smaller.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{ExportSection, ImportSection, Module};
use wasmparser::{Export, Import, ImportSectionReader, Parser, Payload};

/// Gives them short ones, in both files.
pub(super) fn shorten(script: &Path, wasm: &Path) -> Result<()> {
    let (text, module) = (fs::read_to_string(script)?, fs::read(wasm)?);
    let (made, modules) = (made_names(&module)?, modules(&module)?);
    let names = short_names(&text, made)?;
    let text = rename_modules_in_script(rename_in_script(&text, &names), &modules)?;
    fs::write(script, text)?;
    Ok(fs::write(wasm, rename_in_wasm(&module, names, modules)?)?)
}

/// The modules of the imports, each with a number for a name.
fn modules(wasm: &[u8]) -> Result<HashMap<String, String>> {
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ImportSection(imports) = payload? else { continue };
        for import in imports.into_imports() {
            names.insert(import?.module.to_owned());
        }
    }
    Ok(names.into_iter().enumerate().map(|(number, name)| (name, number.to_string())).collect())
}

/// They are the members of the object that the wasm is made with.
fn rename_modules_in_script(mut script: String, modules: &HashMap<String, String>) -> Result<String> {
    for (from, to) in modules {
        let (from, to) = (format!("\"{from}\": "), format!("\"{to}\": "));
        if !script.contains(&from) {
            bail!("the script gives the wasm nothing as {from}");
        }
        script = script.replace(&from, &to);
    }
    Ok(script)
}

/// The names of imports and exports that wasm-bindgen has made: each holds an underscore, as no name of
/// the browser's does.
fn made_names(wasm: &[u8]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("wasm-bindgen wrote no readable wasm")? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    names.insert(import?.name.to_owned());
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    names.insert(export?.name.to_owned());
                }
            }
            _ => {}
        }
    }
    names.retain(|name| name.contains('_'));
    Ok(names)
}

fn short_names(script: &str, names: BTreeSet<String>) -> Result<HashMap<String, String>> {
    let taken: BTreeSet<&str> = words(script).collect();
    let mut short = HashMap::new();
    for (number, name) in names.into_iter().enumerate() {
        let to = format!("${number}");
        if taken.contains(to.as_str()) {
            bail!(
                "the script has a name {to} of its own; choose other short names in xtask/src/shrink/names.rs"
            );
        }
        short.insert(name, to);
    }
    Ok(short)
}

fn rename_in_script(script: &str, names: &HashMap<String, String>) -> String {
    words(script).map(|word| names.get(word).map_or(word, String::as_str)).collect()
}

/// The text cut into names and what stands between them.
fn words(script: &str) -> impl Iterator<Item = &str> {
    let in_a_name = |character: char| character.is_ascii_alphanumeric() || ['_', '$'].contains(&character);
    let mut rest = script;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|next| in_a_name(next) != in_a_name(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn rename_in_wasm(
    wasm: &[u8],
    names: HashMap<String, String>,
    modules: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let mut module = Module::new();
    Renaming { names, modules }
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .context("wasm-bindgen wrote wasm that cannot be renamed in")?;
    Ok(module.finish())
}

/// Writes a module as it was, but for the names of its imports and exports.
struct Renaming {
    names: HashMap<String, String>,
    modules: HashMap<String, String>,
}

fn renamed<'a>(names: &'a HashMap<String, String>, name: &'a str) -> &'a str {
    names.get(name).map_or(name, String::as_str)
}

impl Reencode for Renaming {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        for import in section.into_imports() {
            let Import { module, name, ty } = import?;
            let kind = self.entity_type(ty)?;
            imports.import(renamed(&self.modules, module), renamed(&self.names, name), kind);
        }
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: Export<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let (kind, index) = (self.export_kind(export.kind)?, self.external_index(export.kind, export.index)?);
        exports.export(renamed(&self.names, export.name), kind, index);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{EntityType, ExportKind, TypeSection};

    const IMPORT: &str = "__wbg_log_0cc1b7768397bcfe";
    const EXPORT: &str = "invoke__h00de22bd6af09b99";

    fn module(from: &str, import: &str, export: &str) -> Vec<u8> {
        let (mut types, mut imports, mut exports) =
            (TypeSection::new(), ImportSection::new(), ExportSection::new());
        types.ty().function([], []);
        imports.import(from, import, EntityType::Function(0));
        imports.import(from, "memory", EntityType::Function(0));
        exports.export(export, ExportKind::Func, 1);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&exports);
        module.finish()
    }

    #[test]
    fn made_names_go_from_both_sides_and_everything_else_stays() {
        let wasm = module("./glue.js", IMPORT, EXPORT);
        let script = format!(
            "const imports = {{ \"./glue.js\": {{ {IMPORT}: console.log }} }}; wasm.{EXPORT}(a${IMPORT});"
        );
        let names = short_names(&script, made_names(&wasm).unwrap()).unwrap();
        assert_eq!(names.len(), 2, "{names:?}");
        let modules = modules(&wasm).unwrap();
        let renamed = rename_modules_in_script(rename_in_script(&script, &names), &modules).unwrap();
        assert_eq!(
            renamed,
            format!("const imports = {{ \"0\": {{ $0: console.log }} }}; wasm.$1(a${IMPORT});")
        );
        assert_eq!(rename_in_wasm(&wasm, names, modules.clone()).unwrap(), module("0", "$0", "$1"));
        assert!(rename_modules_in_script("nothing".to_owned(), &modules).is_err());
    }

    #[test]
    fn a_short_name_that_is_taken_is_refused() {
        let names = made_names(&module("./glue.js", IMPORT, EXPORT)).unwrap();
        assert!(short_names("let $1 = 0;", names).unwrap_err().to_string().contains("$1"));
    }
}
