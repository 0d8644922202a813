//! `cargo fuzz run idx`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("idx")(data));
