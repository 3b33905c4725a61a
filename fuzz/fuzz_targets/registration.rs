#![no_main]

#[path = "../../relying-party/tests/decoding/registration.rs"]
mod registration;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    registration::holds(input);
});
