//! Every address in protocol/http.md is served, and walked end to end.

use crate::rust::Source;
use crate::tree::File;
#[cfg(test)]
use crate::tree::example;

pub(crate) fn are_mounted(files: &[File]) -> Vec<String> {
    unnamed(files, "server/src/*.rs", "is not mounted in server/src")
}

pub(crate) fn are_exercised(files: &[File]) -> Vec<String> {
    unnamed(files, "tests/e2e/*.rs", "is not exercised in tests/e2e")
}

/// The endpoints whose path no string in the files that fit `place` holds.
fn unnamed(files: &[File], place: &str, complaint: &str) -> Vec<String> {
    let strings: Vec<String> = files
        .iter()
        .filter(|file| file.fits(place))
        .flat_map(|file| Source::of(&file.text).strings)
        .map(|(_, string)| string)
        .collect();
    let endpoints: Vec<Endpoint> = files
        .iter()
        .filter(|file| file.path == "protocol/http.md")
        .flat_map(|file| table(&file.text))
        .collect();
    if endpoints.is_empty() {
        return vec!["protocol/http.md: the table of addresses is gone".to_owned()];
    }
    let missing =
        endpoints.iter().filter(|endpoint| !strings.iter().any(|string| holds(string, endpoint.path)));
    missing.map(|endpoint| format!("{} {} {complaint}", endpoint.method, endpoint.path)).collect()
}

struct Endpoint<'text> {
    method: &'text str,
    path: &'text str,
}

/// The rows whose first cell is `` `METHOD /path?query` ``.
fn table(text: &str) -> Vec<Endpoint<'_>> {
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix("| `"));
    rows.filter_map(|row| {
        let (cell, _) = row.split_once('`')?;
        let (method, address) = cell.split_once(' ')?;
        let path = address.split('?').next()?;
        path.starts_with('/').then_some(Endpoint { method, path })
    })
    .collect()
}

/// Whether `text` holds `path` itself, and not merely a longer one.
fn holds(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let next = text[at + path.len()..].chars().next();
        !next.is_some_and(|next| next.is_alphanumeric() || "/_-{".contains(next))
    })
}

#[test]
fn an_address_that_nobody_serves_or_walks_is_found() {
    let tree = example(&[
        (
            "protocol/http.md",
            "| `GET /v1/passkey` | x |\n| `POST /v1/passkey/rename` | x |\n| `GET /v1/log?ticket=` | |",
        ),
        (
            "server/src/lib.rs",
            "router.route(\"/v1/passkey/rename\", x).route(\"/v1/log\", y) // \"/v1/passkey\"",
        ),
        ("tests/e2e/passkeys.rs", "get(\"/v1/passkey\"); get(\"http://localhost/v1/passkey/rename?x\")"),
    ]);
    assert_eq!(are_mounted(&tree), ["GET /v1/passkey is not mounted in server/src"]);
    assert_eq!(are_exercised(&tree), ["GET /v1/log is not exercised in tests/e2e"]);
    assert_eq!(are_mounted(&[]).len(), 1);
}
