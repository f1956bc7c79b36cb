//! Syntax tree of a script. Each node has the byte offset of its beginning.

use crate::{operator::Operator, value::Value};

/// `pipeline` or `$target = pipeline`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) target: Option<String>,
    pub(crate) pipeline: Pipeline,
}

/// Stages that are joined by `|`; at least one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) stages: Vec<Stage>,
}

/// Stage of a pipeline. Only the first one may be an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    Expression(Expression),
    Command(Command),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Word>,
}

/// Argument of a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) at: usize,
    pub(crate) kind: WordKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WordKind {
    Parameter { name: String, value: Option<Expression> },
    Value(Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    pub(crate) at: usize,
    pub(crate) kind: ExpressionKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExpressionKind {
    Literal(Value),
    /// Text with embedded values.
    Text(Vec<Part>),
    Variable(String),
    /// `$_`
    Current,
    /// `a, b`
    List(Vec<Expression>),
    /// `@{ a = 1 }`
    Table(Vec<(String, Pipeline)>),
    /// `(pipeline)`
    Parenthesis(Box<Pipeline>),
    /// `$(statements)`, or `@(statements)`, which is a list even with one value or none.
    Statements {
        statements: Vec<Statement>,
        is_list: bool,
    },
    /// `{ statements }`
    Block(Vec<Statement>),
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
    Not(Box<Expression>),
    /// Operators of one precedence, from left to right. A list, because a tree could be deep.
    Chain {
        first: Box<Expression>,
        rest: Vec<Link>,
    },
}

/// Part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Literal(String),
    Value(Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) at: usize,
    pub(crate) kind: StepKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StepKind {
    Member(String),
    Call(String, Vec<Expression>),
    Index(Expression),
}

/// Operator with its right operand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) at: usize,
    pub(crate) operator: Operator,
    pub(crate) value: Expression,
}
