//! Every address in protocol/http.md is served, and walked end to end.

use crate::rust::Source;
use crate::tree::File;
#[cfg(test)]
use crate::tree::example;

pub(crate) fn are_mounted(files: &[File]) -> Vec<String> {
    let (actions, others) = endpoints(files).partition::<Vec<_>, _>(|endpoint| endpoint.action.is_some());
    if others.is_empty() {
        return vec!["protocol/http.md: the table of addresses is gone".to_owned()];
    }
    let mut missing = unnamed(files, others, "server/src/*.rs", "is not mounted in server/src");
    // The path of an action, and thereby of its preflight, stands in the table of actions alone.
    for Endpoint { path, action, .. } in &actions {
        let mounts = format!("routes::<{}>()", action.unwrap_or_default());
        let mut server = files.iter().filter(|file| file.fits("server/src/*.rs"));
        if !server.any(|file| Source::of(&file.text).code.contains(&mounts)) {
            missing.push(format!("POST {path}: no {mounts} in server/src"));
        }
    }
    missing.extend(unnamed(files, actions, "protocol/src/step_up.rs", "is none of protocol's actions"));
    missing
}

/// Whatever the server calls an address of its own stands in the table, and so in the OpenAPI document, which is held
/// against the table.
pub(crate) fn are_documented(files: &[File]) -> Vec<String> {
    let known: Vec<&str> = endpoints(files).map(|endpoint| endpoint.path).collect();
    let mut unknown = Vec::new();
    for file in files.iter().filter(|file| file.fits("server/src/*.rs")) {
        let named = Source::of(&file.text).strings.into_iter().filter(|(_, string)| is_address(string));
        let foreign = named.filter(|(_, string)| !known.contains(&string.as_str()));
        unknown.extend(
            foreign
                .map(|(line, string)| format!("{}:{line}: {string} is not in protocol/http.md", file.path)),
        );
    }
    unknown
}

/// The prefix of all of them is none.
fn is_address(string: &str) -> bool {
    ["/v1/", "/.well-known/"].iter().any(|prefix| string.len() > prefix.len() && string.starts_with(prefix))
}

pub(crate) fn are_exercised(files: &[File]) -> Vec<String> {
    unnamed(files, endpoints(files).collect(), "tests/e2e/*", "is not exercised in tests/e2e")
}

/// The endpoints whose path no string in the files that fit `place` holds; a script is one string.
fn unnamed(files: &[File], endpoints: Vec<Endpoint>, place: &str, complaint: &str) -> Vec<String> {
    let mut strings = Vec::new();
    for file in files.iter().filter(|file| file.fits(place)) {
        if file.is_rust() {
            strings.extend(Source::of(&file.text).strings.into_iter().map(|(_, string)| string));
        } else if file.fits("*.mjs") {
            strings.push(file.text.clone());
        }
    }
    let missing =
        endpoints.iter().filter(|endpoint| !strings.iter().any(|string| holds(string, endpoint.path)));
    missing.map(|endpoint| format!("{} {} {complaint}", endpoint.method, endpoint.path)).collect()
}

struct Endpoint<'text> {
    method: &'text str,
    path: &'text str,
    /// The type of its parameters, where it is an action.
    action: Option<&'text str>,
}

fn endpoints(files: &[File]) -> impl Iterator<Item = Endpoint<'_>> {
    files.iter().filter(|file| file.path == "protocol/http.md").flat_map(|file| table(&file.text))
}

/// The rows whose first cell is `` `METHOD /path?query` ``.
fn table(text: &str) -> Vec<Endpoint<'_>> {
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix("| `"));
    rows.filter_map(|row| {
        let (cell, rest) = row.split_once('`')?;
        let (method, address) = cell.split_once(' ')?;
        let path = address.split('?').next()?;
        let action = rest.strip_prefix(" | Elevated | `").and_then(|types| types.split('`').next());
        let action = action.map(|path| path.rsplit("::").next().unwrap_or(path));
        path.starts_with('/').then_some(Endpoint { method, path, action })
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

#[test]
fn an_address_that_nobody_has_written_down_is_found() {
    let tree = example(&[
        ("protocol/http.md", "| `GET /v1/log?ticket=` | |"),
        ("server/src/lib.rs", "route(\"/v1/log\", x).route(\"/v1/secret\", y); path.starts_with(\"/v1/\")"),
    ]);
    assert_eq!(are_documented(&tree), ["server/src/lib.rs:1: /v1/secret is not in protocol/http.md"]);
}

#[test]
fn an_action_that_nobody_declares_or_mounts_is_found() {
    let rows =
        "| `GET /v1/me` | SignedIn | |\n| `POST /v1/agents/revoke` | Elevated | `agents::Revocation` → 204 |";
    let document = ("protocol/http.md", rows);
    let declared = ("protocol/src/step_up.rs", "Revoke(agents::Revocation) = \"/v1/agents/revoke\";");
    let mounted = ("server/src/agents/mod.rs", "get(\"/v1/me\").merge(elevation::routes::<Revocation>())");
    let unmounted = ("server/src/agents/mod.rs", "get(\"/v1/me\") // routes::<Revocation>()");
    let walked = ("tests/e2e/step_up.mjs", "act('/v1/agents/revoke'); fetch('/v1/me')");
    let tree = example(&[document, declared, mounted, walked]);
    assert_eq!((are_mounted(&tree), are_exercised(&tree)), (Vec::new(), Vec::new()));
    let breaches = |files: &[(&str, &str)]| are_mounted(&example(files));
    let missing = ["POST /v1/agents/revoke: no routes::<Revocation>() in server/src"];
    assert_eq!(breaches(&[document, declared, unmounted]), missing);
    let missing = ["POST /v1/agents/revoke is none of protocol's actions"];
    assert_eq!(breaches(&[document, mounted]), missing);
    assert_eq!(are_exercised(&example(&[document, declared, mounted])).len(), 2);
}
