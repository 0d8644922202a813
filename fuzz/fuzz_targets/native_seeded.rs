//! `cargo fuzz run native_seeded`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("native_seeded")(data));
