//! Errors of scripts, with their positions.

use std::{fmt, sync::Arc};

/// Characters of the script that an error shows.
const MAX_SHOWN: usize = 60;
/// Longest message, in bytes. A script keeps many errors, and a message may quote a value.
const MAX_MESSAGE: usize = 16 << 10;

/// Kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is incomplete: a quote, a parenthesis or a pipe is open.
    Incomplete,
    /// Syntax error.
    Syntax,
    /// PowerShell that this language does not support.
    Unsupported,
    /// Unknown command.
    UnknownCommand,
    /// Invalid value.
    Value,
    /// The host ran the command, and it failed.
    Host,
    /// `throw`, or `Write-Error` with `-ErrorAction Stop`.
    Thrown,
    /// A limit on steps, memory, depth or output was reached. No `catch` sees it.
    Limit,
}

/// Error that ended a script, with its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}, column {column}{}: {message}", shown(.text))]
pub struct ScriptError {
    pub kind: ErrorKind,
    /// For the administrator.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The script from the position to the end of the line, possibly truncated.
    pub text: String,
    /// Exit code of the host's command, if it gave one.
    pub code: Option<u8>,
}

fn shown(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(", at `{text}`") }
}

/// Error of the host from a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// For the administrator.
    pub message: String,
    /// Index of the wrong argument, if the error concerns one.
    pub argument: Option<usize>,
    /// True if the text at the position must not be shown, because it may contain a secret.
    pub conceals: bool,
    /// True if the command was not tried, because its arguments are wrong. The script ends then.
    pub is_refusal: bool,
    /// Exit code.
    pub code: Option<u8>,
}

impl HostError {
    /// Returns an error of the whole command.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), argument: None, conceals: false, is_refusal: false, code: None }
    }

    /// Returns an error of one argument.
    pub fn at_argument(message: impl fmt::Display, index: usize) -> Self {
        Self { argument: Some(index), is_refusal: true, ..Self::new(message) }
    }

    /// Marks an error of a command that was not tried.
    #[must_use]
    pub fn refusal(self) -> Self {
        Self { is_refusal: true, ..self }
    }

    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Hides the script's text, which may contain a secret.
    #[must_use]
    pub fn concealed(self) -> Self {
        Self { conceals: true, ..self }
    }
}

/// Error with its byte offset in the script.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) at: usize,
    pub(crate) message: String,
    /// True if the text at the position must not be shown.
    pub(crate) conceals: bool,
    pub(crate) code: Option<u8>,
    /// Script of the position, if it is another one than the running one: functions stay from line to line.
    pub(crate) source: Option<Arc<str>>,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, at: usize, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MAX_MESSAGE {
            message.truncate(message.floor_char_boundary(MAX_MESSAGE));
            message.push_str("...");
        }
        Self { kind, at, message, conceals: false, code: None, source: None }
    }

    pub(crate) fn incomplete(at: usize, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Incomplete, at, message)
    }

    pub(crate) fn syntax(at: usize, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Syntax, at, message)
    }

    /// `what` is the subject of a sentence.
    pub(crate) fn unsupported(at: usize, what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Unsupported, at, format!("{what} not supported here"))
    }

    /// Refuses a feature with the form to write instead.
    pub(crate) fn instead(at: usize, what: impl fmt::Display, form: &str) -> Self {
        Self::new(ErrorKind::Unsupported, at, format!("{what} not supported here; write {form}"))
    }

    pub(crate) fn value(at: usize, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Value, at, message)
    }

    pub(crate) fn limit(at: usize, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, at, message)
    }

    /// Converts the offset to line, column and text.
    pub(crate) fn locate(self, script: &str) -> ScriptError {
        let script = self.source.as_deref().unwrap_or(script);
        let at = script.floor_char_boundary(self.at);
        let (before, after) = script.split_at(at);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = if self.conceals { "" } else { after.lines().next().unwrap_or_default() };
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
            code: self.code,
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
