//! Parses operators between operands, by their precedence.

use super::{
    Parsed, Parser,
    cursor::{is_dash, is_name},
};
use crate::{
    ast::{Expression, ExpressionKind, Link},
    error::Fault,
    operator::{self, Level, Operator},
};

impl Parser<'_> {
    /// Parses an expression. `-and` and `-or` have the same precedence, below all others.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.chain(Level::Logical, |parser| {
            parser.chain(Level::Comparison, |parser| {
                parser.chain(Level::Additive, |parser| {
                    parser.chain(Level::Multiplicative, |parser| {
                        parser.chain(Level::Format, |parser| parser.chain(Level::Range, Self::list))
                    })
                })
            })
        })
    }

    fn chain(&mut self, level: Level, operand: fn(&mut Self) -> Parsed<Expression>) -> Parsed<Expression> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some((at, operator)) = self.operator(level)? {
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(Fault::incomplete(at, "a value must follow this operator"));
            }
            rest.push(Link { at, operator, value: operand(self)? });
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expression { at: first.at, kind: ExpressionKind::Chain { first: Box::new(first), rest } })
    }

    fn operator(&mut self, level: Level) -> Parsed<Option<(usize, Operator)>> {
        let start = self.cursor.clone();
        self.cursor.skip_blanks()?;
        let at = self.cursor.at();
        let found = self.any_operator().filter(|found| found.level() == level);
        if found.is_none() {
            self.cursor = start;
        }
        Ok(found.map(|found| (at, found)))
    }

    fn any_operator(&mut self) -> Option<Operator> {
        let sign = self.cursor.next()?;
        if sign == '.' {
            return if self.cursor.eat('.') { Some(Operator::Range) } else { None };
        }
        if is_dash(sign) {
            let name = self.cursor.eat_while(is_name);
            if let Some(found) = operator::find(name) {
                return Some(found);
            }
            if !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            if !name.is_empty() {
                // The digits of `5-3` belong to the next operand.
                self.cursor.back(name.len());
            }
        }
        let found = operator::sign(sign)?;
        // `+=` and `++` are no operators between values.
        match self.cursor.peek() {
            Some('=') => None,
            Some(second) if second == sign => None,
            _ => Some(found),
        }
    }

    fn list(&mut self) -> Parsed<Expression> {
        let first = self.unary()?;
        if !self.has_commas {
            return Ok(first);
        }
        let at = first.at;
        let mut values = vec![first];
        loop {
            let end = self.cursor.clone();
            self.cursor.skip_blanks()?;
            let comma = self.cursor.at();
            if !self.cursor.eat(',') {
                self.cursor = end;
                break;
            }
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(Fault::incomplete(comma, "a value must follow this comma"));
            }
            values.push(self.unary()?);
        }
        let one = if values.len() == 1 { values.pop() } else { None };
        Ok(one.unwrap_or(Expression { at, kind: ExpressionKind::List(values) }))
    }
}
