//! Refuses PowerShell that this language does not support, by name, and text that is no PowerShell.

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_dash, is_double_quote, is_line_end, is_name, is_single_quote},
};
use crate::{error::Fault, operator};

/// Statements of PowerShell that are left out, with the form to write instead.
const LEFT_OUT: [(&str, &str); 19] = [
    ("trap", "`try { ... } catch { ... }`"),
    ("class", "`[pscustomobject]@{ ... }`"),
    ("enum", "the values as text"),
    ("using", "the full name of the type"),
    ("data", "`$name = @{ ... }`"),
    ("workflow", "`function`"),
    ("configuration", "`function`"),
    ("parallel", "the statements one after another"),
    ("sequence", "the statements one after another"),
    ("inlinescript", "the statements themselves"),
    ("dynamicparam", "`param(...)`"),
    ("elseif", "it directly after the `}` of an `if`"),
    ("else", "it directly after the `}` of an `if`"),
    ("until", "it directly after the `}` of a `do`"),
    ("catch", "it directly after the `}` of a `try`"),
    ("finally", "it directly after the `}` of a `try`"),
    ("param", "it at the beginning of the script, function or block"),
    ("begin", "`begin`, `process` and `end` alone in the braces of a function"),
    ("process", "`begin`, `process` and `end` alone in the braces of a function"),
];

impl Parser<'_> {
    /// Refuses the beginning of an unsupported statement. What is in its braces is read, so that none of it runs.
    pub(super) fn refuse_statement(&mut self) -> Parsed<()> {
        let at = self.cursor.at();
        let word = self.word_ahead();
        if let Some((word, form)) = LEFT_OUT.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
            let fault = Fault::instead(at, format!("the statement `{word}` in this place is"), form);
            self.cursor.eat_while(is_name);
            self.skip_refused_block()?;
            return Err(fault);
        }
        self.refuse_stage()
    }

    /// Reads up to the end of the braces of a refused statement.
    fn skip_refused_block(&mut self) -> Parsed<()> {
        self.cursor.eat_while(|c| !is_line_end(c) && c != '{' && c != ';');
        if self.cursor.peek() != Some('{') {
            return Ok(());
        }
        let opened = OpenBracket { at: self.cursor.at(), sign: "{", close: '}' };
        let mut depth = 0_usize;
        while let Some(c) = self.cursor.peek() {
            match c {
                c if is_single_quote(c) || is_double_quote(c) => self.skip_quoted()?,
                '#' => {
                    self.cursor.eat_while(|c| !is_line_end(c));
                }
                c => {
                    self.cursor.next();
                    depth = match c {
                        '{' => depth + 1,
                        '}' => depth.saturating_sub(1),
                        _ => depth,
                    };
                    if c == '}' && depth == 0 {
                        return Ok(());
                    }
                }
            }
        }
        Err(opened.never_closed())
    }

    fn skip_quoted(&mut self) -> Parsed<()> {
        let at = self.cursor.at();
        let quote = self.cursor.next().unwrap_or_default();
        loop {
            match self.cursor.next() {
                None => return Err(Fault::incomplete(at, "the quote that opens here is never closed")),
                Some('`') if is_double_quote(quote) => {
                    self.cursor.next();
                }
                Some(c) if c == quote => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// Refuses a date without quotes, which would be arithmetic: `2026-01-31`.
    pub(super) fn refuse_bare_date(&self) -> Parsed<()> {
        let rest = self.cursor.rest();
        let mut parts = rest.splitn(3, |c: char| !c.is_ascii_digit());
        let is_date = rest.starts_with(['-', '/'])
            && parts.next() == Some("")
            && parts.next().is_some_and(|part| (1..=2).contains(&part.len()))
            && rest[1..].find(['-', '/']).is_some_and(|at| at <= 2)
            && parts.next().is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        if is_date {
            let message = "a date must be in quotes: '2026-12-31'; without them this is arithmetic";
            return Err(Fault::syntax(self.cursor.at(), message));
        }
        Ok(())
    }

    /// Refuses the beginning of an unsupported stage of a pipeline.
    pub(super) fn refuse_stage(&self) -> Parsed<()> {
        let starts = self.cursor.peek();
        if starts.is_some_and(|c| {
            matches!(c, '<' | '>' | '|' | ')' | '}' | ']' | '=')
                || (c == '&' && self.cursor.peek_second() == Some('&'))
        }) {
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
            '&' if second == Some('&') => Fault::instead(at, "`&&` is", "`A; if ($?) { B }`"),
            '&' => Fault::unsupported(at, "`&` after a command (running it in the background) is"),
            '|' if second == Some('|') => Fault::instead(at, "`||` is", "`A; if (!$?) { B }`"),
            '|' => Fault::syntax(at, "there is no command before this `|`"),
            '<' => placeholder(at, rest),
            '>' => Fault::syntax(at, "there is no command before this `>`"),
            ')' | '}' | ']' => Fault::syntax(at, format!("this `{next}` closes nothing")),
            '=' => Fault::unsupported(
                at,
                "setting anything but a variable, its properties and elements with `=` is",
            ),
            '+' | '*' | '/' | '%' => Fault::syntax(at, format!("there is no value before this `{next}`")),
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
            return Fault::syntax(
                at,
                "a value is missing beside this dash; text with a dash must be in quotes",
            );
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
