//! `cargo fuzz run bristol`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("bristol")(data));
