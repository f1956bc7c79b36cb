//! Parses text to a [`Block`]. The meaning of a word depends on its position, so there is no separate tokenizer.

mod assignment;
mod control;
mod cursor;
mod expression;
mod function;
mod here_string;
mod operand;
mod postfix;
mod redirection;
mod refusals;
mod text;
mod words;

use std::sync::Arc;

use cursor::{Cursor, is_dash, is_line_end};

use crate::{
    ast::{
        Block, Command, CommandName, Expression, ExpressionKind, Pipeline, Stage, StageKind, Statement,
        StatementKind,
    },
    error::Fault,
    number,
};

type Parsed<T> = Result<T, Fault>;

/// Maximum depth of nested parentheses and braces.
const MAX_DEPTH: usize = 32;
/// Maximum size of a script, in bytes.
const MAX_SCRIPT: usize = 4 << 20;

/// Parses a whole script.
pub(crate) fn parse(script: &str) -> Parsed<Block> {
    if script.len() > MAX_SCRIPT {
        return Err(Fault::limit(
            0,
            format!("a script may have {} MB; this one is longer", MAX_SCRIPT >> 20),
        ));
    }
    let mut parser =
        Parser { cursor: Cursor::new(script), depth: 0, source: script.into(), has_commas: true };
    parser.body(None)
}

struct Parser<'s> {
    cursor: Cursor<'s>,
    depth: usize,
    source: Arc<str>,
    /// False where a comma separates arguments of a method.
    has_commas: bool,
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
    /// Runs `inside` one level deeper, where commas make lists.
    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::syntax(self.cursor.at(), "this is nested too deeply"));
        }
        let commas = std::mem::replace(&mut self.has_commas, true);
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        self.has_commas = commas;
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
            if statements.last().is_some_and(Self::ends_by_itself) {
                continue;
            }
            self.cursor.skip_blanks()?;
            match self.cursor.peek() {
                None | Some(';') => {}
                Some(c) if is_line_end(c) || opened.is_some_and(|opened| opened.close == c) => {}
                Some(_) => return Err(self.unexpected()),
            }
        }
    }

    /// True for statements with braces, which need no separator.
    fn ends_by_itself(statement: &Statement) -> bool {
        matches!(
            statement.kind,
            StatementKind::If { .. }
                | StatementKind::Loop(_)
                | StatementKind::Switch(_)
                | StatementKind::Try { .. }
                | StatementKind::Function { .. }
        )
    }

    fn skip_separators(&mut self) -> Parsed<()> {
        self.cursor.skip_lines()?;
        while self.cursor.eat(';') {
            self.cursor.skip_lines()?;
        }
        self.cursor.skip_prompt();
        Ok(())
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let at = self.cursor.at();
        let label = self.label()?;
        if let Some(keyword) = self.keyword() {
            return self.control(at, keyword, label);
        }
        self.simple_statement()
    }

    /// Parses a pipeline or an assignment.
    fn simple_statement(&mut self) -> Parsed<Statement> {
        self.refuse_statement()?;
        let at = self.cursor.at();
        let first = self.first_stage()?;
        if let StageKind::Expression(expression) = &first.kind
            && let Some(sign) = self.assignment_sign()?
        {
            let targets = assignment::targets(expression)?;
            return self.assignment(at, targets, sign);
        }
        Ok(Statement { at, kind: StatementKind::Pipeline(self.pipeline(first)?) })
    }

    fn pipeline(&mut self, first: Stage) -> Parsed<Pipeline> {
        let mut stages = vec![first];
        while let Some(pipe) = self.pipe()? {
            if self.cursor.peek() == Some('|') {
                return Err(Fault::instead(pipe, "`||` is", "`A; if (!$?) { B }`"));
            }
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(Fault::incomplete(pipe, "a command must follow the `|`"));
            }
            self.refuse_stage()?;
            let command = self.command()?;
            stages.push(self.stage(StageKind::Command(command))?);
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
            Some('+') => self.cursor.rest().starts_with("++"),
            Some(c) if cursor::is_single_quote(c) || cursor::is_double_quote(c) => true,
            Some(c) if is_dash(c) => true,
            // `50` is a number, `7z` a command.
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let word = self.cursor.eat_while(|c| !cursor::ends_word(c) && !"+*/%".contains(c));
                self.cursor = start;
                number::parse(word).is_some()
                    || word.contains("..")
                    || number::parse(word.split('-').next().unwrap_or(word)).is_some()
            }
            _ => false,
        };
        let kind = if is_expression {
            StageKind::Expression(self.expression()?)
        } else {
            StageKind::Command(self.command()?)
        };
        self.stage(kind)
    }

    fn stage(&mut self, kind: StageKind) -> Parsed<Stage> {
        Ok(Stage { kind, redirections: self.redirections()? })
    }

    fn command(&mut self) -> Parsed<Command> {
        let at = self.cursor.at();
        let called = match (self.cursor.peek(), self.cursor.peek_second()) {
            (Some('&'), Some(c)) if c != '&' => Some(true),
            (Some('.'), Some(c)) if cursor::is_blank(c) => Some(false),
            _ => None,
        };
        let Some(has_scope) = called else {
            let name = CommandName::Literal(self.command_name()?);
            return Ok(Command { at, name, arguments: self.words()? });
        };
        self.cursor.next();
        self.cursor.skip_blanks()?;
        let name = match self.cursor.peek() {
            Some('$' | '{' | '(') => {
                let value = self.called()?;
                CommandName::Called { value: Box::new(value), has_scope }
            }
            Some(c) if has_scope && (cursor::is_single_quote(c) || cursor::is_double_quote(c)) => {
                match self.quoted()?.kind {
                    ExpressionKind::Literal(crate::value::Value::Text(name)) => CommandName::Literal(name),
                    _ => return Err(Fault::unsupported(at, "a command whose name is computed is")),
                }
            }
            _ => {
                return Err(Fault::instead(
                    at,
                    "running another script or program is",
                    "its lines into this script",
                ));
            }
        };
        Ok(Command { at, name, arguments: self.words()? })
    }

    fn called(&mut self) -> Parsed<Expression> {
        let base = match self.cursor.peek() {
            Some('{') => return self.block(),
            Some('(') => self.parenthesis()?,
            _ => self.dollar()?,
        };
        self.steps(base)
    }

    /// Parses `( statement )`, from the opening sign.
    fn parenthesis(&mut self) -> Parsed<Expression> {
        let opened = OpenBracket { at: self.cursor.at(), sign: "(", close: ')' };
        let statement = self.in_parentheses(opened, "there is nothing between these parentheses")?;
        Ok(Expression { at: opened.at, kind: ExpressionKind::Parenthesis(Box::new(statement)) })
    }

    fn in_parentheses(&mut self, opened: OpenBracket, empty: &str) -> Parsed<Statement> {
        self.cursor.next();
        self.cursor.skip_lines()?;
        match self.cursor.peek() {
            None => return Err(opened.never_closed()),
            Some(')') => return Err(Fault::syntax(opened.at, empty)),
            Some(_) => {}
        }
        if let Some(keyword) = self.keyword() {
            let form = format!("`$({} ...)`", keyword.word());
            return Err(Fault::instead(self.cursor.at(), "a statement between `(` and `)` is", &form));
        }
        let statement = self.nested(Self::simple_statement)?;
        self.close(opened)?;
        Ok(statement)
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
