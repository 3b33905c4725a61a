#![no_main]

#[path = "../../protocol/tests/decoding/base64url.rs"]
mod base64url;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    base64url::holds(input);
});
