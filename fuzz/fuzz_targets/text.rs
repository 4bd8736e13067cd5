#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| modstream_fuzz_checks::text(input));
