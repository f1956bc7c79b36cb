//! Parses operands: signs before values, types in brackets, numbers, lists and tables.

use std::collections::HashSet;

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_blank, is_dash, is_double_quote, is_line_end, is_name, is_name_start, is_single_quote},
};
use crate::{
    ast::{Expression, ExpressionKind, Statement, Unary},
    error::Fault,
    number,
    value::Value,
};

impl Parser<'_> {
    pub(super) fn unary(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some('!') => self.unary_of(at, Unary::Not),
            Some(',') => self.unary_of(at, Unary::List),
            Some('+') if self.cursor.rest().starts_with("++") => self.increment_before(at),
            Some('+') => self.unary_of(at, Unary::Plus),
            Some(c) if is_dash(c) => self.dash(at),
            Some('[') => self.bracket(),
            _ => {
                let base = self.primary()?;
                let value = self.steps(base)?;
                self.increment(value)
            }
        }
    }

    /// Parses what begins with a dash: `-5`, `-not`, `-join`, `--$x`.
    fn dash(&mut self, at: usize) -> Parsed<Expression> {
        let start = self.cursor.clone();
        self.cursor.next();
        match self.cursor.peek() {
            Some(c) if c.is_ascii_digit() || c == '.' => return self.number(at, true),
            Some(c) if is_dash(c) && self.cursor.peek_second() == Some('$') => {
                self.cursor = start;
                return self.increment_before(at);
            }
            Some('$' | '(') => {
                self.cursor = start;
                return self.unary_of(at, Unary::Minus);
            }
            _ => {}
        }
        let operator = match self.cursor.eat_while(is_name).to_ascii_lowercase().as_str() {
            "not" => Unary::Not,
            "join" => Unary::Join,
            "split" => Unary::Split,
            _ => {
                self.cursor = start;
                return Err(self.unexpected());
            }
        };
        self.operand_of(at, operator)
    }

    fn unary_of(&mut self, at: usize, operator: Unary) -> Parsed<Expression> {
        self.cursor.next();
        self.operand_of(at, operator)
    }

    fn operand_of(&mut self, at: usize, operator: Unary) -> Parsed<Expression> {
        self.cursor.skip_blanks()?;
        let value = self.nested(Self::unary)?;
        Ok(Expression { at, kind: ExpressionKind::Unary { operator, value: Box::new(value) } })
    }

    /// Parses `[Name]`, `[Name[]]` or `[Name[Of]]`. Returns the name.
    pub(super) fn type_in_brackets(&mut self) -> Parsed<String> {
        let at = self.cursor.at();
        self.cursor.next();
        let start = self.cursor.at();
        let (mut depth, is_start) = (1, self.cursor.peek().is_some_and(is_name_start));
        while let Some(c) = self.cursor.peek() {
            match c {
                '[' if depth < 4 => depth += 1,
                ']' => depth -= 1,
                c if is_name(c) || matches!(c, '.' | ',' | ' ' | '+') => {}
                _ => return Err(Fault::syntax(at, "a type in brackets, such as [string], is expected here")),
            }
            if depth == 0 {
                break;
            }
            self.cursor.next();
        }
        if self.cursor.peek().is_none() {
            return Err(OpenBracket { at, sign: "[", close: ']' }.never_closed());
        }
        let name = self.cursor.since(start).to_owned();
        self.cursor.next();
        if is_start {
            Ok(name)
        } else {
            Err(Fault::syntax(at, "a type in brackets, such as [string], is expected here"))
        }
    }

    /// Parses `[Type]value`, `[Type]::Member` or `[Type]::Method(...)`.
    fn bracket(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        let type_name = self.type_in_brackets()?;
        if !self.cursor.rest().starts_with("::") {
            self.cursor.skip_blanks()?;
            let ends =
                |c| is_line_end(c) || is_blank(c) || matches!(c, ';' | '|' | ')' | '}' | ',' | '=' | ']');
            if self.cursor.peek().is_none_or(ends)
                || (self.cursor.peek().is_some_and(is_dash)
                    && self.cursor.peek_second().is_some_and(is_name_start))
            {
                return Ok(Expression { at, kind: ExpressionKind::Type(type_name) });
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

    pub(super) fn primary(&mut self) -> Parsed<Expression> {
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
        self.refuse_bare_date()?;
        Ok(Expression { at, kind: ExpressionKind::Literal(Value::Number(number)) })
    }

    /// Parses `@(...)`, `@{...}` or a here-string, from the `@`.
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
            Some(c) if is_single_quote(c) || is_double_quote(c) => self.here_string(at),
            Some(c) if is_name(c) => Err(Fault::syntax(
                at,
                "`@name` gives a table as the parameters of a command, and is no value; write $name",
            )),
            _ => Err(Fault::syntax(at, "a `(` or a `{` must follow the `@`, or it must be in quotes")),
        }
    }

    fn table(&mut self, opened: OpenBracket) -> Parsed<Vec<(Expression, Statement)>> {
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
                Some('$' | '(') => {
                    let base = self.primary()?;
                    self.steps(base)?
                }
                Some(c) if is_single_quote(c) || is_double_quote(c) => self.quoted()?,
                Some(c) if is_name(c) => {
                    let name = self.cursor.eat_while(is_name).to_owned();
                    Expression { at, kind: ExpressionKind::Literal(Value::Text(name)) }
                }
                Some(_) => {
                    return Err(Fault::syntax(
                        at,
                        "the name of an entry is expected here: @{ name = value }",
                    ));
                }
            };
            let shown = match &name.kind {
                ExpressionKind::Literal(Value::Text(name)) => name.clone(),
                _ => String::new(),
            };
            if !shown.is_empty() && !seen.insert(shown.to_lowercase()) {
                return Err(Fault::syntax(at, format!("the entry {shown} occurs twice")));
            }
            self.cursor.skip_blanks()?;
            if !self.cursor.eat('=') {
                return Err(match self.cursor.peek() {
                    None => opened.never_closed(),
                    Some(_) => {
                        Fault::syntax(self.cursor.at(), format!("an `=` must follow the name {shown}"))
                    }
                });
            }
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(opened.never_closed());
            }
            entries.push((name, self.statement()?));
            self.cursor.skip_blanks()?;
            if self.cursor.peek().is_some_and(|c| !is_line_end(c) && c != ';' && c != '}') {
                return Err(self.unexpected());
            }
        }
    }
}
