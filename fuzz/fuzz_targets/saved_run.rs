//! `cargo fuzz run saved_run`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("saved_run")(data));
