//! Foreign input of mailhaul, one function for each way in. A panic is a finding, and so is a broken
//! invariant.
//!
//! `fuzz_targets/` gives each function the inputs of libFuzzer, `tests/seeds.rs` the seeds and very long
//! inputs.

#![forbid(unsafe_code)]

mod csv;
mod framer;
mod http;
#[path = "../../crates/operations/tests/operations/lamps.rs"]
#[allow(dead_code, reason = "the tests of the operations use more of it")]
mod lamps;
mod ledger;
mod responses;
mod shell;
mod utf7;

pub use csv::csv;
pub use framer::framer;
pub use http::http;
pub use ledger::ledger;
pub use responses::responses;
pub use shell::shell;
pub use utf7::utf7;

/// A function that reads an input.
pub type Target = fn(&[u8]);

/// All targets, with the names in `fuzz_targets/` and `seeds/`.
pub const TARGETS: [(&str, Target); 7] = [
    ("framer", framer),
    ("responses", responses),
    ("utf7", utf7),
    ("csv", csv),
    ("shell", shell),
    ("http", http),
    ("ledger", ledger),
];
