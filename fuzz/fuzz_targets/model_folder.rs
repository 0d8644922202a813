//! `cargo fuzz run model_folder`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("model_folder")(data));
