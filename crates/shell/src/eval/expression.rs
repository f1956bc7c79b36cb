//! Evaluates expressions.

use std::borrow::Cow;

use super::{BoxedEval, Evaluator, Variables, statics};
use crate::{
    ast::{Expression, ExpressionKind, Link, Part, Pipeline, Step, StepKind},
    compare::compare,
    error::Fault,
    flow::EvalResult,
    host::Host,
    members::{self, MAX_TEXT},
    operator::Operator,
    text,
    value::{Object, Value},
};

impl<H: Host> Evaluator<'_, H> {
    pub(super) fn expression<'a>(&'a mut self, expression: &'a Expression) -> BoxedEval<'a, Value> {
        Box::pin(async move {
            let at = expression.at;
            match &expression.kind {
                ExpressionKind::Literal(value) => Ok(value.clone()),
                ExpressionKind::Text(parts) => self.text(at, parts).await,
                ExpressionKind::Variable(_) | ExpressionKind::Current => self.look_up(expression).cloned(),
                ExpressionKind::List(items) => {
                    let values = self.each(items).await?;
                    check_limits(at, Value::List(values))
                }
                ExpressionKind::Table(entries) => self.table(at, entries).await,
                ExpressionKind::Parenthesis(pipeline) => Ok(self.pipeline_value(pipeline).await?.0),
                ExpressionKind::Statements { statements, is_list } => {
                    let values = self.block(statements).await?;
                    check_limits(at, if *is_list { Value::List(values) } else { Value::from_stream(values) })
                }
                ExpressionKind::Block(_) => Err(Fault::unsupported(
                    at,
                    "a script block anywhere but after Where-Object and ForEach-Object is",
                )),
                ExpressionKind::Path { base, steps } => self.path(base, steps).await,
                ExpressionKind::Static { type_name, member, arguments } => {
                    let arguments = match arguments {
                        Some(arguments) => Some(self.each(arguments).await?),
                        None => None,
                    };
                    statics::call(self.host, at, type_name, member, arguments.as_deref())
                }
                ExpressionKind::Cast { type_name, value } => {
                    let value = self.expression(value).await?;
                    statics::cast(at, type_name, value)
                }
                ExpressionKind::Not(value) => Ok(Value::Bool(!self.expression(value).await?.is_true())),
                ExpressionKind::Chain { first, rest } => self.chain(first, rest).await,
            }
        })
    }

    async fn each(&mut self, expressions: &[Expression]) -> EvalResult<Vec<Value>> {
        let mut values = Vec::with_capacity(expressions.len());
        for expression in expressions {
            values.push(self.expression(expression).await?);
        }
        Ok(values)
    }

    async fn text(&mut self, at: usize, parts: &[Part]) -> EvalResult<Value> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Value(value) => text.push_str(&text::interpolate(&self.expression(value).await?)),
            }
            if text.len() > MAX_TEXT {
                return Err(Fault::value(at, "this text becomes too long"));
            }
        }
        Ok(Value::Text(text))
    }

    async fn table(&mut self, at: usize, entries: &[(String, Pipeline)]) -> EvalResult<Value> {
        let mut properties = Vec::with_capacity(entries.len());
        for (name, pipeline) in entries {
            properties.push((name.as_str(), self.pipeline_value(pipeline).await?.0));
        }
        check_limits(at, Value::Object(Object::from_iter(properties)))
    }

    /// Returns the value of a variable. A variable that was never set is an error, not `$null`.
    ///
    /// A misspelled name must not become "no name", which some commands read as "all".
    fn look_up(&self, expression: &Expression) -> EvalResult<&Value> {
        match &expression.kind {
            ExpressionKind::Variable(name) => self.variables.get(name).ok_or_else(|| {
                let nearest = text::nearest(name, self.variables.names());
                let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean ${nearest}?"));
                Fault::value(expression.at, format!("the variable ${name} was never set{hint}"))
            }),
            _ => self.current.as_ref().ok_or_else(|| {
                Fault::value(expression.at, "$_ has a value only inside a script block after a pipe")
            }),
        }
    }

    async fn path(&mut self, base: &Expression, steps: &[Step]) -> EvalResult<Value> {
        let (base, steps) = match self.utf8(base, steps).await? {
            Some(value) => (&Expression { at: base.at, kind: ExpressionKind::Literal(value) }, &steps[1..]),
            None => (base, steps),
        };
        // The arguments of the steps are evaluated before the base is borrowed.
        let mut asked = Vec::with_capacity(steps.len());
        for step in steps {
            asked.push(match &step.kind {
                StepKind::Member(_) => Vec::new(),
                StepKind::Call(_, arguments) => self.each(arguments).await?,
                StepKind::Index(index) => vec![self.expression(index).await?],
            });
        }
        let mut value = match &base.kind {
            // A variable may contain many objects. They are not copied for one property.
            ExpressionKind::Variable(_) | ExpressionKind::Current => Cow::Borrowed(self.look_up(base)?),
            _ => Cow::Owned(self.expression(base).await?),
        };
        for (step, asked) in steps.iter().zip(asked) {
            let next = match &step.kind {
                StepKind::Member(name) => members::property(&value, name),
                StepKind::Call(name, _) => members::call(&value, name, &asked),
                StepKind::Index(_) => members::index(&value, asked.first().unwrap_or(&Value::Null)),
            };
            value = Cow::Owned(next.map_err(|message| Fault::value(step.at, message))?);
        }
        Ok(value.into_owned())
    }

    /// Evaluates the first step of `[System.Text.Encoding]::UTF8.GetBytes(text)`. An encoding alone is no value.
    async fn utf8(&mut self, base: &Expression, steps: &[Step]) -> EvalResult<Option<Value>> {
        let ExpressionKind::Static { type_name, member, arguments: None } = &base.kind else {
            return Ok(None);
        };
        if !statics::is_utf8(type_name, member) {
            return Ok(None);
        }
        let [Step { kind: StepKind::Call(method, arguments), at }, ..] = steps else { return Ok(None) };
        let arguments = self.each(arguments).await?;
        statics::encode(*at, method, &arguments).map(Some)
    }

    async fn chain(&mut self, first: &Expression, rest: &[Link]) -> EvalResult<Value> {
        let mut left = self.expression(first).await?;
        for Link { at, operator, value } in rest {
            left = match operator {
                // The right side is evaluated only if necessary, because it may be a command.
                Operator::And => Value::Bool(left.is_true() && self.expression(value).await?.is_true()),
                Operator::Or => Value::Bool(left.is_true() || self.expression(value).await?.is_true()),
                Operator::Xor => Value::Bool(left.is_true() != self.expression(value).await?.is_true()),
                Operator::Compare(comparison) => {
                    let right = self.expression(value).await?;
                    compare(&left, *comparison, &right, &mut self.regexes)
                        .map_err(|message| Fault::value(*at, message))?
                }
            };
        }
        Ok(left)
    }
}

impl Variables {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(&name.to_lowercase()).map(|variable| &variable.value)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|variable| variable.name.as_str())
    }
}

fn check_limits(at: usize, value: Value) -> EvalResult<Value> {
    if value.is_within_limits() {
        Ok(value)
    } else {
        Err(Fault::value(at, "this value becomes too large or too deep"))
    }
}
