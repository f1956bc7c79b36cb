//! What is written for people and programs out of the list.

mod completions;
mod man;
mod openapi;
mod powershell;

pub use completions::completions;
pub use man::{ManPage, man_pages};
