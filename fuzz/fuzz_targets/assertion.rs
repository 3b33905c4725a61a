#![no_main]

#[path = "../../relying-party/tests/decoding/assertion.rs"]
mod assertion;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    assertion::holds(input);
});
