//! Parses statements with keywords.

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_dash, is_line_end, is_name, is_name_start},
};
use crate::{
    ast::{
        Body, Catch, Expression, ExpressionKind, Loop, LoopKind, Scope, Statement, StatementKind, Switch,
        SwitchTest,
    },
    error::Fault,
    value::Value,
};

/// Keyword at the beginning of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    If,
    Foreach,
    For,
    While,
    Do,
    Switch,
    Function,
    Filter,
    Try,
    Break,
    Continue,
    Return,
    Throw,
    Exit,
}

const KEYWORDS: [(&str, Keyword); 14] = [
    ("if", Keyword::If),
    ("foreach", Keyword::Foreach),
    ("for", Keyword::For),
    ("while", Keyword::While),
    ("do", Keyword::Do),
    ("switch", Keyword::Switch),
    ("function", Keyword::Function),
    ("filter", Keyword::Filter),
    ("try", Keyword::Try),
    ("break", Keyword::Break),
    ("continue", Keyword::Continue),
    ("return", Keyword::Return),
    ("throw", Keyword::Throw),
    ("exit", Keyword::Exit),
];

/// Clauses of a `switch`, and its `default`.
type Clauses = (Vec<(Expression, Body)>, Option<Body>);

impl Keyword {
    pub(super) fn word(self) -> &'static str {
        KEYWORDS.iter().find(|(_, keyword)| *keyword == self).map_or("", |(word, _)| word)
    }
}

impl Parser<'_> {
    /// Returns the keyword that follows. It is not read yet.
    pub(super) fn keyword(&self) -> Option<Keyword> {
        let word = self.word_ahead();
        KEYWORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, keyword)| *keyword)
    }

    /// Returns the word that follows, if it is a whole one.
    pub(super) fn word_ahead(&self) -> &str {
        let rest = self.cursor.rest();
        let word = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
        let goes_on =
            rest[word.len()..].starts_with(|c: char| is_dash(c) || matches!(c, '.' | ':' | '\\' | '='));
        if goes_on { "" } else { word }
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word_ahead().eq_ignore_ascii_case(word);
        if found {
            self.cursor.eat_while(is_name);
        }
        found
    }

    /// Parses `:name` before a loop.
    pub(super) fn label(&mut self) -> Parsed<Option<String>> {
        let at = self.cursor.at();
        if !(self.cursor.peek() == Some(':') && self.cursor.peek_second().is_some_and(is_name_start)) {
            return Ok(None);
        }
        self.cursor.next();
        let name = self.cursor.eat_while(is_name).to_owned();
        self.cursor.skip_lines()?;
        match self.keyword() {
            Some(Keyword::Foreach | Keyword::For | Keyword::While | Keyword::Do | Keyword::Switch) => {
                Ok(Some(name))
            }
            _ if self.cursor.peek().is_none() => Err(Fault::incomplete(at, "a loop must follow this label")),
            _ => Err(Fault::syntax(at, "a loop must follow this label")),
        }
    }

    pub(super) fn control(
        &mut self,
        at: usize,
        keyword: Keyword,
        label: Option<String>,
    ) -> Parsed<Statement> {
        self.cursor.eat_while(is_name);
        let kind = match keyword {
            Keyword::If => self.if_statement()?,
            Keyword::Foreach => self.foreach(label)?,
            Keyword::For => self.for_statement(label)?,
            Keyword::While => {
                let condition = self.condition()?;
                self.loop_of(label, LoopKind::While(condition))?
            }
            Keyword::Do => self.do_statement(label)?,
            Keyword::Switch => self.switch(label)?,
            Keyword::Function | Keyword::Filter => self.function(keyword == Keyword::Filter)?,
            Keyword::Try => self.try_statement(at)?,
            Keyword::Break => StatementKind::Break(self.jump_label()?),
            Keyword::Continue => StatementKind::Continue(self.jump_label()?),
            Keyword::Return => StatementKind::Return(self.optional_value()?),
            Keyword::Throw => StatementKind::Throw(self.optional_value()?),
            Keyword::Exit => StatementKind::Exit(self.optional_value()?),
        };
        Ok(Statement { at, kind })
    }

    fn jump_label(&mut self) -> Parsed<Option<String>> {
        self.cursor.skip_blanks()?;
        let name = self.cursor.eat_while(is_name);
        Ok(if name.is_empty() { None } else { Some(name.to_owned()) })
    }

    fn optional_value(&mut self) -> Parsed<Option<Box<Statement>>> {
        self.cursor.skip_blanks()?;
        match self.cursor.peek() {
            None | Some(';' | '}' | ')') => Ok(None),
            Some(c) if is_line_end(c) => Ok(None),
            Some(_) => Ok(Some(Box::new(self.simple_statement()?))),
        }
    }

    /// Parses `( statement )` after a keyword.
    pub(super) fn condition(&mut self) -> Parsed<Statement> {
        let opened = self.expect('(', "(")?;
        self.in_parentheses(opened, "a condition is missing between these parentheses")
    }

    /// Skips to a sign that must follow. It is not read yet.
    pub(super) fn expect(&mut self, close_of: char, sign: &'static str) -> Parsed<OpenBracket> {
        self.cursor.skip_lines()?;
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some(c) if c == close_of => {
                Ok(OpenBracket { at, sign, close: if close_of == '(' { ')' } else { '}' } })
            }
            None => Err(Fault::incomplete(at, format!("a `{sign}` must follow"))),
            Some(_) => Err(Fault::syntax(at, format!("a `{sign}` is expected here"))),
        }
    }

    /// Parses `{ statements }`.
    pub(super) fn braces(&mut self) -> Parsed<Body> {
        let opened = self.expect('{', "{")?;
        self.cursor.next();
        self.nested(|parser| parser.statements(Some(opened)))
    }

    /// Reads a word of the same statement, which may be on a later line.
    fn eat_later_word(&mut self, word: &str) -> Parsed<bool> {
        let start = self.cursor.clone();
        self.cursor.skip_lines()?;
        let found = self.eat_word(word);
        if !found {
            self.cursor = start;
        }
        Ok(found)
    }

    fn if_statement(&mut self) -> Parsed<StatementKind> {
        let mut branches = vec![(self.condition()?, self.braces()?)];
        loop {
            if self.eat_later_word("elseif")? {
                branches.push((self.condition()?, self.braces()?));
            } else if self.eat_later_word("else")? {
                self.cursor.skip_blanks()?;
                if self.eat_word("if") {
                    branches.push((self.condition()?, self.braces()?));
                    continue;
                }
                return Ok(StatementKind::If { branches, otherwise: Some(self.braces()?) });
            } else {
                return Ok(StatementKind::If { branches, otherwise: None });
            }
        }
    }

    fn loop_of(&mut self, label: Option<String>, kind: LoopKind) -> Parsed<StatementKind> {
        let body = self.braces()?;
        Ok(StatementKind::Loop(Box::new(Loop { label, kind, body })))
    }

    fn foreach(&mut self, label: Option<String>) -> Parsed<StatementKind> {
        let opened = self.expect('(', "(")?;
        self.cursor.next();
        self.cursor.skip_lines()?;
        let at = self.cursor.at();
        let variable = match self.cursor.peek() {
            None => return Err(opened.never_closed()),
            Some('$') => self.dollar()?,
            Some(_) => {
                return Err(Fault::syntax(
                    at,
                    "a variable is expected here: foreach ($user in $users) { ... }",
                ));
            }
        };
        let ExpressionKind::Variable { scope: Scope::Nearest, name } = variable.kind else {
            return Err(Fault::syntax(at, "this variable cannot be set by foreach"));
        };
        self.cursor.skip_lines()?;
        if !self.eat_word("in") {
            return Err(match self.cursor.peek() {
                None => opened.never_closed(),
                Some(_) => Fault::syntax(
                    self.cursor.at(),
                    "the word `in` is expected here: foreach ($user in $users) { ... }",
                ),
            });
        }
        self.cursor.skip_lines()?;
        if self.cursor.peek().is_none() {
            return Err(opened.never_closed());
        }
        let list = self.nested(Self::simple_statement)?;
        self.close(opened)?;
        self.loop_of(label, LoopKind::Foreach { variable: name, list })
    }

    fn for_statement(&mut self, label: Option<String>) -> Parsed<StatementKind> {
        let opened = self.expect('(', "(")?;
        self.cursor.next();
        let mut parts = [None, None, None];
        for (index, part) in parts.iter_mut().enumerate() {
            self.cursor.skip_lines()?;
            match self.cursor.peek() {
                None => return Err(opened.never_closed()),
                Some(';' | ')') => {}
                Some(_) => *part = Some(self.nested(Self::simple_statement)?),
            }
            self.cursor.skip_lines()?;
            if index < 2 && !self.cursor.eat(';') {
                break;
            }
        }
        self.close(opened)?;
        let [first, condition, step] = parts;
        self.loop_of(label, LoopKind::For { first, condition, step })
    }

    fn do_statement(&mut self, label: Option<String>) -> Parsed<StatementKind> {
        let body = self.braces()?;
        let until = self.eat_later_word("until")?;
        if !until && !self.eat_later_word("while")? {
            self.cursor.skip_lines()?;
            let at = self.cursor.at();
            return Err(match self.cursor.peek() {
                None => Fault::incomplete(at, "`while (...)` or `until (...)` must follow"),
                Some(_) => Fault::syntax(at, "`while (...)` or `until (...)` is expected here"),
            });
        }
        let condition = self.condition()?;
        Ok(StatementKind::Loop(Box::new(Loop { label, kind: LoopKind::Do { condition, until }, body })))
    }

    fn switch(&mut self, label: Option<String>) -> Parsed<StatementKind> {
        let (mut test, mut case_sensitive) = (SwitchTest::Equal, false);
        loop {
            self.cursor.skip_lines()?;
            let at = self.cursor.at();
            if !self.cursor.peek().is_some_and(is_dash) {
                break;
            }
            self.cursor.next();
            match self.cursor.eat_while(is_name).to_ascii_lowercase().as_str() {
                "wildcard" => test = SwitchTest::Wildcard,
                "regex" => test = SwitchTest::Regex,
                "exact" => test = SwitchTest::Equal,
                "casesensitive" => case_sensitive = true,
                other => return Err(Fault::unsupported(at, format!("`switch -{other}` is"))),
            }
        }
        let value = self.condition()?;
        let opened = self.expect('{', "{")?;
        self.cursor.next();
        let (clauses, default) = self.nested(|parser| parser.clauses(opened))?;
        Ok(StatementKind::Switch(Box::new(Switch { label, test, case_sensitive, value, clauses, default })))
    }

    fn clauses(&mut self, opened: OpenBracket) -> Parsed<Clauses> {
        let (mut clauses, mut default) = (Vec::new(), None);
        loop {
            self.skip_separators()?;
            match self.cursor.peek() {
                None => return Err(opened.never_closed()),
                Some('}') => {
                    self.cursor.next();
                    return Ok((clauses, default));
                }
                Some(_) if self.eat_word("default") => {
                    default = Some(self.braces()?);
                    continue;
                }
                Some(_) => {}
            }
            let at = self.cursor.at();
            let condition = match self.cursor.peek() {
                Some('{') => self.block()?,
                Some(c) if is_name_start(c) || c == '*' => {
                    let word = self.cursor.eat_while(|c| !super::cursor::ends_word(c)).to_owned();
                    Expression { at, kind: ExpressionKind::Literal(Value::Text(word)) }
                }
                _ => self.unary()?,
            };
            clauses.push((condition, self.braces()?));
        }
    }

    fn try_statement(&mut self, at: usize) -> Parsed<StatementKind> {
        let body = self.braces()?;
        let mut catches = Vec::new();
        while self.eat_later_word("catch")? {
            let mut types = Vec::new();
            loop {
                self.cursor.skip_lines()?;
                if self.cursor.peek() != Some('[') {
                    break;
                }
                types.push(self.type_in_brackets()?);
                self.cursor.skip_lines()?;
                self.cursor.eat(',');
            }
            catches.push(Catch { types, body: self.braces()? });
        }
        let finally = if self.eat_later_word("finally")? { Some(self.braces()?) } else { None };
        if catches.is_empty() && finally.is_none() {
            self.cursor.skip_lines()?;
            return Err(match self.cursor.peek() {
                None => Fault::incomplete(at, "`catch { ... }` or `finally { ... }` must follow this `try`"),
                Some(_) => Fault::syntax(at, "`catch { ... }` or `finally { ... }` must follow this `try`"),
            });
        }
        Ok(StatementKind::Try { body, catches, finally: finally.unwrap_or_default() })
    }
}
