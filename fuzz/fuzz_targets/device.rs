#![no_main]

#[path = "../../protocol/tests/decoding/device.rs"]
mod device;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    device::holds(input);
});
