//! What decoding promises, one property a file, over the corpora in `tests/corpus`. The fuzzers in
//! `fuzz/` are made of the same files: what they find is put into the corpus and is replayed here.
//!
//! `HOLDFAST_SEEDS=write` writes the seeds that are missing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod assertion; // a passkey used, with its key
mod client_data; // what the browser says it did
mod registration; // attestation object, authenticator data, public key

mod seeds; // the published vectors as first inputs

use std::fs;
use std::path::PathBuf;

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
fn client_data_are_of_one_ceremony() {
    replay("client_data", client_data::holds);
}

#[test]
fn a_registration_is_what_the_authenticator_wrote() {
    replay("registration", registration::holds);
}

#[test]
fn an_assertion_is_of_the_key_that_is_stored() {
    replay("assertion", assertion::holds);
}
