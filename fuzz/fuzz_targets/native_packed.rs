//! `cargo fuzz run native_packed`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("native_packed")(data));
