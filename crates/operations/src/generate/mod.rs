//! Documents generated from the list, for users and programs.

mod completions;
mod man;
mod openapi;
mod powershell;

pub use completions::completions;
pub use man::{ManPage, man_pages};
