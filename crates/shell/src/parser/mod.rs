//! Parses text to [`Statement`]s. The meaning of a word depends on its position, so there is no separate tokenizer.

mod cursor;
mod expression;
mod postfix;
mod refusals;
mod text;
mod words;

use cursor::{Cursor, is_dash, is_line_end, is_name, is_name_start};

use crate::{
    ast::{Command, Expression, ExpressionKind, Pipeline, Stage, Statement},
    error::Fault,
    number,
};

type Parsed<T> = Result<T, Fault>;

/// Maximum depth of nested parentheses and braces.
const MAX_DEPTH: usize = 32;

/// Parses a whole script.
pub(crate) fn parse(script: &str) -> Parsed<Vec<Statement>> {
    let mut parser = Parser { cursor: Cursor::new(script), depth: 0 };
    parser.statements(None)
}

struct Parser<'s> {
    cursor: Cursor<'s>,
    depth: usize,
}

/// Opening parenthesis, bracket or brace.
#[derive(Clone, Copy)]
struct OpenBracket {
    at: usize,
    sign: &'static str,
    close: char,
}

impl OpenBracket {
    fn never_closed(self) -> Fault {
        Fault::incomplete(self.at, format!("the `{}` that opens here is never closed", self.sign))
    }
}

impl Parser<'_> {
    /// Runs `inside` one level deeper.
    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::syntax(self.cursor.at(), "this is nested too deeply"));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// Parses statements up to and including the closing sign, or to the end of the text.
    fn statements(&mut self, opened: Option<OpenBracket>) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            self.skip_separators()?;
            match self.cursor.peek() {
                None => return opened.map_or(Ok(statements), |opened| Err(opened.never_closed())),
                Some(c) if opened.is_some_and(|opened| opened.close == c) => {
                    self.cursor.next();
                    return Ok(statements);
                }
                Some(_) => statements.push(self.statement()?),
            }
            self.cursor.skip_blanks()?;
            match self.cursor.peek() {
                None | Some(';') => {}
                Some(c) if is_line_end(c) || opened.is_some_and(|opened| opened.close == c) => {}
                Some(_) => return Err(self.unexpected()),
            }
        }
    }

    fn skip_separators(&mut self) -> Parsed<()> {
        self.cursor.skip_lines()?;
        while self.cursor.eat(';') {
            self.cursor.skip_lines()?;
        }
        Ok(())
    }

    fn statement(&mut self) -> Parsed<Statement> {
        self.refuse_statement()?;
        let target = self.target()?;
        if target.is_some() {
            self.refuse_statement()?;
        }
        Ok(Statement { target, pipeline: self.pipeline()? })
    }

    /// Parses `$name =` before a pipeline.
    fn target(&mut self) -> Parsed<Option<String>> {
        let start = self.cursor.clone();
        if self.cursor.eat('$') && self.cursor.peek().is_some_and(is_name_start) {
            let name = self.cursor.eat_while(is_name);
            self.cursor.skip_blanks()?;
            if self.cursor.peek() == Some('=') {
                let reserved = ["_", "PSItem", "true", "false", "null"];
                if reserved.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    return Err(Fault::syntax(start.at(), format!("${name} cannot be set")));
                }
                self.cursor.next();
                self.cursor.skip_lines()?;
                if self.cursor.peek().is_none() {
                    return Err(Fault::incomplete(self.cursor.at(), "a value must follow the `=`"));
                }
                return Ok(Some(name.to_owned()));
            }
        }
        self.cursor = start;
        Ok(None)
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut stages = vec![self.first_stage()?];
        while let Some(pipe) = self.pipe()? {
            if self.cursor.peek() == Some('|') {
                return Err(Fault::unsupported(pipe, "`||` is"));
            }
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(Fault::incomplete(pipe, "a command must follow the `|`"));
            }
            self.refuse_stage()?;
            stages.push(Stage::Command(self.command()?));
        }
        Ok(Pipeline { stages })
    }

    /// Skips a `|`, which may be at the beginning of the next line.
    fn pipe(&mut self) -> Parsed<Option<usize>> {
        self.cursor.skip_blanks()?;
        let start = self.cursor.clone();
        self.cursor.skip_lines()?;
        let at = self.cursor.at();
        if self.cursor.eat('|') {
            return Ok(Some(at));
        }
        self.cursor = start;
        Ok(None)
    }

    fn first_stage(&mut self) -> Parsed<Stage> {
        let start = self.cursor.clone();
        let is_expression = match self.cursor.peek() {
            Some('$' | '(' | '@' | '[' | '{' | '!' | ',') => true,
            Some(c) if cursor::is_single_quote(c) || cursor::is_double_quote(c) => true,
            Some(c) if is_dash(c) => true,
            // `50` is a number, `7z` a command.
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let word = self.cursor.eat_while(|c| !cursor::ends_word(c));
                self.cursor = start;
                number::parse(word).is_some() || word.contains("..")
            }
            _ => false,
        };
        if is_expression {
            return self.expression().map(Stage::Expression);
        }
        self.command().map(Stage::Command)
    }

    fn command(&mut self) -> Parsed<Command> {
        let at = self.cursor.at();
        let name = self.command_name()?;
        Ok(Command { at, name, arguments: self.words()? })
    }

    /// Parses `( pipeline )`, from the opening sign.
    fn parenthesis(&mut self) -> Parsed<Expression> {
        let opened = OpenBracket { at: self.cursor.at(), sign: "(", close: ')' };
        self.cursor.next();
        self.cursor.skip_lines()?;
        match self.cursor.peek() {
            None => return Err(opened.never_closed()),
            Some(')') => return Err(Fault::syntax(opened.at, "there is nothing between these parentheses")),
            Some(_) => {}
        }
        let pipeline = self.nested(|parser| {
            parser.refuse_statement()?;
            parser.pipeline()
        })?;
        self.close(opened)?;
        Ok(Expression { at: opened.at, kind: ExpressionKind::Parenthesis(Box::new(pipeline)) })
    }

    fn close(&mut self, opened: OpenBracket) -> Parsed<()> {
        self.cursor.skip_lines()?;
        if self.cursor.eat(opened.close) {
            return Ok(());
        }
        Err(if self.cursor.peek().is_none() { opened.never_closed() } else { self.unexpected() })
    }
}

#[cfg(test)]
mod tests;
