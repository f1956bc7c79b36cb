//! Parses assignments: `$a = 1`, `$a, $b = 1, 2`, `$a.x += 1`, `[int]$a = 5`.

use super::{Parsed, Parser, cursor::is_dash};
use crate::{
    ast::{Assignment, Expression, ExpressionKind, Scope, Statement, StatementKind, StepKind},
    error::Fault,
    operator::{self, Operator},
    value::Value,
};

/// Sign between a variable and its new value.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    /// `=`
    Set,
    /// `+=` and its like.
    Change(Operator),
}

impl Parser<'_> {
    /// Reads `=` or `+=` and its like, if it follows.
    pub(super) fn assignment_sign(&mut self) -> Parsed<Option<Sign>> {
        let start = self.cursor.clone();
        self.cursor.skip_blanks()?;
        if self.cursor.eat('=') {
            return Ok(Some(Sign::Set));
        }
        if let Some(found) = self.cursor.next().and_then(operator::sign)
            && self.cursor.eat('=')
        {
            return Ok(Some(Sign::Change(found)));
        }
        self.cursor = start;
        Ok(None)
    }

    pub(super) fn assignment(
        &mut self,
        at: usize,
        targets: Vec<Expression>,
        sign: Sign,
    ) -> Parsed<Statement> {
        let operator = match sign {
            Sign::Set => None,
            Sign::Change(operator) => Some(operator),
        };
        let after = self.cursor.at();
        self.cursor.skip_lines()?;
        if self.cursor.peek().is_none() {
            return Err(Fault::incomplete(after, "a value must follow the `=`"));
        }
        let value = Box::new(self.nested(Self::statement)?);
        if matches!(
            value.kind,
            StatementKind::Function { .. }
                | StatementKind::Break(_)
                | StatementKind::Continue(_)
                | StatementKind::Return(_)
                | StatementKind::Throw(_)
                | StatementKind::Exit(_)
        ) {
            return Err(Fault::syntax(value.at, "a value must follow the `=`"));
        }
        Ok(Statement { at, kind: StatementKind::Assign(Assignment { targets, operator, value }) })
    }

    /// Parses `++` or `--` after a variable.
    pub(super) fn increment(&mut self, target: Expression) -> Parsed<Expression> {
        let rest = self.cursor.rest();
        let by = if rest.starts_with("++") {
            1
        } else if rest.starts_with("--") {
            -1
        } else {
            return Ok(target);
        };
        // `$a --b` would be something else.
        if !matches!(target.kind, ExpressionKind::Variable { .. } | ExpressionKind::Path { .. }) {
            return Ok(target);
        }
        self.cursor.next();
        self.cursor.next();
        check_target(&target)?;
        let at = target.at;
        Ok(Expression { at, kind: ExpressionKind::Increment { target: Box::new(target), by, is_post: true } })
    }

    /// Parses `++$x` or `--$x`.
    pub(super) fn increment_before(&mut self, at: usize) -> Parsed<Expression> {
        let by = if self.cursor.next().is_some_and(is_dash) { -1 } else { 1 };
        self.cursor.next();
        let base = self.primary()?;
        let target = Box::new(self.steps(base)?);
        check_target(&target)?;
        Ok(Expression { at, kind: ExpressionKind::Increment { target, by, is_post: false } })
    }
}

/// Returns the variables, properties and elements that an assignment sets.
pub(super) fn targets(expression: &Expression) -> Parsed<Vec<Expression>> {
    let targets = match &expression.kind {
        ExpressionKind::List(targets) => targets.clone(),
        _ => vec![expression.clone()],
    };
    for target in &targets {
        check_target(target)?;
    }
    Ok(targets)
}

/// Refuses the target of an assignment that cannot be set.
fn check_target(target: &Expression) -> Parsed<()> {
    let at = target.at;
    match &target.kind {
        ExpressionKind::Variable { scope: Scope::Environment, name } => {
            Err(Fault::unsupported(at, format!("setting $env:{name} is")))
        }
        ExpressionKind::Variable { name, .. } => {
            const RESERVED: [&str; 6] = ["?", "LASTEXITCODE", "Error", "args", "input", "PSScriptRoot"];
            if RESERVED.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(Fault::syntax(at, format!("${name} cannot be set")));
            }
            Ok(())
        }
        // `$null = command` drops the value.
        ExpressionKind::Literal(Value::Null) => Ok(()),
        ExpressionKind::Literal(Value::Bool(is)) => Err(Fault::syntax(at, format!("${is} cannot be set"))),
        ExpressionKind::Current => Err(Fault::syntax(at, "$_ cannot be set")),
        ExpressionKind::Cast { value, .. } => check_target(value),
        ExpressionKind::Path { base, steps } => match (&base.kind, steps.last()) {
            (ExpressionKind::Variable { .. }, Some(last)) if !matches!(last.kind, StepKind::Call(..)) => {
                Ok(())
            }
            (ExpressionKind::Current, _) => Err(Fault::instead(
                at,
                "setting a property of $_ (the object keeps its values) is",
                "`Select-Object *, @{ Name = 'x'; Expression = { ... } }`",
            )),
            _ => Err(Fault::unsupported(
                at,
                "setting anything but a variable, its properties and elements with `=` is",
            )),
        },
        _ => Err(Fault::unsupported(
            at,
            "setting anything but a variable, its properties and elements with `=` is",
        )),
    }
}
