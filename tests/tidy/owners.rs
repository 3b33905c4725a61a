//! Owners: each is the only file that touches its thing.

use crate::rust::Source;
use crate::tree::File;
#[cfg(test)]
use crate::tree::example;

struct Owner {
    thing: &'static str,
    /// Spellings in code by which the thing is touched.
    words: &'static [&'static str],
    /// Where the rule holds.
    territory: &'static [&'static str],
    /// The only files that may.
    homes: &'static [&'static str],
}

const OWNERS: &[Owner] = &[
    Owner {
        thing: "navigator.credentials",
        words: &[".credentials()", "CredentialsContainer", "navigator.credentials"],
        territory: &["web/src/*", "pop-wasm/src/*", "pop-wasm/js/*"],
        homes: &["web/src/webauthn.rs"],
    },
    Owner {
        thing: "fetch",
        words: &["gloo_net", "fetch_with_request", "fetch_with_str", "XmlHttpRequest"],
        territory: &["web/src/*"],
        homes: &["web/src/api.rs"],
    },
    Owner {
        thing: "an unchallenged connection",
        words: &["WebSocket::new", "EventSource::new", "new WebSocket(", "new EventSource("],
        territory: &["web/src/*", "web/*.mjs", "web/*.js"],
        homes: &[],
    },
    Owner {
        thing: AXUMS_UPGRADE,
        words: &["ws::WebSocketUpgrade", "extract::WebSocketUpgrade"],
        territory: &["server/src/*"],
        homes: UPGRADE_HOMES,
    },
    // What `pop::layer` is put around may answer with events.
    Owner {
        thing: "axum's server-sent events",
        words: &["Sse::new"],
        territory: &["server/src/*"],
        homes: &["server/src/connections/activity.rs"],
    },
    Owner {
        thing: "SubtleCrypto",
        words: &["SubtleCrypto", ".subtle()", "crypto.subtle"],
        territory: &["web/src/*", "pop-wasm/src/*", "pop-wasm/js/*"],
        homes: &["pop-wasm/src/key.rs"],
    },
    Owner {
        thing: "IndexedDB",
        words: &["IdbDatabase", "IdbFactory", "indexed_db", "indexedDB"],
        territory: &["web/src/*", "pop-wasm/src/*", "pop-wasm/js/*"],
        homes: &["pop-wasm/src/key_store.rs"],
    },
    Owner {
        thing: "the clock",
        words: &["SystemTime::now", "Instant::now", "OffsetDateTime::now", "Utc::now"],
        territory: &["server/src/*", "protocol/src/*", "relying-party/src/*"],
        homes: &["server/src/clock.rs"],
    },
    Owner { thing: "SQL", words: &["sqlx::query"], territory: &["server/src/*"], homes: SQL_HOMES },
];

/// It connects without a ticket, and nobody challenges what it connects; `pop::WebSocketUpgrade` is for handlers.
const AXUMS_UPGRADE: &str = "axum's WebSocketUpgrade";
const UPGRADE_HOMES: &[&str] = &["server/src/pop/*"];

const SQL_HOMES: &[&str] = &["server/src/*/store.rs", "server/src/db*.rs"];

const STATEMENTS: &[&str] =
    &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA ", "BEGIN IMMEDIATE"];

pub(crate) fn breaches(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files {
        let source = if file.is_rust() {
            Source::of(&file.text)
        } else {
            Source { code: file.text.clone(), strings: Vec::new() }
        };
        for owner in OWNERS.iter().filter(|owner| holds_in(file, owner)) {
            let lines = owner.words.iter().flat_map(|word| source.lines_with(word));
            breaches.extend(lines.map(|line| breach(file, line, owner.thing, owner.homes)));
            if file.fits("pop-wasm/src/*.rs") {
                let scripts = source.strings.iter().filter(|(_, string)| has(string, owner.words));
                breaches.extend(scripts.map(|(line, _)| breach(file, *line, owner.thing, owner.homes)));
            }
        }
        if file.fits("server/src/*.rs") && !UPGRADE_HOMES.iter().any(|home| file.fits(home)) {
            let imports = imports_from_axum(&source, "WebSocketUpgrade").into_iter();
            breaches.extend(imports.map(|line| breach(file, line, AXUMS_UPGRADE, UPGRADE_HOMES)));
        }
        if file.fits("server/src/*.rs") && !SQL_HOMES.iter().any(|home| file.fits(home)) {
            let statements = source.strings.iter().filter(|(_, string)| is_statement(string));
            breaches.extend(statements.map(|(line, _)| breach(file, *line, "SQL", SQL_HOMES)));
        }
    }
    // Two spellings on one line are one breach.
    breaches.dedup();
    breaches.extend(second_transport(files));
    breaches
}

fn holds_in(file: &File, owner: &Owner) -> bool {
    owner.territory.iter().any(|pattern| file.fits(pattern))
        && !owner.homes.iter().any(|home| file.fits(home))
}

/// The lines on which something of this name is imported from axum, whatever it is imported with.
fn imports_from_axum(source: &Source, name: &str) -> Vec<usize> {
    let (mut line, mut lines) = (1, Vec::new());
    for statement in source.code.split(';') {
        if let Some((before, import)) = statement.split_once("use axum::")
            && let Some((imported, _)) = import.split_once(name)
        {
            lines.push(line + [before, imported].concat().matches('\n').count());
        }
        line += statement.matches('\n').count();
    }
    lines
}

/// A module for the browser may stand in a string of Rust.
fn has(script: &str, words: &[&str]) -> bool {
    words.iter().any(|word| script.contains(word))
}

fn is_statement(string: &str) -> bool {
    STATEMENTS.iter().any(|statement| string.trim_start().starts_with(statement))
}

fn breach(file: &File, line: usize, thing: &str, homes: &[&str]) -> String {
    match homes {
        [] => format!("{}:{line}: {thing}: go through pop-wasm", file.path),
        homes => format!("{}:{line}: {thing} belongs to {}", file.path, homes.join(" and ")),
    }
}

/// The module fetches for tickets and answers: from one file.
fn second_transport(files: &[File]) -> Option<String> {
    const FETCHING: &[&str] = &["fetch_with_request", "fetch_with_str", "gloo_net", " fetch("];
    let fetching: Vec<&str> = files
        .iter()
        .filter(|file| file.fits("pop-wasm/src/*.rs") || file.fits("pop-wasm/src/*.js"))
        .filter(|file| {
            if !file.is_rust() {
                return has(&file.text, FETCHING);
            }
            let source = Source::of(&file.text);
            FETCHING.iter().any(|word| !source.lines_with(word).is_empty())
                || source.strings.iter().any(|(_, string)| has(string, FETCHING))
        })
        .map(|file| file.path.as_str())
        .collect();
    (fetching.len() > 1).then(|| format!("one file of pop-wasm fetches, not {}", fetching.join(" and ")))
}

#[test]
fn a_second_owner_is_found() {
    for (path, text) in [
        ("web/src/account/effects.rs", "window().navigator()\n    .credentials()"),
        ("web/src/ui/button.rs", "use gloo_net::http::Request;"),
        ("web/src/history.rs", "EventSource::new(url)"),
        ("web/terminal/terminal.mjs", "const socket = new WebSocket(url);"),
        ("web/chat/chat.js", "new EventSource(url).onmessage = show;"),
        ("server/src/chat/mod.rs", "use axum::{\n    extract::{Path, ws::{Message, WebSocketUpgrade}},\n};"),
        ("server/src/chat/mod.rs", "async fn chat(upgrade: axum::extract::WebSocketUpgrade) {}"),
        ("server/src/history/mod.rs", "Sse::new(events)"),
        ("pop-wasm/src/proof.rs", "crypto.subtle()"),
        ("pop-wasm/js/index.mjs", "indexedDB.open('x')"),
        ("pop-wasm/src/browser.js", "crypto.subtle.sign()"),
        ("pop-wasm/src/lock.rs", "module(r#\"\n  indexedDB.open('x')\"#)"),
        ("server/src/auth.rs", "tokio::time::Instant::now()"),
        ("server/src/account/mod.rs", "run(\"\n  SELECT id FROM account\")"),
        ("server/src/audit.rs", "sqlx::query_as(statement)"),
    ] {
        assert_eq!(breaches(&example(&[(path, text)])).len(), 1, "{path}");
    }
    for other in [("pop-wasm/src/b.rs", "fetch_with_request(x)"), ("pop-wasm/src/b.js", "await fetch(x)")] {
        let both = [("pop-wasm/src/a.rs", "fetch_with_str(x)"), other];
        assert_eq!(breaches(&example(&both)).len(), 1);
    }
}

#[test]
fn the_owner_itself_and_mere_words_are_left_alone() {
    let tree = example(&[
        ("web/src/webauthn.rs", "navigator().credentials()"),
        ("web/src/view.rs", "// asks navigator.credentials\nlet label = \"SELECT one\";"),
        ("server/src/account/store.rs", "sqlx::query(\"SELECT 1\")"),
        ("server/src/pop/socket.rs", "use axum::extract::ws::WebSocketUpgrade;"),
        ("server/src/chat/mod.rs", "use crate::pop::WebSocketUpgrade;\nuse axum::extract::ws::Message;"),
        ("server/src/db.rs", "\"PRAGMA foreign_keys = ON\""),
        ("server/src/config.rs", "\"UPDATED\""),
        ("pop-wasm/src/transport.rs", "fetch_with_str(x)"),
    ]);
    assert_eq!(breaches(&tree), Vec::<String>::new());
}
