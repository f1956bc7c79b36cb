#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| mailhaul_fuzz::ledger(octets));
