//! Syntax tree of a script. Each node has the byte offset of its beginning.

use std::{ops::RangeInclusive, sync::Arc};

use crate::{operator::Operator, value::Value};

/// Body of a script, a function or a script block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Script that contains the block, for the positions of errors.
    pub(crate) source: Arc<str>,
    pub(crate) parameters: Vec<Parameter>,
    /// True with `[CmdletBinding(SupportsShouldProcess)]`: `-WhatIf` and `-Confirm` are parameters.
    pub(crate) asks: bool,
    pub(crate) begin: Vec<Statement>,
    /// Statements for each object of the pipe; `None` without `process`.
    pub(crate) process: Option<Vec<Statement>>,
    pub(crate) end: Vec<Statement>,
}

/// Parameter of a function or a script.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) type_name: Option<String>,
    pub(crate) default: Option<Expression>,
    pub(crate) is_mandatory: bool,
    /// Takes the object of the pipe.
    pub(crate) takes_pipe: bool,
    /// Takes the property of its name, or of an alias, from the object of the pipe.
    pub(crate) takes_property: bool,
    pub(crate) aliases: Vec<String>,
    pub(crate) rules: Vec<Rule>,
}

/// Rule for the value of a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// `[ValidateSet('a', 'b')]`
    Choices(Vec<String>),
    /// `[ValidateNotNullOrEmpty()]`
    NotEmpty,
    /// `[ValidateRange(1, 9)]`
    Range(RangeInclusive<f64>),
    /// `[ValidateLength(1, 9)]`: characters.
    Length(RangeInclusive<f64>),
    /// `[ValidateCount(1, 9)]`: elements.
    Count(RangeInclusive<f64>),
    /// `[ValidatePattern('...')]`
    Pattern(String),
    /// `[ValidateScript({ ... })]`
    Script(Arc<Block>),
}

impl Parameter {
    pub(crate) fn new(at: usize, name: String) -> Self {
        Self {
            at,
            name,
            type_name: None,
            default: None,
            is_mandatory: false,
            takes_pipe: false,
            takes_property: false,
            aliases: Vec::new(),
            rules: Vec::new(),
        }
    }

    pub(crate) fn switch(at: usize, name: &str) -> Self {
        Self { type_name: Some("switch".to_owned()), ..Self::new(at, name.to_owned()) }
    }

    pub(crate) fn is_switch(&self) -> bool {
        self.type_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("switch"))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) at: usize,
    pub(crate) kind: StatementKind,
}

pub(crate) type Body = Vec<Statement>;

#[derive(Clone, Debug)]
pub(crate) enum StatementKind {
    Pipeline(Pipeline),
    Assign(Assignment),
    If { branches: Vec<(Statement, Body)>, otherwise: Option<Body> },
    Loop(Box<Loop>),
    Switch(Box<Switch>),
    Try { body: Body, catches: Vec<Catch>, finally: Body },
    Function { name: String, block: Arc<Block> },
    Break(Option<String>),
    Continue(Option<String>),
    Return(Option<Box<Statement>>),
    Throw(Option<Box<Statement>>),
    Exit(Option<Box<Statement>>),
}

/// `$a = value`, `$a, $b = value`, `$a.x += value`.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    /// At least one variable, property or element.
    pub(crate) targets: Vec<Expression>,
    /// Operator before the `=`.
    pub(crate) operator: Option<Operator>,
    pub(crate) value: Box<Statement>,
}

#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub(crate) label: Option<String>,
    pub(crate) kind: LoopKind,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum LoopKind {
    Foreach { variable: String, list: Statement },
    For { first: Option<Statement>, condition: Option<Statement>, step: Option<Statement> },
    While(Statement),
    Do { condition: Statement, until: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub(crate) label: Option<String>,
    pub(crate) test: SwitchTest,
    pub(crate) case_sensitive: bool,
    pub(crate) value: Statement,
    pub(crate) clauses: Vec<(Expression, Body)>,
    pub(crate) default: Option<Body>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SwitchTest {
    Equal,
    Wildcard,
    Regex,
}

#[derive(Clone, Debug)]
pub(crate) struct Catch {
    /// Types of exceptions; empty for all.
    pub(crate) types: Vec<String>,
    pub(crate) body: Body,
}

/// Stages that are joined by `|`; at least one.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) stages: Vec<Stage>,
}

/// Stage of a pipeline. Only the first one may be an expression.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) kind: StageKind,
    pub(crate) redirections: Vec<Redirection>,
}

#[derive(Clone, Debug)]
pub(crate) enum StageKind {
    Expression(Expression),
    Command(Command),
}

/// `> file`, `2>> file`, `2>$null`, `2>&1`.
#[derive(Clone, Debug)]
pub(crate) struct Redirection {
    pub(crate) at: usize,
    pub(crate) stream: Stream,
    pub(crate) appends: bool,
    /// File; `None` means into the output (`2>&1`).
    pub(crate) target: Option<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Errors,
    /// Warnings and the like.
    Other,
    All,
}

#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) at: usize,
    pub(crate) name: CommandName,
    pub(crate) arguments: Vec<Word>,
}

#[derive(Clone, Debug)]
pub(crate) enum CommandName {
    Literal(String),
    /// `& $block`, `. $block`. With `.`, the block has no scope of its own.
    Called {
        value: Box<Expression>,
        has_scope: bool,
    },
}

/// Argument of a command.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) at: usize,
    pub(crate) kind: WordKind,
}

#[derive(Clone, Debug)]
pub(crate) enum WordKind {
    Parameter {
        name: String,
        value: Option<Expression>,
    },
    Value(Expression),
    /// `@name`
    Splat(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) at: usize,
    pub(crate) kind: ExpressionKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The innermost scope that has the variable.
    Nearest,
    /// `$script:` and `$global:`
    Outermost,
    /// `$env:`
    Environment,
}

#[derive(Clone, Debug)]
pub(crate) enum ExpressionKind {
    Literal(Value),
    /// Text with embedded values.
    Text(Vec<Part>),
    Variable {
        scope: Scope,
        name: String,
    },
    /// `$_`
    Current,
    /// `a, b`
    List(Vec<Expression>),
    /// `@{ a = 1 }`
    Table(Vec<(Expression, Statement)>),
    /// `(statement)`
    Parenthesis(Box<Statement>),
    /// `$(statements)`, or `@(statements)`, which is a list even with one value or none.
    Statements {
        statements: Body,
        is_list: bool,
    },
    /// `{ statements }`
    Block {
        block: Arc<Block>,
        text: Arc<str>,
    },
    /// `base.Name`, `base[0]`, `base.Method(...)` and so on.
    Path {
        base: Box<Expression>,
        steps: Vec<Step>,
    },
    /// `[Type]::Member`, `[Type]::Member(...)`
    Static {
        type_name: String,
        member: String,
        arguments: Option<Vec<Expression>>,
    },
    /// `[Type]value`
    Cast {
        type_name: String,
        value: Box<Expression>,
    },
    /// `[Type]`, right of `-is` and `-as`.
    Type(String),
    Unary {
        operator: Unary,
        value: Box<Expression>,
    },
    /// `$x++` and its like.
    Increment {
        target: Box<Expression>,
        by: i64,
        is_post: bool,
    },
    /// Operators of one precedence, from left to right. A list, because a tree could be deep.
    Chain {
        first: Box<Expression>,
        rest: Vec<Link>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Minus,
    Plus,
    Join,
    Split,
    /// `,x`
    List,
}

/// Part of a text.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Literal(String),
    Value(Expression),
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) at: usize,
    pub(crate) kind: StepKind,
}

#[derive(Clone, Debug)]
pub(crate) enum StepKind {
    Member(String),
    /// `.$name`, `.'a b'`, `.(expression)`
    Computed(Expression),
    Call(String, Vec<Expression>),
    Index(Expression),
}

/// Operator with its right operand.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) at: usize,
    pub(crate) operator: Operator,
    pub(crate) value: Expression,
}
