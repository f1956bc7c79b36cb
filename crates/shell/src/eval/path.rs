//! Evaluates properties, methods and elements of values.

use std::borrow::Cow;

use super::{Evaluator, interrupt::Flow, statics};
use crate::{
    ast::{Block, Expression, ExpressionKind, Scope, Step, StepKind},
    error::Fault,
    host::Host,
    limits::too_large,
    members, text,
    value::Value,
};

/// Step with its evaluated arguments.
enum Evaluated<'a> {
    Member(Cow<'a, str>),
    Call(&'a str, Vec<Value>),
    Index(Value),
}

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn path(&mut self, base: &Expression, steps: &[Step]) -> Flow<Value> {
        if let Some(value) = self.encoded(base, steps).await? {
            return self.rest_of_path(base.at, value, &steps[1..]).await;
        }
        if let Some(value) = self.should_process(base, steps).await? {
            return Ok(value);
        }
        if let Some(value) = self.stopwatch_step(base, steps)? {
            return self.rest_of_path(base.at, value, &steps[1..]).await;
        }
        if let Some(value) = self.change_by_method(base, steps).await? {
            return Ok(value);
        }
        // The arguments of the steps are evaluated before the base is borrowed.
        let mut evaluated = Vec::with_capacity(steps.len());
        for step in steps {
            evaluated.push(match &step.kind {
                StepKind::Member(name) => Evaluated::Member(Cow::Borrowed(name)),
                StepKind::Computed(name) => {
                    Evaluated::Member(Cow::Owned(text::show(&self.expression(name).await?)))
                }
                StepKind::Call(name, arguments) => Evaluated::Call(name, self.each(arguments).await?),
                StepKind::Index(index) => Evaluated::Index(self.expression(index).await?),
            });
        }
        let mut value = match &base.kind {
            // A variable may contain many objects. They are not copied for one property.
            ExpressionKind::Variable { scope: Scope::Nearest, name } if self.scopes.get(name).is_some() => {
                Cow::Borrowed(self.scopes.get(name).unwrap_or(&Value::Null))
            }
            ExpressionKind::Current if self.current.is_some() => {
                Cow::Borrowed(self.current.as_ref().unwrap_or(&Value::Null))
            }
            _ => Cow::Owned(self.expression(base).await?),
        };
        for (step, evaluated) in steps.iter().zip(evaluated) {
            self.meter.charge(step.at, read_bytes(&value, &evaluated))?;
            let next = match evaluated {
                Evaluated::Member(name) => members::property(&value, &name),
                Evaluated::Call(name, arguments) => match block_method(name, &arguments) {
                    Some(block) => {
                        let list = value.into_owned();
                        value = Cow::Owned(self.each_element(name, list, &block).await?);
                        continue;
                    }
                    None => members::call(&value, name, &arguments),
                },
                Evaluated::Index(index) => members::index(&value, &index),
            };
            let next = next.map_err(|message| Fault::value(step.at, message))?;
            let size = match &next {
                Value::Text(text) => text.len(),
                Value::List(_) | Value::Object(_) => next.size().ok_or_else(|| too_large(step.at))?,
                _ => 0,
            };
            self.meter.charge(step.at, size)?;
            value = Cow::Owned(next);
        }
        Ok(value.into_owned())
    }

    /// Evaluates the steps after the first one, which had a value.
    async fn rest_of_path(&mut self, at: usize, value: Value, rest: &[Step]) -> Flow<Value> {
        if rest.is_empty() {
            return Ok(value);
        }
        let base = Expression { at, kind: ExpressionKind::Literal(value) };
        Box::pin(self.path(&base, rest)).await
    }

    /// Runs `.Where({ ... })` and `.ForEach({ ... })`.
    async fn each_element(&mut self, method: &str, list: Value, block: &Block) -> Flow<Value> {
        let mut kept = Vec::new();
        for value in list.into_stream() {
            let result = self.block_value(block, value.clone()).await?;
            if method.eq_ignore_ascii_case("Where") {
                kept.extend(if result.is_true() { Some(value) } else { None });
            } else {
                kept.extend(result.into_stream());
            }
        }
        Ok(Value::List(kept))
    }

    /// Runs a method that changes a variable: `$list.Add($x)`, `$table.Remove('a')`.
    async fn change_by_method(&mut self, base: &Expression, steps: &[Step]) -> Flow<Option<Value>> {
        let (
            ExpressionKind::Variable { scope: Scope::Nearest, name },
            [Step { at, kind: StepKind::Call(method, arguments) }],
        ) = (&base.kind, steps)
        else {
            return Ok(None);
        };
        if !members::is_change(method)
            || !matches!(self.scopes.get(name), Some(Value::List(_) | Value::Object(_)))
        {
            return Ok(None);
        }
        let arguments = self.each(arguments).await?;
        let mut added = 0;
        for argument in &arguments {
            added += argument.size_at(1).ok_or_else(|| too_large(*at))?;
        }
        let Some((mut whole, size)) = self.scopes.take(name) else { return Ok(None) };
        let length = match &whole {
            Value::List(values) => values.len(),
            Value::Object(object) => object.len(),
            _ => 0,
        };
        let is_removal =
            ["Remove", "RemoveAt", "Clear"].iter().any(|known| known.eq_ignore_ascii_case(method));
        let result =
            members::change(&mut whole, method, arguments).map_err(|message| Fault::value(*at, message));
        let removed = match &result {
            Ok(Some(old)) => old.size().unwrap_or_default(),
            _ => 0,
        };
        let added = if is_removal || result.is_err() { 0 } else { added };
        self.keep_changed(*at, name, whole, (size + added).saturating_sub(removed))?;
        // Elements behind the changed one move.
        self.meter.step(*at, length >> 4)?;
        result?;
        Ok(Some(Value::Null))
    }

    /// Evaluates the first step of `[System.Text.Encoding]::UTF8.GetBytes(text)`. An encoding alone is no value.
    async fn encoded(&mut self, base: &Expression, steps: &[Step]) -> Flow<Option<Value>> {
        let ExpressionKind::Static { type_name, member, arguments: None } = &base.kind else {
            return Ok(None);
        };
        let Some(encoding) = statics::encoding(type_name, member) else { return Ok(None) };
        let [Step { kind: StepKind::Call(method, arguments), at }, ..] = steps else { return Ok(None) };
        let arguments = self.each(arguments).await?;
        Ok(Some(statics::encode(*at, encoding, method, &arguments)?))
    }
}

/// Bytes of a value that a step reads, approximately.
fn read_bytes(value: &Value, step: &Evaluated<'_>) -> usize {
    match (value, step) {
        (Value::Text(text), _) => text.len(),
        (Value::List(_), Evaluated::Index(_)) => 0,
        (Value::List(_), Evaluated::Member(name))
            if ["Count", "Length"].iter().any(|known| known.eq_ignore_ascii_case(name)) =>
        {
            0
        }
        (Value::List(values), _) => values.len().saturating_mul(16),
        _ => 0,
    }
}

/// Returns the block of `.Where({ ... })` or `.ForEach({ ... })`.
fn block_method(name: &str, arguments: &[Value]) -> Option<std::sync::Arc<Block>> {
    match arguments {
        [Value::Block(block)]
            if ["Where", "ForEach"].iter().any(|known| known.eq_ignore_ascii_case(name)) =>
        {
            block.content()
        }
        _ => None,
    }
}
