//! Modules are slices: a feature is a row, a crate is a column, and rows do not import one another.

use crate::rust::Source;
use crate::tree::File;
#[cfg(test)]
use crate::tree::example;

const SLICES: [&str; 11] = [
    "account",
    "passkeys",
    "connections",
    "step_up",
    "recovery",
    "history",
    "agents",
    "wallet",
    "credentials",
    "terminal",
    "device",
];

/// They meet through the kernel: ids, access, audit, problem, readiness; on the page also `step_up`, the prompt
/// that has every slice's actions confirmed, as `elevation` does on the server.
pub(crate) fn do_not_import_one_another(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (file, slice) in files.iter().filter_map(|file| Some((file, slice_of(file)?))) {
        for (line, module) in imports(&Source::of(&file.text).code) {
            let prompt = module == "step_up" && file.path.starts_with("web/");
            if SLICES.contains(&module.as_str()) && module != slice && !prompt {
                breaches.push(format!("{}:{line}: {slice} imports {module}", file.path));
            }
        }
    }
    breaches
}

/// A slice of the server or the page has its words and wire types in `protocol` under the same name.
pub(crate) fn have_equal_names_in_every_crate(files: &[File]) -> Vec<String> {
    let in_protocol = |slice: &str| {
        files.iter().any(|file| {
            file.path == format!("protocol/src/{slice}.rs") || file.fits(&format!("protocol/src/{slice}/*"))
        })
    };
    let mut missing: Vec<&str> =
        files.iter().filter_map(slice_of).filter(|slice| !in_protocol(slice)).collect();
    missing.dedup();
    missing.iter().map(|slice| format!("the slice {slice} is missing in protocol/src")).collect()
}

/// The slice that a file of the server or the page belongs to.
fn slice_of(file: &File) -> Option<&'static str> {
    let path = ["server/src/", "web/src/"].iter().find_map(|root| file.path.strip_prefix(root))?;
    let module = path.split('/').next()?;
    SLICES.into_iter().find(|slice| module == *slice || module.strip_suffix(".rs") == Some(slice))
}

/// The modules of the crate's root that code names, with the lines: `crate::a::b`, `crate::{a::b, c}`
/// and `super::super::a`, which leads out of a slice as well.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for prefix in ["crate::", "super::super::"] {
        for (at, _) in code.match_indices(prefix) {
            let line = code[..at].matches('\n').count() + 1;
            let after = &code[at + prefix.len()..];
            match after.trim_start().strip_prefix('{') {
                Some(group) => {
                    found.extend(first_names(group).into_iter().map(|name| (line, name)));
                }
                None => found.push((line, name(after))),
            }
        }
    }
    found
}

/// The first name of each path in a group, up to its closing brace.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut at_start, mut names) = (0, true, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            _ if at_start && character.is_alphanumeric() => {
                names.push(name(&group[at..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn name(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

#[test]
fn an_import_across_slices_is_found() {
    for text in [
        "use crate::passkeys::store;",
        "use crate::{audit, problem::Problem, passkeys::{list, rename}};",
        "fn f() { super::super::recovery::g() }",
        "use crate::step_up::Confirm;",
    ] {
        let tree = example(&[("server/src/account/mod.rs", text)]);
        assert_eq!(do_not_import_one_another(&tree).len(), 1, "{text}");
    }
}

#[test]
fn the_kernel_ones_own_slice_and_the_wiring_are_left_alone() {
    let tree = example(&[
        (
            "server/src/account/mod.rs",
            "use crate::{account::store, audit};\n// crate::passkeys\nuse super::rules;",
        ),
        ("server/src/lib.rs", "pub mod passkeys; use crate::passkeys::routes;"),
        ("web/src/passkeys/view.rs", "use holdfast_protocol::account::Me;"),
        ("web/src/wallet/effects.rs", "use crate::step_up::Confirm;"),
    ]);
    assert_eq!(do_not_import_one_another(&tree), Vec::<String>::new());
}

#[test]
fn a_slice_without_its_words_is_found() {
    let tree = example(&[
        ("web/src/wallet/view.rs", ""),
        ("web/src/history.rs", ""),
        ("protocol/src/history.rs", ""),
    ]);
    assert_eq!(have_equal_names_in_every_crate(&tree), ["the slice wallet is missing in protocol/src"]);
}
