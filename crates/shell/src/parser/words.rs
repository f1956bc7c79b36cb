//! Parses the arguments of a command: parameters and values, mostly without quotes.

use super::{
    Parsed, Parser,
    cursor::{
        ends_word, is_blank, is_dash, is_double_quote, is_line_end, is_name, is_name_start, is_single_quote,
    },
    text::Parts,
};
use crate::{
    ast::{Expression, ExpressionKind, Word, WordKind},
    error::Fault,
    number,
    value::Value,
};

impl Parser<'_> {
    pub(super) fn command_name(&mut self) -> Parsed<String> {
        let at = self.cursor.at();
        match self.bare_word()? {
            ExpressionKind::Literal(Value::Text(name)) if !name.is_empty() => Ok(name),
            ExpressionKind::Literal(_) => Err(self.unexpected()),
            _ => Err(Fault::instead(at, "a command whose name is in a variable is", "`& $name`")),
        }
    }

    /// Parses parameters and values up to the end of the command.
    pub(super) fn words(&mut self) -> Parsed<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.cursor.skip_blanks()?;
            let at = self.cursor.at();
            let second = self.cursor.peek_second();
            if self.is_redirection() {
                return Ok(words);
            }
            let kind = match self.cursor.peek() {
                None | Some(';' | '|' | ')' | '}') => return Ok(words),
                Some(c) if is_line_end(c) => return Ok(words),
                Some('&' | '<' | '>' | ',') => return Err(self.unexpected()),
                Some(c) if is_dash(c) && second.is_some_and(|c| is_name_start(c) || c == '?') => {
                    self.parameter()?
                }
                Some(c) if is_dash(c) && second.is_some_and(is_dash) => {
                    return Err(Fault::syntax(at, "a parameter begins with one dash, not with two"));
                }
                Some('@') if second.is_some_and(is_name_start) => {
                    self.cursor.next();
                    WordKind::Splat(self.cursor.eat_while(is_name).to_owned())
                }
                Some(_) => WordKind::Value(self.values()?),
            };
            words.push(Word { at, kind });
        }
    }

    /// Parses `-Name` or `-Name:value`.
    fn parameter(&mut self) -> Parsed<WordKind> {
        self.cursor.next();
        // `-?` asks for help.
        let name = if self.cursor.eat('?') { "?" } else { self.cursor.eat_while(is_name) }.to_owned();
        if self.cursor.eat(':') {
            self.cursor.skip_blanks()?;
            let at = self.cursor.at();
            match self.cursor.peek() {
                None => Err(Fault::incomplete(at, format!("a value must follow `-{name}:`"))),
                Some(c) if is_line_end(c) || matches!(c, ';' | '|' | ')' | '}') => {
                    Err(Fault::syntax(at, format!("a value must follow `-{name}:`")))
                }
                Some('&' | '<' | '>' | ',') => Err(self.unexpected()),
                Some(_) => Ok(WordKind::Parameter { name, value: Some(self.values()?) }),
            }
        } else if self.cursor.peek().is_some_and(|c| !ends_word(c) && c != '`') {
            let at = self.cursor.at();
            Err(Fault::syntax(at, format!("a blank or a colon must be between -{name} and its value")))
        } else {
            Ok(WordKind::Parameter { name, value: None })
        }
    }

    /// Parses one value, or several joined by commas.
    fn values(&mut self) -> Parsed<Expression> {
        let first = self.value()?;
        let at = first.at;
        let mut values = vec![first];
        loop {
            let end = self.cursor.clone();
            self.cursor.skip_blanks()?;
            if !self.cursor.eat(',') {
                self.cursor = end;
                break;
            }
            let comma = self.cursor.at() - 1;
            self.cursor.skip_lines()?;
            match self.cursor.peek() {
                None => return Err(Fault::incomplete(comma, "a value must follow this comma")),
                Some(';' | '|' | ')' | '}') => {
                    return Err(Fault::syntax(comma, "a value must follow this comma"));
                }
                Some('&' | '<' | '>' | ',') => return Err(self.unexpected()),
                Some(_) => values.push(self.value()?),
            }
        }
        let is_one = values.len() == 1;
        let one = if is_one { values.pop() } else { None };
        Ok(one.unwrap_or(Expression { at, kind: ExpressionKind::List(values) }))
    }

    pub(super) fn value(&mut self) -> Parsed<Expression> {
        let start = self.cursor.clone();
        let second = self.cursor.peek_second();
        let value = match self.cursor.peek() {
            Some(c) if is_single_quote(c) || is_double_quote(c) => self.quoted()?,
            Some('$') if second.is_some_and(|c| is_name(c) || matches!(c, '(' | '{' | '?' | '^')) => {
                let variable = self.dollar()?;
                if self.cursor.peek().is_some_and(|c| !ends_word(c) && !matches!(c, '.' | '[')) {
                    // `$folder\users.csv`
                    self.cursor = start;
                    return self.unquoted();
                }
                self.steps(variable)?
            }
            Some('(') => {
                let parenthesis = self.parenthesis()?;
                self.steps(parenthesis)?
            }
            Some('@') => {
                let list = self.at_sign()?;
                self.steps(list)?
            }
            Some('{') => self.block()?,
            _ => return self.unquoted(),
        };
        match self.cursor.peek() {
            Some(c) if !ends_word(c) && c != '`' => Err(Fault::syntax(
                self.cursor.at(),
                "this follows something that is complete; separate the two with a blank, or put everything into \
                 double quotes",
            )),
            _ => Ok(value),
        }
    }

    /// Parses a value without quotes around it.
    fn unquoted(&mut self) -> Parsed<Expression> {
        let start = self.cursor.at();
        let kind = self.bare_word()?;
        let word = self.cursor.since(start);
        if word.is_empty() {
            return Err(self.unexpected());
        }
        if word.starts_with('[') && word.contains("]::") {
            let message =
                "put parentheses around this, as in ([Type]::Method(...)); without them it is only text";
            return Err(Fault::syntax(start, message));
        }
        let kind =
            number::parse_word(word).map_or(kind, |number| ExpressionKind::Literal(Value::Number(number)));
        Ok(Expression { at: start, kind })
    }

    /// Parses a word up to a blank or a sign, including quoted parts and variables.
    fn bare_word(&mut self) -> Parsed<ExpressionKind> {
        let mut parts = Parts::default();
        while let Some(c) = self.cursor.peek() {
            match c {
                '`' => {
                    if self.line_ends_behind_backtick() {
                        break;
                    }
                    self.cursor.next();
                    self.cursor.next().into_iter().for_each(|escaped| parts.push(escaped));
                }
                '$' => self.dollar_into(&mut parts)?,
                c if ends_word(c) => break,
                c if is_single_quote(c) || is_double_quote(c) => self.quoted_into(&mut parts)?,
                c => {
                    self.cursor.next();
                    parts.push(c);
                }
            }
        }
        Ok(parts.finish())
    }

    fn line_ends_behind_backtick(&self) -> bool {
        let behind = self.cursor.rest()[1..].trim_start_matches(is_blank);
        behind.is_empty() || behind.starts_with(is_line_end)
    }
}
