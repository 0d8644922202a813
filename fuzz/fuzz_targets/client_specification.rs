//! `cargo fuzz run client_specification`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::target("client_specification")(data));
