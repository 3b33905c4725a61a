#![no_main]

#[path = "../../protocol/tests/decoding/message.rs"]
mod message;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    message::holds(input);
});
