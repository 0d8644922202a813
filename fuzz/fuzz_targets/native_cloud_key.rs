//! `cargo fuzz run native_cloud_key`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("native_cloud_key")(data));
