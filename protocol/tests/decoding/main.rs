//! What decoding promises, one property a file, over the corpora in `tests/corpus`. The fuzzers in
//! `fuzz/` are made of the same files: what they find is put into the corpus and is replayed here.
//!
//! `HOLDFAST_SEEDS=write` writes the seeds that are missing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod base64url; // every sequence of bytes has one text
mod device; // Device Bound Session Credentials
mod frame; // control and application are never taken for one another
mod message; // control messages
mod proof; // RFC 9449
mod token; // signed tokens

mod seeds; // the published vectors as first inputs

use std::{fs, path::PathBuf};

/// Replays every input, and sees that there are some of both kinds.
fn replay(name: &str, holds: impl Fn(&[u8]) -> bool) {
    let (mut taken, mut refused) = (0, 0);
    for entry in fs::read_dir(corpus(name)).unwrap() {
        let path = entry.unwrap().path();
        // Shown if the property does not hold.
        println!("{}", path.display());
        if holds(&fs::read(path).unwrap()) { taken += 1 } else { refused += 1 }
    }
    assert!(taken > 0 && refused > 0, "{name}: {taken} taken, {refused} refused");
}

fn corpus(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "corpus", name].iter().collect()
}

#[test]
fn base64url_has_one_spelling() {
    replay("base64url", base64url::holds);
}

#[test]
fn answers_of_devices_say_what_they_are_for() {
    replay("device", device::holds);
}

#[test]
fn frames_are_control_or_application() {
    replay("frame", frame::holds);
}

#[test]
fn messages_have_one_spelling() {
    replay("message", message::holds);
}

#[test]
fn tokens_say_what_they_are_for() {
    replay("token", token::holds);
}

#[test]
fn proofs_are_of_the_key_that_they_name() {
    replay("proof", proof::holds);
}
