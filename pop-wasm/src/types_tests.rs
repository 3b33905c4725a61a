//! What `js/index.d.ts` says of the words that the module tells, and what the module's scripts say in the place of
//! Rust, held against Rust's own.

use crate::{End, PopError, Status};
use std::collections::BTreeSet;

const TYPES: &str = include_str!("../js/index.d.ts");

/// The words of the union that follows this in the types.
fn union_after(beginning: &str) -> BTreeSet<&'static str> {
    let (_, rest) = TYPES.split_once(beginning).expect(beginning);
    let (union, _) = rest.split_once(';').expect("a statement ends");
    union.split('"').skip(1).step_by(2).collect()
}

#[test]
fn the_types_name_every_error() {
    // That it is not loaded yet, it cannot say itself.
    let codes = PopError::ALL.map(PopError::code).into_iter().chain(["not_loaded"]);
    assert_eq!(union_after("export type PopErrorCode ="), codes.collect());
}

#[test]
fn the_types_name_every_end() {
    assert_eq!(union_after("state: \"ended\"; why:"), End::ALL.map(End::code).into_iter().collect());
}

#[test]
fn the_types_name_every_status() {
    assert_eq!(union_after("export type Status ="), Status::ALL.map(Status::code).into_iter().collect());
}

/// The check of the package in `tests/e2e` makes a browser refuse a signature, and is told the same.
#[test]
fn a_script_that_tells_of_a_refused_signature_says_what_rust_says() {
    let (code, sentence) = (PopError::KeyRefused.code(), PopError::KeyRefused.sentence());
    let scripts = include_str!("key.rs");
    assert_eq!(scripts.matches(&format!(r#"done(undefined, "{code}", "{sentence}")"#)).count(), 1);
    let check = include_str!("../../tests/e2e/package/traffic.mjs");
    assert!(check.contains(&format!(r#"const sentence = "{sentence}";"#)) && check.contains(code));
}
