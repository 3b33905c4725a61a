#![no_main]

#[path = "../../protocol/tests/decoding/proof.rs"]
mod proof;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    proof::holds(input);
});
