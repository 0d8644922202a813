//! `cargo fuzz run native_list`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("native_list")(data));
