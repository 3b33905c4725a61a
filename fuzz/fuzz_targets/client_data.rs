#![no_main]

#[path = "../../relying-party/tests/decoding/client_data.rs"]
mod client_data;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    client_data::holds(input);
});
