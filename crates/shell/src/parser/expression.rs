//! Parses expressions: conditions, lists, casts, and their operands.

use std::collections::HashSet;

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_dash, is_double_quote, is_line_end, is_name, is_name_start, is_single_quote},
};
use crate::{
    ast::{Expression, ExpressionKind, Link, Pipeline},
    error::Fault,
    number,
    operator::{self, Operator},
    value::Value,
};

impl Parser<'_> {
    /// Parses conditions with `-and` and `-or`. Both have the same precedence, below all comparisons.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.chain(|operator| !matches!(operator, Operator::Compare(_)), Self::comparison)
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        self.chain(|operator| matches!(operator, Operator::Compare(_)), Self::list)
    }

    fn chain(
        &mut self,
        belongs: fn(Operator) -> bool,
        operand: fn(&mut Self) -> Parsed<Expression>,
    ) -> Parsed<Expression> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some((at, operator)) = self.operator(belongs)? {
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

    fn operator(&mut self, belongs: fn(Operator) -> bool) -> Parsed<Option<(usize, Operator)>> {
        let start = self.cursor.clone();
        self.cursor.skip_blanks()?;
        let at = self.cursor.at();
        if self.cursor.next().is_some_and(is_dash) {
            let name = self.cursor.eat_while(is_name);
            if let Some(found) = operator::find(name).filter(|found| belongs(*found)) {
                return Ok(Some((at, found)));
            }
        }
        self.cursor = start;
        Ok(None)
    }

    fn list(&mut self) -> Parsed<Expression> {
        let first = self.unary()?;
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

    fn unary(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some('!') => {
                self.cursor.next();
                self.not(at)
            }
            Some(c) if is_dash(c) => {
                let start = self.cursor.clone();
                self.cursor.next();
                if self.cursor.peek().is_some_and(|c| c.is_ascii_digit() || c == '.') {
                    return self.number(at, true);
                }
                if self.cursor.eat_while(is_name).eq_ignore_ascii_case("not") {
                    return self.not(at);
                }
                self.cursor = start;
                Err(self.unexpected())
            }
            Some('[') => self.bracket(),
            _ => {
                let base = self.primary()?;
                self.steps(base)
            }
        }
    }

    fn not(&mut self, at: usize) -> Parsed<Expression> {
        self.cursor.skip_blanks()?;
        let value = self.nested(Self::unary)?;
        Ok(Expression { at, kind: ExpressionKind::Not(Box::new(value)) })
    }

    /// Parses `[Type]value`, `[Type]::Member` or `[Type]::Method(...)`.
    fn bracket(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        self.cursor.next();
        let name = self.cursor.eat_while(|c| is_name(c) || c == '.');
        let mut type_name = name.to_owned();
        if self.cursor.rest().starts_with("[]") {
            self.cursor.next();
            self.cursor.next();
            type_name.push_str("[]");
        }
        if !name.starts_with(is_name_start) || !self.cursor.eat(']') {
            return Err(if self.cursor.peek().is_none() {
                OpenBracket { at, sign: "[", close: ']' }.never_closed()
            } else {
                Fault::syntax(at, "a type in brackets, such as [string], is expected here")
            });
        }
        if !self.cursor.rest().starts_with("::") {
            self.cursor.skip_blanks()?;
            if self.cursor.peek().is_none_or(|c| is_line_end(c) || matches!(c, ';' | '|' | ')' | '}' | ',')) {
                return Err(Fault::unsupported(at, "a type by itself is"));
            }
            let value = self.nested(Self::unary)?;
            return Ok(Expression { at, kind: ExpressionKind::Cast { type_name, value: Box::new(value) } });
        }
        self.cursor.next();
        self.cursor.next();
        let member = self.cursor.eat_while(is_name).to_owned();
        if member.is_empty() {
            return Err(Fault::syntax(self.cursor.at(), "the name of a method must follow the `::`"));
        }
        let arguments = if self.cursor.peek() == Some('(') { Some(self.call_arguments()?) } else { None };
        self.steps(Expression { at, kind: ExpressionKind::Static { type_name, member, arguments } })
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            None => Err(Fault::incomplete(at, "a value is missing at the end")),
            Some('$') => self.dollar(),
            Some('(') => self.parenthesis(),
            Some('@') => self.at_sign(),
            Some('{') => self.block(),
            Some(c) if is_single_quote(c) || is_double_quote(c) => self.quoted(),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(at, false),
            Some(c) if is_name_start(c) => {
                let rest = self.cursor.rest();
                let word = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
                Err(Fault::syntax(at, format!("text must be in quotes here: '{word}'")))
            }
            Some(_) => Err(self.unexpected()),
        }
    }

    /// Parses digits. A dash before them is already read.
    fn number(&mut self, at: usize, negative: bool) -> Parsed<Expression> {
        let start = self.cursor.at();
        self.cursor.eat_while(|c| c.is_ascii_digit());
        if self.cursor.peek() == Some('.') && self.cursor.peek_second().is_some_and(|c| c.is_ascii_digit()) {
            self.cursor.next();
        }
        self.cursor.eat_while(is_name);
        let digits = self.cursor.since(start);
        let sign = if negative { "-" } else { "" };
        let number = number::parse(&format!("{sign}{digits}")).ok_or_else(|| {
            Fault::syntax(at, format!("`{sign}{digits}` is not a number; text must be in quotes here"))
        })?;
        Ok(Expression { at, kind: ExpressionKind::Literal(Value::Number(number)) })
    }

    /// Parses `@(...)` or `@{...}`, from the `@`.
    pub(super) fn at_sign(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        self.cursor.next();
        match self.cursor.peek() {
            Some('(') => {
                self.cursor.next();
                let opened = OpenBracket { at, sign: "@(", close: ')' };
                let statements = self.nested(|parser| parser.statements(Some(opened)))?;
                Ok(Expression { at, kind: ExpressionKind::Statements { statements, is_list: true } })
            }
            Some('{') => {
                self.cursor.next();
                let table = self.nested(|parser| parser.table(OpenBracket { at, sign: "@{", close: '}' }))?;
                Ok(Expression { at, kind: ExpressionKind::Table(table) })
            }
            Some(c) if is_single_quote(c) || is_double_quote(c) => {
                Err(Fault::unsupported(at, "a here-string (text in @\" and \"@) is"))
            }
            Some(c) if is_name(c) => {
                Err(Fault::unsupported(at, "splatting, which gives the parameters as a table in `@name`, is"))
            }
            _ => Err(Fault::syntax(at, "a `(` or a `{` must follow the `@`, or it must be in quotes")),
        }
    }

    fn table(&mut self, opened: OpenBracket) -> Parsed<Vec<(String, Pipeline)>> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        loop {
            self.skip_separators()?;
            let at = self.cursor.at();
            let name = match self.cursor.peek() {
                None => return Err(opened.never_closed()),
                Some('}') => {
                    self.cursor.next();
                    return Ok(entries);
                }
                Some(c) if is_single_quote(c) || is_double_quote(c) => match self.quoted()?.kind {
                    ExpressionKind::Literal(Value::Text(name)) => name,
                    _ => return Err(Fault::unsupported(at, "a variable in the name of an entry is")),
                },
                Some(c) if is_name(c) => self.cursor.eat_while(is_name).to_owned(),
                Some(_) => {
                    return Err(Fault::syntax(
                        at,
                        "the name of an entry is expected here: @{ name = value }",
                    ));
                }
            };
            if !seen.insert(name.to_lowercase()) {
                return Err(Fault::syntax(at, format!("the entry {name} occurs twice")));
            }
            self.cursor.skip_blanks()?;
            if !self.cursor.eat('=') {
                return Err(match self.cursor.peek() {
                    None => opened.never_closed(),
                    Some(_) => Fault::syntax(self.cursor.at(), format!("an `=` must follow the name {name}")),
                });
            }
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(opened.never_closed());
            }
            self.refuse_statement()?;
            entries.push((name, self.pipeline()?));
            self.cursor.skip_blanks()?;
            if self.cursor.peek().is_some_and(|c| !is_line_end(c) && c != ';' && c != '}') {
                return Err(self.unexpected());
            }
        }
    }

    /// Parses `{ statements }`.
    pub(super) fn block(&mut self) -> Parsed<Expression> {
        let opened = OpenBracket { at: self.cursor.at(), sign: "{", close: '}' };
        self.cursor.next();
        let statements = self.nested(|parser| parser.statements(Some(opened)))?;
        Ok(Expression { at: opened.at, kind: ExpressionKind::Block(statements) })
    }
}
