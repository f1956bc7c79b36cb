//! Parses redirections: `> file`, `2>> file`, `2>$null`, `2>&1`, `*> file`.

use super::{Parsed, Parser, cursor::ends_word};
use crate::{
    ast::{Redirection, Stream},
    error::Fault,
};

impl Parser<'_> {
    /// Parses the redirections after a stage.
    pub(super) fn redirections(&mut self) -> Parsed<Vec<Redirection>> {
        let mut found = Vec::new();
        loop {
            let start = self.cursor.clone();
            self.cursor.skip_blanks()?;
            if !self.is_redirection() {
                self.cursor = start;
                return Ok(found);
            }
            found.push(self.redirection()?);
        }
    }

    /// True if `>`, `2>` or `*>` follows.
    pub(super) fn is_redirection(&self) -> bool {
        let rest = self.cursor.rest();
        rest.starts_with('>') || rest.starts_with("*>") || {
            let mut start = rest.chars();
            start.next().is_some_and(|c| ('1'..='6').contains(&c)) && start.next() == Some('>')
        }
    }

    fn redirection(&mut self) -> Parsed<Redirection> {
        let at = self.cursor.at();
        let stream = match self.cursor.peek() {
            Some('>') => Stream::Output,
            sign => {
                self.cursor.next();
                match sign {
                    Some('*') => Stream::All,
                    Some('1') => Stream::Output,
                    Some('2') => Stream::Errors,
                    _ => Stream::Other,
                }
            }
        };
        self.cursor.next();
        let appends = self.cursor.eat('>');
        if self.cursor.eat('&') {
            if !self.cursor.eat('1') {
                return Err(Fault::syntax(at, "only `2>&1` and its like are known"));
            }
            return Ok(Redirection { at, stream, appends, target: None });
        }
        self.cursor.skip_blanks()?;
        match self.cursor.peek() {
            None => Err(Fault::incomplete(at, "the name of a file must follow the `>`")),
            Some(c) if ends_word(c) && c != '(' => {
                Err(Fault::syntax(at, "the name of a file must follow the `>`"))
            }
            Some(_) => Ok(Redirection { at, stream, appends, target: Some(self.value()?) }),
        }
    }
}
