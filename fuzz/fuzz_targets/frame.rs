#![no_main]

#[path = "../../protocol/tests/decoding/frame.rs"]
mod frame;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    frame::holds(input);
});
