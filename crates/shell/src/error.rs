//! Where a script went wrong, and why.

use std::fmt;

/// Characters of the script that an error shows.
const MAX_SHOWN: usize = 60;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text ends where more must follow: a quote, a parenthesis, a pipe is open.
    Incomplete,
    /// The text is not of the language.
    Syntax,
    /// The text is PowerShell that this language leaves out.
    Unsupported,
    /// No such command.
    UnknownCommand,
    /// A value that cannot be used so.
    Value,
    /// The command was carried out and failed.
    Host,
}

/// Why a script stopped, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}, column {column}{}: {message}", shown(.text))]
pub struct ScriptError {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// For the administrator.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The script from there to the end of the line, cut when it is long.
    pub text: String,
}

fn shown(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(", at `{text}`") }
}

/// Why the host could not carry a command out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// For the administrator.
    pub message: String,
    /// Which of the arguments is to blame, by its index: the error then points at it.
    pub argument: Option<usize>,
    /// Whether the script's text at that place is not to be shown: there may be a secret in it.
    pub conceals: bool,
}

impl HostError {
    /// The command as a whole failed.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), argument: None, conceals: false }
    }

    /// One of the arguments is wrong.
    pub fn at_argument(message: impl fmt::Display, index: usize) -> Self {
        Self { message: message.to_string(), argument: Some(index), conceals: false }
    }

    /// The same without the script's text, in which there may be a secret.
    #[must_use]
    pub fn concealed(self) -> Self {
        Self { conceals: true, ..self }
    }
}

/// An error that knows its place only as an offset in the script.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) at: usize,
    pub(crate) message: String,
    /// Whether the text at that place is not to be shown.
    pub(crate) conceals: bool,
}

impl Fault {
    pub(crate) fn incomplete(at: usize, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Incomplete, at, message: message.into(), conceals: false }
    }

    pub(crate) fn syntax(at: usize, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Syntax, at, message: message.into(), conceals: false }
    }

    /// `what` is the subject of a sentence.
    pub(crate) fn unsupported(at: usize, what: impl fmt::Display) -> Self {
        Self {
            kind: ErrorKind::Unsupported,
            at,
            message: format!("{what} not supported here"),
            conceals: false,
        }
    }

    pub(crate) fn value(at: usize, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Value, at, message: message.into(), conceals: false }
    }

    /// The same with line, column and text.
    pub(crate) fn locate(self, script: &str) -> ScriptError {
        let at = script.floor_char_boundary(self.at);
        let (before, after) = script.split_at(at);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = after.lines().next().filter(|_| !self.conceals).unwrap_or_default();
        let mut text: String = rest.chars().take(MAX_SHOWN).collect();
        if text.len() < rest.len() {
            text.push_str("...");
        }
        ScriptError {
            kind: self.kind,
            message: self.message,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: text.trim_end().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let error = Fault::syntax(10, "no").locate("a\r\nгде x\r\nb");
        assert_eq!((error.line, error.column, error.text.as_str()), (2, 5, "x"));
        assert_eq!(error.to_string(), "Line 2, column 5, at `x`: no");
        let end = Fault::incomplete(3, "more").locate("abc");
        assert_eq!(end.to_string(), "Line 1, column 4: more");
        let secret = Fault { conceals: true, ..Fault::syntax(2, "no") };
        assert_eq!(secret.locate("a hunter2").to_string(), "Line 1, column 3: no");
        let long = Fault::syntax(0, "no").locate(&"x".repeat(100));
        assert_eq!(long.text, format!("{}...", "x".repeat(MAX_SHOWN)));
    }
}
