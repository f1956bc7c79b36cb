//! Lines that a script shows.

use crate::error::ScriptError;

/// Lines that a script shows, with their purpose.
#[derive(Clone, Copy, Debug)]
pub enum ScriptOutput<'a> {
    /// Results, in whole lines.
    Text(&'a str),
    /// Error after which the script goes on.
    Error(&'a ScriptError),
    /// Warning, from `Write-Warning` or about an argument that has no effect.
    Warning(&'a str),
    /// Progress, details and notes.
    Note(&'a str),
}
