//! Runs assignments.

use super::{
    Evaluator,
    interrupt::{Boxed, Flow, Interrupt},
    statics,
};
use crate::{
    ast::{Assignment, Expression, ExpressionKind, Scope, Step, StepKind},
    error::{ErrorKind, Fault},
    host::Host,
    limits::too_large,
    members::{self, Key},
    operator::Operator,
    value::{MAX_SIZE, Value},
};

impl<H: Host> Evaluator<'_, H> {
    /// Runs an assignment. Returns the value that was set.
    pub(super) fn assign<'a>(&'a mut self, at: usize, assignment: &'a Assignment) -> Boxed<'a, Value> {
        Box::pin(async move {
            let value = self.value_of(&assignment.value).await?;
            match (&assignment.operator, assignment.targets.as_slice()) {
                (None, [target]) => {
                    self.set_target(target, value.clone()).await?;
                    Ok(value)
                }
                (None, targets) => {
                    let mut rest = value.clone().into_stream();
                    for (index, target) in targets.iter().enumerate() {
                        let part = if index + 1 == targets.len() {
                            Value::from_stream(std::mem::take(&mut rest))
                        } else if rest.is_empty() {
                            Value::Null
                        } else {
                            rest.remove(0)
                        };
                        self.set_target(target, part).await?;
                    }
                    Ok(value)
                }
                (Some(operator), [target]) => self.change(at, target, *operator, value).await,
                (Some(_), _) => Err(Fault::syntax(at, "only one variable can be changed at a time").into()),
            }
        })
    }

    async fn change(
        &mut self,
        at: usize,
        target: &Expression,
        operator: Operator,
        value: Value,
    ) -> Flow<Value> {
        if let (Operator::Add, ExpressionKind::Variable { scope: Scope::Nearest, name }) =
            (operator, &target.kind)
        {
            let size = value.size().ok_or_else(|| too_large(at))?;
            self.meter.charge(at, size)?;
            let Some(value) = self.scopes.append(name, value, size) else {
                self.meter.check_memory(at, self.scopes.size())?;
                return Ok(Value::Null);
            };
            return self.change_slowly(at, target, operator, value).await;
        }
        self.change_slowly(at, target, operator, value).await
    }

    async fn change_slowly(
        &mut self,
        at: usize,
        target: &Expression,
        operator: Operator,
        value: Value,
    ) -> Flow<Value> {
        let left = match &target.kind {
            ExpressionKind::Variable { scope, name } => match self.scoped_variable(target.at, *scope, name) {
                Ok(value) => value,
                Err(Interrupt::Fault(fault)) if fault.kind == ErrorKind::Limit => {
                    return Err(Interrupt::Fault(fault));
                }
                Err(_) => Value::Null,
            },
            _ => self.expression(target).await?,
        };
        let result = self.operate(at, left, operator, value)?;
        self.set_target(target, result.clone()).await?;
        Ok(result)
    }

    pub(super) async fn increment(&mut self, target: &Expression, by: i64, is_post: bool) -> Flow<Value> {
        let old = match &target.kind {
            ExpressionKind::Variable { scope, name } => self.scoped_variable(target.at, *scope, name)?,
            _ => self.expression(target).await?,
        };
        let old = if old == Value::Null { Value::from(0_i64) } else { old };
        if !matches!(old, Value::Number(_)) {
            return Err(Fault::value(target.at, "only a number can be counted up or down").into());
        }
        let new = self.operate(target.at, old.clone(), Operator::Add, by.into())?;
        self.set_target(target, new.clone()).await?;
        Ok(if is_post { old } else { new })
    }

    fn set_target<'a>(&'a mut self, target: &'a Expression, value: Value) -> Boxed<'a, ()> {
        Box::pin(async move {
            let at = target.at;
            match &target.kind {
                ExpressionKind::Variable { scope, name } => {
                    self.set_variable(at, name, value, *scope == Scope::Outermost)
                }
                ExpressionKind::Cast { type_name, value: inner } => {
                    let value = statics::cast(at, type_name, value)?;
                    self.set_target(inner, value).await
                }
                ExpressionKind::Path { base, steps } => self.set_path(base, steps, value).await,
                _ => Ok(()),
            }
        })
    }

    async fn set_path(&mut self, base: &Expression, steps: &[Step], value: Value) -> Flow<()> {
        let at = base.at;
        let ExpressionKind::Variable { name, .. } = &base.kind else { return Ok(()) };
        let mut keys = Vec::with_capacity(steps.len());
        for step in steps {
            keys.push(match &step.kind {
                StepKind::Member(name) => Key::Member(name.clone()),
                StepKind::Computed(name) => Key::Member(crate::text::show(&self.expression(name).await?)),
                StepKind::Index(index) => Key::Index(self.expression(index).await?),
                StepKind::Call(name, _) => {
                    return Err(
                        Fault::value(step.at, format!("the result of {name}() cannot be changed")).into()
                    );
                }
            });
        }
        let added = value.size_at(keys.len()).ok_or_else(|| too_large(at))?;
        let Some((mut whole, size)) = self.scopes.take(name) else {
            return Err(Fault::value(at, format!("the variable ${name} has no value yet")).into());
        };
        let place = steps.last().map_or(at, |step| step.at);
        let result = members::set(&mut whole, &keys, value).map_err(|message| Fault::value(place, message));
        // The whole value may be large. Only the part that changes is measured.
        let name_length = match keys.last() {
            Some(Key::Member(name) | Key::Index(Value::Text(name))) => name.len(),
            _ => 0,
        };
        let size = match &result {
            Ok(Some(old)) => (size + added).saturating_sub(old.size().unwrap_or_default()),
            Ok(None) => size + added + name_length,
            Err(_) => size,
        };
        self.keep_changed(at, name, whole, size)?;
        result?;
        Ok(())
    }

    /// Puts a changed value back, and checks its size.
    pub(super) fn keep_changed(
        &mut self,
        at: usize,
        name: &str,
        whole: Value,
        size: usize,
    ) -> Result<(), Fault> {
        self.scopes.put_back(name, whole, size);
        if size > MAX_SIZE {
            return Err(too_large(at));
        }
        self.meter.check_memory(at, self.scopes.size())
    }
}
