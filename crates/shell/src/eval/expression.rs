//! Evaluates expressions.

use std::sync::Arc;

use super::{
    Evaluator,
    interrupt::{Boxed, Flow},
    statics,
};
use crate::{
    arithmetic,
    ast::{Block, Expression, ExpressionKind, Link, Part, Statement, Unary},
    error::Fault,
    host::Host,
    limits::{MAX_TEXT, too_large},
    members,
    operator::{Operator, Test},
    text,
    value::{Form, Object, ScriptBlock, Value},
};

impl<H: Host> Evaluator<'_, H> {
    pub(super) fn expression<'a>(&'a mut self, expression: &'a Expression) -> Boxed<'a, Value> {
        Box::pin(async move {
            self.meter.step(expression.at, 0)?;
            let at = expression.at;
            match &expression.kind {
                ExpressionKind::Literal(value) => Ok(value.clone()),
                ExpressionKind::Text(parts) => self.text(at, parts).await,
                ExpressionKind::Variable { scope, name } => self.scoped_variable(at, *scope, name),
                ExpressionKind::Current => {
                    let value = self.current_value(at)?.clone();
                    self.checked(at, value)
                }
                ExpressionKind::List(items) => {
                    let values = self.each(items).await?;
                    self.checked(at, Value::List(values))
                }
                ExpressionKind::Table(entries) => self.table(at, entries).await,
                ExpressionKind::Parenthesis(statement) => self.value_of(statement).await,
                ExpressionKind::Statements { statements, is_list } => {
                    self.deeper(at)?;
                    let values = self.gather_body(statements).await?;
                    self.meter.depth -= 1;
                    self.checked(at, if *is_list { flattened(values) } else { Value::from_stream(values) })
                }
                ExpressionKind::Block { block, text } => Ok(block_value(block, text)),
                ExpressionKind::Path { base, steps } => self.path(base, steps).await,
                ExpressionKind::Static { type_name, member, arguments } => {
                    let arguments = match arguments {
                        Some(arguments) => Some(self.each(arguments).await?),
                        None => None,
                    };
                    let value = statics::call(self.host, at, type_name, member, arguments.as_deref())?;
                    self.checked(at, value)
                }
                ExpressionKind::Cast { type_name, value } => {
                    let value = self.expression(value).await?;
                    Ok(statics::cast(at, type_name, value)?)
                }
                ExpressionKind::Type(name) => Ok(Value::Text(name.clone())),
                ExpressionKind::Unary { operator, value } => {
                    let value = self.expression(value).await?;
                    unary(at, *operator, value)
                }
                ExpressionKind::Increment { target, by, is_post } => {
                    self.increment(target, *by, *is_post).await
                }
                ExpressionKind::Chain { first, rest } => self.chain(first, rest).await,
            }
        })
    }

    pub(super) async fn each(&mut self, expressions: &[Expression]) -> Flow<Vec<Value>> {
        let mut values = Vec::with_capacity(expressions.len());
        for expression in expressions {
            values.push(self.expression(expression).await?);
        }
        Ok(values)
    }

    pub(super) fn current_value(&self, at: usize) -> Flow<&Value> {
        let message = "$_ has a value only inside a script block after a pipe, in switch and in catch";
        Ok(self.current.as_ref().ok_or_else(|| Fault::value(at, message))?)
    }

    async fn text(&mut self, at: usize, parts: &[Part]) -> Flow<Value> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Value(value) => text.push_str(&text::interpolate(&self.expression(value).await?)),
            }
            if text.len() > MAX_TEXT {
                return Err(Fault::limit(at, "this text becomes too long").into());
            }
        }
        Ok(Value::Text(text))
    }

    async fn table(&mut self, at: usize, entries: &[(Expression, Statement)]) -> Flow<Value> {
        let mut object = Object::new().with_form(Form::Table);
        for (name, value) in entries {
            let name = text::show(&self.expression(name).await?);
            let value = self.value_of(value).await?;
            object.insert(name, value);
        }
        self.checked(at, Value::Object(object))
    }

    async fn chain(&mut self, first: &Expression, rest: &[Link]) -> Flow<Value> {
        let mut left = self.expression(first).await?;
        for Link { at, operator, value } in rest {
            left = match operator {
                // The right side is evaluated only if necessary, because it may be a command.
                Operator::And => Value::Bool(left.is_true() && self.expression(value).await?.is_true()),
                Operator::Or => Value::Bool(left.is_true() || self.expression(value).await?.is_true()),
                Operator::Xor => Value::Bool(left.is_true() != self.expression(value).await?.is_true()),
                Operator::As => {
                    let type_name = text::show(&self.expression(value).await?);
                    statics::cast(*at, &type_name, left).unwrap_or_default()
                }
                operator => {
                    let right = self.expression(value).await?;
                    if let Operator::Compare(comparison) = operator
                        && comparison.test == Test::Match
                        && let (Value::Text(text), Value::Text(pattern)) = (&left, &right)
                    {
                        let found = self.regexes.groups(text, pattern, comparison.case_sensitive);
                        if let Some(found) = found {
                            self.set_variable(*at, "Matches", found.into(), false)?;
                        }
                    }
                    let result = self.operate(*at, left, *operator, right)?;
                    self.checked(*at, result)?
                }
            };
        }
        Ok(left)
    }

    /// Evaluates an operator, and counts its work.
    pub(super) fn operate(
        &mut self,
        at: usize,
        left: Value,
        operator: Operator,
        right: Value,
    ) -> Flow<Value> {
        for side in [&left, &right] {
            if let Value::List(values) = side {
                self.meter.step(at, values.len())?;
            }
        }
        let result = arithmetic::operate(left, operator, right, &mut self.regexes);
        self.count_work(at)?;
        Ok(result.map_err(|message| Fault::value(at, message))?)
    }

    /// Counts the work of comparisons since the last call.
    pub(super) fn count_work(&mut self, at: usize) -> Result<(), Fault> {
        let work = self.regexes.take_work();
        self.meter.charge(at, work)
    }

    /// Checks the size of a value, and counts it.
    pub(super) fn checked(&mut self, at: usize, value: Value) -> Flow<Value> {
        // Most values are small.
        if matches!(value, Value::Bool(_) | Value::Number(_) | Value::Null) {
            return Ok(value);
        }
        let size = value.size().ok_or_else(|| too_large(at))?;
        self.meter.charge(at, size)?;
        Ok(value)
    }
}

fn flattened(values: Vec<Value>) -> Value {
    Value::List(values)
}

fn block_value(block: &Arc<Block>, text: &Arc<str>) -> Value {
    Value::Block(ScriptBlock::new(block.clone(), text.clone()))
}

fn unary(at: usize, operator: Unary, value: Value) -> Flow<Value> {
    let result = match operator {
        Unary::Not => Ok(Value::Bool(!value.is_true())),
        Unary::Minus => arithmetic::negate(&value),
        Unary::Plus => arithmetic::number(&value).map(Value::Number),
        Unary::Join => arithmetic::joined(value, "", MAX_TEXT).map(Value::Text),
        Unary::Split => members::parts(text::interpolate(&value).split_whitespace()),
        Unary::List => Ok(Value::List(vec![value])),
    };
    Ok(result.map_err(|message| Fault::value(at, message))?)
}
