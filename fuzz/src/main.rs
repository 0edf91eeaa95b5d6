//! Runs the fuzz target that `MARQUEE_FUZZ_TARGET` names with the inputs of libFuzzer.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static CHECK_INPUT: LazyLock<marquee_fuzz::CheckInput> = LazyLock::new(|| {
    let name = std::env::var("MARQUEE_FUZZ_TARGET").unwrap_or_default();
    let target = marquee_fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("MARQUEE_FUZZ_TARGET: there is no target {name:?}")).1
});

fuzz_target!(|data: &[u8]| CHECK_INPUT(data));
