//! One target for each property: the binary's own name says which.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oauth_sync::properties::check(env!("CARGO_BIN_NAME"), bytes));
