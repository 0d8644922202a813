//! `cargo fuzz run native_secret_key`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("native_secret_key")(data));
