//! Habits of every file.

use crate::rust::Source;
use crate::tree::File;
#[cfg(test)]
use crate::tree::example;

const SOURCES: [&str; 6] = [".rs", ".css", ".js", ".mjs", ".ts", ".html"];
const LONGEST: usize = 400;

pub(crate) fn files_are_short(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| is_source(file))
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{}: {lines} lines, {LONGEST} are enough: split it", file.path))
        .collect()
}

/// A name that fits everything says nothing.
pub(crate) fn names_say_what_is_inside(files: &[File]) -> Vec<String> {
    const EMPTY: [&str; 5] = ["utils", "util", "helpers", "helper", "common"];
    let mut breaches = Vec::new();
    for file in files {
        let empty = |part: &&str| EMPTY.contains(&part.split('.').next().unwrap_or_default());
        if let Some(name) = file.path.split('/').find(empty) {
            breaches.push(format!("{}: `{name}` says nothing", file.path));
        }
        if file.is_rust() {
            let source = Source::of(&file.text);
            for name in EMPTY {
                for line in source.lines_with(&format!("mod {name} ")) {
                    breaches.push(format!("{}:{line}: `mod {name}` says nothing", file.path));
                }
            }
        }
    }
    breaches
}

pub(crate) fn nothing_is_left_unfinished(files: &[File]) -> Vec<String> {
    // Put together here, so that this file does not hold what it looks for.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[", "ignore")];
    let code = [concat!("todo", "!"), concat!("unimplemented", "!")];
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| is_source(file) || file.path.ends_with(".sh")) {
        for (line, number) in file.text.lines().zip(1..) {
            let left = words.iter().chain(&code).find(|word| line.contains(**word));
            breaches.extend(left.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    breaches
}

pub(crate) fn nothing_names_somebodys_machine(files: &[File]) -> Vec<String> {
    let places =
        [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];
    let mut breaches = Vec::new();
    for file in files {
        for (line, number) in file.text.lines().zip(1..) {
            let named = places.iter().find(|place| names(line, place));
            breaches.extend(named.map(|place| format!("{}:{number}: {place}", file.path)));
        }
    }
    breaches
}

/// Whether the line holds an absolute path that begins so: no address goes on before it.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "._-/".contains(before))
    })
}

pub(crate) fn the_documents_are_there(files: &[File]) -> Vec<String> {
    const DOCUMENTS: [&str; 6] =
        ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];
    let there = |name: &str| files.iter().any(|file| file.path == name && !file.text.trim().is_empty());
    DOCUMENTS.iter().filter(|name| !there(name)).map(|name| format!("{name} is missing")).collect()
}

fn is_source(file: &File) -> bool {
    SOURCES.iter().any(|extension| file.path.ends_with(extension))
}

#[test]
fn a_long_file_is_found() {
    let long = "x\n".repeat(LONGEST + 1);
    let tree = example(&[("styles/base.css", &long), ("Cargo.lock", &long)]);
    assert_eq!(files_are_short(&tree).len(), 1);
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let tree = example(&[
        ("web/src/utils.rs", ""),
        ("server/src/common/mod.rs", ""),
        ("server/src/lib.rs", "mod helpers {}\nmod common_words;"),
    ]);
    assert_eq!(names_say_what_is_inside(&tree).len(), 3);
}

#[test]
fn unfinished_work_is_found() {
    let text =
        [concat!("// TO", "DO: later"), concat!("todo", "!()"), concat!("#[", "ignore = \"x\"]")].join("\n");
    let tree = example(&[("server/src/lib.rs", &text)]);
    assert_eq!(nothing_is_left_unfinished(&tree).len(), 3);
}

#[test]
fn a_path_of_somebodys_machine_is_found() {
    let text = concat!("cd /wo", "rk/main\nsee https://x.example/ho", "me/page and docs/wo", "rk/x");
    assert_eq!(nothing_names_somebodys_machine(&example(&[("README.md", text)])).len(), 1);
}

#[test]
fn a_missing_or_empty_document_is_found() {
    let tree = example(&[("README.md", "# Holdfast"), ("SECURITY.md", " ")]);
    assert_eq!(the_documents_are_there(&tree).len(), 5);
}
