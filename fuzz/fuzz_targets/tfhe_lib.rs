//! `cargo fuzz run tfhe_lib`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("tfhe_lib")(data));
