//! Refuses PowerShell that this language does not support, by name, and text that is no PowerShell.

use super::{
    Parsed, Parser,
    cursor::{is_dash, is_name},
};
use crate::{error::Fault, operator};

/// Statements of PowerShell. `foreach` after a pipe is a command.
const KEYWORDS: [&str; 29] = [
    "if",
    "elseif",
    "else",
    "foreach",
    "for",
    "while",
    "do",
    "until",
    "switch",
    "function",
    "filter",
    "return",
    "break",
    "continue",
    "try",
    "catch",
    "finally",
    "throw",
    "trap",
    "param",
    "begin",
    "process",
    "end",
    "class",
    "enum",
    "using",
    "data",
    "workflow",
    "configuration",
];

impl Parser<'_> {
    /// Refuses the beginning of an unsupported statement.
    pub(super) fn refuse_statement(&self) -> Parsed<()> {
        let at = self.cursor.at();
        let rest = self.cursor.rest();
        let word = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
        let ends = !rest[word.len()..].starts_with(|c: char| is_dash(c) || matches!(c, '.' | ':' | '\\'));
        if ends && KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)) {
            return Err(Fault::unsupported(at, format!("the statement `{word}` of PowerShell is")));
        }
        if rest.starts_with('.') && rest[1..].starts_with(char::is_whitespace) {
            return Err(Fault::unsupported(at, "running a script file with `.` is"));
        }
        self.refuse_stage()
    }

    /// Refuses the beginning of an unsupported stage of a pipeline.
    pub(super) fn refuse_stage(&self) -> Parsed<()> {
        let starts = self.cursor.peek();
        if starts.is_some_and(|c| matches!(c, '&' | '<' | '>' | '|' | ')' | '}' | ']' | '=')) {
            return Err(self.unexpected());
        }
        Ok(())
    }

    /// Returns the error for the next character.
    pub(super) fn unexpected(&self) -> Fault {
        let at = self.cursor.at();
        let rest = self.cursor.rest();
        let Some(next) = self.cursor.peek() else {
            return Fault::incomplete(at, "something is missing at the end");
        };
        let second = self.cursor.peek_second();
        match next {
            '&' if second == Some('&') => Fault::unsupported(at, "`&&` is"),
            '&' => Fault::unsupported(at, "`&` (running a command in a variable, or in the background) is"),
            '|' if second == Some('|') => Fault::unsupported(at, "`||` is"),
            '|' => Fault::syntax(at, "there is no command before this `|`"),
            '<' => placeholder(at, rest),
            '>' => Fault::unsupported(at, "redirection to a file is"),
            ')' | '}' | ']' => Fault::syntax(at, format!("this `{next}` closes nothing")),
            '=' => Fault::unsupported(at, "setting anything but a variable with `=` is"),
            '+' | '*' | '/' | '%' => Fault::unsupported(at, "arithmetic is"),
            '.' if second == Some('.') => Fault::unsupported(at, "a range with `..` is"),
            ',' => Fault::syntax(at, "there is no value before this comma"),
            '"' | '\'' => {
                Fault::syntax(at, "this quote follows something that is complete; is a blank missing?")
            }
            '?' => Fault::unsupported(at, "the operator `?` is"),
            dash if is_dash(dash) => self.unexpected_dash(at),
            _ => Fault::syntax(at, format!("`{next}` is not expected here")),
        }
    }

    fn unexpected_dash(&self, at: usize) -> Fault {
        let rest = &self.cursor.rest()[self.cursor.peek().map_or(0, char::len_utf8)..];
        let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with('-') {
            let what = "arithmetic (text with a dash, such as a date, must be in quotes) is";
            return Fault::unsupported(at, what);
        }
        if operator::is_left_out(name) {
            return Fault::unsupported(at, format!("the operator -{name} is"));
        }
        if operator::find(name).is_some() {
            return Fault::syntax(at, format!("there is no value before -{name}"));
        }
        Fault::syntax(
            at,
            format!(
                "-{name} has no command before it; if this line belongs to the one before, that one must end with a \
                 backtick"
            ),
        )
    }
}

/// `<FQDN of IMAP server>` of the documentation.
fn placeholder(at: usize, rest: &str) -> Fault {
    let line = rest.lines().next().unwrap_or_default();
    match line.split_once('>') {
        Some((inside, _)) if !inside[1..].is_empty() => {
            Fault::syntax(at, format!("`{inside}>` is a placeholder; write the value itself in its place"))
        }
        _ => Fault::unsupported(at, "`<` is"),
    }
}
