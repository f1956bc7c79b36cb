//! Position in a text. Skips blanks, comments and continued lines.

use super::Parsed;
use crate::error::Fault;

#[derive(Clone)]
pub(super) struct Cursor<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        // A byte order mark is not part of the script.
        let at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        Self { text, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    pub(super) fn since(&self, start: usize) -> &'s str {
        &self.text[start..self.at]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    pub(super) fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Goes back by bytes that were just read.
    pub(super) fn back(&mut self, length: usize) {
        self.at = self.at.saturating_sub(length);
    }

    /// Skips `PS C:\\>`, `[PS] C:\\>` or `>>` of a prompt, which people copy with the line.
    pub(super) fn skip_prompt(&mut self) {
        let rest = self.rest();
        let line = &rest[..rest.find(is_line_end).unwrap_or(rest.len())];
        let prompt = line
            .strip_prefix("PS ")
            .or_else(|| line.strip_prefix("[PS] "))
            .or_else(|| line.strip_prefix("PS>").map(|_| &line[2..]));
        let length = match prompt {
            Some(after) => match after.find('>') {
                Some(end)
                    if after[..end].is_empty()
                        || after.starts_with(['~', '/'])
                        || after[1..].starts_with(':') =>
                {
                    line.len() - after.len() + end + 1
                }
                _ => return,
            },
            None if line.starts_with(">> ") => 2,
            None => return,
        };
        self.at += length;
        self.eat_while(|c| is_blank(c) || c == '>');
    }

    /// Skips blanks, comments, and line ends after a backtick.
    pub(super) fn skip_blanks(&mut self) -> Parsed<()> {
        loop {
            self.eat_while(is_blank);
            match self.peek() {
                Some('#') => {
                    self.eat_while(|c| !is_line_end(c));
                }
                Some('<') if self.peek_second() == Some('#') => self.skip_block_comment()?,
                Some('`') if self.peek_second().is_none_or(|c| is_blank(c) || is_line_end(c)) => {
                    self.skip_continuation()?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Skips the same, and line ends.
    pub(super) fn skip_lines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks()?;
            if self.eat_while(is_line_end).is_empty() {
                return Ok(());
            }
        }
    }

    fn skip_block_comment(&mut self) -> Parsed<()> {
        let length = self.rest().find("#>").ok_or_else(|| {
            Fault::incomplete(self.at, "the comment that begins here with `<#` is never closed with `#>`")
        })?;
        self.at += length + 2;
        Ok(())
    }

    fn skip_continuation(&mut self) -> Parsed<()> {
        let start = self.at;
        self.next();
        let blanks = self.eat_while(is_blank);
        match self.peek() {
            None if blanks.is_empty() => {
                Err(Fault::incomplete(start, "the backtick continues the line, but no line follows"))
            }
            _ if !blanks.is_empty() => Err(Fault::syntax(
                start,
                "a blank follows the backtick; a line continues only if the backtick is its last character",
            )),
            _ => {
                if self.next() == Some('\r') {
                    self.eat('\n');
                }
                Ok(())
            }
        }
    }
}

pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Includes no-break spaces, which occur in text that was copied from a web page.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() && !is_line_end(c)
}

/// PowerShell also accepts the dashes of word processors.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

/// PowerShell also accepts the quotes of word processors.
pub(super) fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}')
}

pub(super) fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}')
}

pub(super) fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// True if an unquoted word ends before this character.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ';' | '|' | '&' | '(' | ')' | '{' | '}' | ',' | '<' | '>')
}
