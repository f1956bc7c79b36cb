//! The program `mailhaul`.
fn main() {}
