//! Parses here-strings: text in lines between `@"` and `"@`, or `@'` and `'@`.

use super::{
    Parsed, Parser,
    cursor::{is_double_quote, is_line_end, is_single_quote},
    text::Parts,
};
use crate::{ast::Expression, error::Fault};

impl Parser<'_> {
    /// Parses a here-string, from the quote after the `@`.
    pub(super) fn here_string(&mut self, at: usize) -> Parsed<Expression> {
        let is_double = self.cursor.next().is_some_and(is_double_quote);
        self.cursor.eat_while(|c| c.is_whitespace() && !is_line_end(c));
        if self.cursor.peek().is_none() {
            return Err(never_closed(at));
        }
        if !self.eat_line_end() {
            return Err(Fault::syntax(at, "the text of a here-string begins on the next line"));
        }
        let mut parts = Parts::default();
        let mut pending = String::new();
        let mut is_line_start = true;
        loop {
            if is_line_start && self.eat_end(is_double) {
                return Ok(Expression { at, kind: parts.finish() });
            }
            // A line end belongs to the text only if it is not the last one.
            pending.drain(..).for_each(|c| parts.push(c));
            is_line_start = false;
            match self.cursor.peek().ok_or_else(|| never_closed(at))? {
                '$' if is_double => self.dollar_into(&mut parts)?,
                '`' if is_double => {
                    self.cursor.next();
                    let escaped = self.cursor.next().ok_or_else(|| never_closed(at))?;
                    self.escape(escaped, &mut parts)?;
                }
                c if is_line_end(c) => {
                    self.eat_line_end();
                    pending.push('\n');
                    is_line_start = true;
                }
                c => {
                    self.cursor.next();
                    parts.push(c);
                }
            }
        }
    }

    fn eat_line_end(&mut self) -> bool {
        if self.cursor.eat('\r') {
            self.cursor.eat('\n');
            return true;
        }
        self.cursor.eat('\n')
    }

    fn eat_end(&mut self, is_double: bool) -> bool {
        let is_quote = if is_double { is_double_quote } else { is_single_quote };
        let ends = self.cursor.peek().is_some_and(is_quote) && self.cursor.peek_second() == Some('@');
        if ends {
            self.cursor.next();
            self.cursor.next();
        }
        ends
    }
}

fn never_closed(at: usize) -> Fault {
    Fault::incomplete(
        at,
        "this here-string is never closed; its end, `\"@` or `'@`, must be at the beginning of a line",
    )
}
