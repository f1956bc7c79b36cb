//! Parses quoted text with its variables.

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_double_quote, is_line_end, is_name, is_name_start, is_single_quote},
};
use crate::{
    ast::{Expression, ExpressionKind, Part, Scope},
    error::Fault,
    value::Value,
};

/// Collects the parts of a text.
#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
    literal: String,
}

impl Parts {
    pub(super) fn push(&mut self, c: char) {
        self.literal.push(c);
    }

    pub(super) fn push_value(&mut self, value: Expression) {
        self.end_literal();
        self.parts.push(Part::Value(value));
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal)));
        }
    }

    pub(super) fn finish(mut self) -> ExpressionKind {
        if self.parts.is_empty() {
            return ExpressionKind::Literal(Value::Text(self.literal));
        }
        self.end_literal();
        ExpressionKind::Text(self.parts)
    }
}

impl Parser<'_> {
    /// Parses a quoted text, from the opening quote.
    pub(super) fn quoted(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        let mut parts = Parts::default();
        self.quoted_into(&mut parts)?;
        Ok(Expression { at, kind: parts.finish() })
    }

    pub(super) fn quoted_into(&mut self, parts: &mut Parts) -> Parsed<()> {
        let at = self.cursor.at();
        if self.cursor.next().is_some_and(is_double_quote) {
            return self.double_quoted(at, parts);
        }
        loop {
            match self.cursor.next() {
                None => {
                    return Err(Fault::incomplete(at, "the single quote that opens here is never closed"));
                }
                Some(c) if is_single_quote(c) => match self.cursor.peek() {
                    Some(second) if is_single_quote(second) => {
                        self.cursor.next();
                        parts.push(second);
                    }
                    _ => return Ok(()),
                },
                Some(c) => parts.push(c),
            }
        }
    }

    fn double_quoted(&mut self, at: usize, parts: &mut Parts) -> Parsed<()> {
        let never_closed = || Fault::incomplete(at, "the double quote that opens here is never closed");
        loop {
            match self.cursor.peek().ok_or_else(never_closed)? {
                '`' => {
                    self.cursor.next();
                    let escaped = self.cursor.next().ok_or_else(never_closed)?;
                    self.escape(escaped, parts)?;
                }
                '$' => self.dollar_into(parts)?,
                c => {
                    self.cursor.next();
                    if !is_double_quote(c) {
                        parts.push(c);
                    } else if self.cursor.peek().is_some_and(is_double_quote) {
                        parts.push(c);
                        self.cursor.next();
                    } else {
                        return Ok(());
                    }
                }
            }
        }
    }

    pub(super) fn escape(&mut self, escaped: char, parts: &mut Parts) -> Parsed<()> {
        match escaped {
            'n' => parts.push('\n'),
            't' => parts.push('\t'),
            'r' => parts.push('\r'),
            '0' => parts.push('\0'),
            'u' if self.cursor.peek() == Some('{') => {
                return Err(Fault::unsupported(self.cursor.at() - 2, "the escape `u{...} is"));
            }
            // A backtick at the end of a line removes the line end, inside quotes too.
            c if is_line_end(c) => {
                if c == '\r' {
                    self.cursor.eat('\n');
                }
            }
            c => parts.push(c),
        }
        Ok(())
    }

    /// Parses a `$` inside a text: only the variable, never a property, which needs `$(...)`.
    pub(super) fn dollar_into(&mut self, parts: &mut Parts) -> Parsed<()> {
        match self.cursor.peek_second() {
            Some(c) if matches!(c, '(' | '{' | '?') || is_name(c) => {
                let value = self.dollar()?;
                parts.push_value(value);
            }
            _ => {
                self.cursor.next();
                parts.push('$');
            }
        }
        Ok(())
    }

    /// Parses a variable or `$(...)`, from the `$`, without later steps.
    pub(super) fn dollar(&mut self) -> Parsed<Expression> {
        let at = self.cursor.at();
        self.cursor.next();
        let kind = match self.cursor.peek() {
            Some('(') => {
                self.cursor.next();
                let opened = OpenBracket { at, sign: "$(", close: ')' };
                let statements = self.nested(|parser| parser.statements(Some(opened)))?;
                ExpressionKind::Statements { statements, is_list: false }
            }
            Some('{') => {
                self.cursor.next();
                let name = self.cursor.eat_while(|c| c != '}' && !is_line_end(c));
                if !self.cursor.eat('}') {
                    return Err(OpenBracket { at, sign: "${", close: '}' }.never_closed());
                }
                match name.split_once(':') {
                    Some((scope, name)) => variable(at, Some(scope), name)?,
                    None => variable(at, None, name)?,
                }
            }
            Some('?') => {
                self.cursor.next();
                ExpressionKind::Variable { scope: Scope::Nearest, name: "?".to_owned() }
            }
            Some(c) if is_name(c) => {
                let name = self.cursor.eat_while(is_name);
                let scoped =
                    self.cursor.peek() == Some(':') && self.cursor.peek_second().is_some_and(is_name_start);
                if scoped {
                    self.cursor.next();
                    let inner = self.cursor.eat_while(is_name);
                    variable(at, Some(name), inner)?
                } else {
                    variable(at, None, name)?
                }
            }
            Some(c @ ('$' | '^')) => {
                return Err(Fault::unsupported(at, format!("the variable `${c}` is")));
            }
            _ => return Err(Fault::syntax(at, "the name of a variable must follow the `$`")),
        };
        Ok(Expression { at, kind })
    }
}

fn variable(at: usize, scope: Option<&str>, name: &str) -> Parsed<ExpressionKind> {
    if name.is_empty()
        || !name.chars().all(|c| is_name(c) || c == '-' || c == ' ' || c == '.' || c == '(' || c == ')')
    {
        return Err(Fault::unsupported(at, format!("the name `{name}` of a variable is")));
    }
    let scope = match scope.map(str::to_ascii_lowercase).as_deref() {
        None | Some("local" | "private" | "using" | "variable") => Scope::Nearest,
        Some("script" | "global") => Scope::Outermost,
        Some("env") => Scope::Environment,
        Some(other) => {
            return Err(Fault::unsupported(
                at,
                format!(
                    "a variable with the scope or drive `{other}:` is (in a text write ${{{other}}}: where the colon is text); this is"
                ),
            ));
        }
    };
    if scope != Scope::Nearest {
        return Ok(ExpressionKind::Variable { scope, name: name.to_owned() });
    }
    Ok(match name.to_ascii_lowercase().as_str() {
        "true" => ExpressionKind::Literal(Value::Bool(true)),
        "false" => ExpressionKind::Literal(Value::Bool(false)),
        "null" => ExpressionKind::Literal(Value::Null),
        "_" | "psitem" => ExpressionKind::Current,
        _ => ExpressionKind::Variable { scope, name: name.to_owned() },
    })
}
