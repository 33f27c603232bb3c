//! Feeds arbitrary bytes to the check of the same name.
#![no_main]

#[path = "../../tests/fuzz_smoke/report.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
