#![no_main]

#[path = "../../protocol/tests/decoding/token.rs"]
mod token;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    token::holds(input);
});
