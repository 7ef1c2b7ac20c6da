//! See `metadata_policy` in `targets.rs`.
#![no_main]

#[path = "../ground.rs"]
mod ground;
#[allow(dead_code, reason = "each program runs one of them")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ground::with(|it| targets::metadata_policy(it, data)));
