//! Parses properties, methods and indexes, which follow a value without a blank.

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_double_quote, is_name, is_name_start, is_single_quote},
};
use crate::{
    ast::{Expression, ExpressionKind, Step, StepKind},
    error::Fault,
};

impl Parser<'_> {
    pub(super) fn steps(&mut self, base: Expression) -> Parsed<Expression> {
        let mut steps = Vec::new();
        loop {
            let at = self.cursor.at();
            let kind = match (self.cursor.peek(), self.cursor.peek_second()) {
                (Some('.'), Some(c)) if is_name_start(c) => {
                    self.cursor.next();
                    let name = self.cursor.eat_while(is_name).to_owned();
                    if self.cursor.peek() == Some('(') {
                        StepKind::Call(name, self.call_arguments()?)
                    } else {
                        StepKind::Member(name)
                    }
                }
                (Some('.'), Some(c))
                    if matches!(c, '$' | '(') || is_single_quote(c) || is_double_quote(c) =>
                {
                    self.cursor.next();
                    StepKind::Computed(self.nested(Self::primary)?)
                }
                (Some('['), _) => {
                    let opened = OpenBracket { at, sign: "[", close: ']' };
                    self.cursor.next();
                    self.cursor.skip_lines()?;
                    let index = self.nested(Self::expression)?;
                    self.close(opened)?;
                    StepKind::Index(index)
                }
                (Some(':'), Some(':')) => {
                    return Err(Fault::unsupported(at, "`::` after anything but a type in brackets is"));
                }
                _ => break,
            };
            steps.push(Step { at, kind });
        }
        if steps.is_empty() {
            return Ok(base);
        }
        Ok(Expression { at: base.at, kind: ExpressionKind::Path { base: Box::new(base), steps } })
    }

    /// Parses `(a, b)` of a method, from the opening sign.
    pub(super) fn call_arguments(&mut self) -> Parsed<Vec<Expression>> {
        let opened = OpenBracket { at: self.cursor.at(), sign: "(", close: ')' };
        self.cursor.next();
        let mut arguments = Vec::new();
        self.nested(|parser| {
            loop {
                parser.cursor.skip_lines()?;
                match parser.cursor.peek() {
                    None => return Err(opened.never_closed()),
                    Some(')') if arguments.is_empty() => break,
                    Some(_) => {}
                }
                parser.has_commas = false;
                arguments.push(parser.expression()?);
                parser.cursor.skip_lines()?;
                if !parser.cursor.eat(',') {
                    break;
                }
            }
            Ok(())
        })?;
        self.close(opened)?;
        Ok(arguments)
    }
}
