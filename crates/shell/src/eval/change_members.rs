//! `$object | Add-Member ...`, which changes the object of the variable.

use super::{Evaluator, interrupt::Boxed};
use crate::{
    ast::{
        Command, CommandName, Expression, ExpressionKind, Pipeline, Scope, Stage, StageKind, Word, WordKind,
    },
    host::Host,
    limits::too_large,
    value::Value,
};

/// Switch with which Add-Member returns the changed objects.
const PASS_THRU: &str = "PassThru";

impl<H: Host> Evaluator<'_, H> {
    /// Runs such a pipeline for the variable.
    pub(super) fn change_members<'a>(&'a mut self, pipeline: &'a Pipeline, name: &'a str) -> Boxed<'a, ()> {
        Box::pin(async move {
            let base = self.begin_gather();
            let result = self.stages(&with_pass_thru(pipeline), base + 1).await;
            let values = self.end_gather(base);
            result?;
            let value = Value::from_stream(values);
            let size = value.size().ok_or_else(|| too_large(0))?;
            // Where the variable is, which may be outside of the function.
            if self.scopes.take(name).is_some() {
                self.scopes.put_back(name, value, size);
            }
            Ok(self.meter.check_memory(0, self.scopes.size())?)
        })
    }
}

/// Returns the variable of `$x | Add-Member ...` or `Add-Member -InputObject $x ...`, without `-PassThru`.
pub(crate) fn changed_variable(pipeline: &Pipeline) -> Option<&str> {
    let (first, last) = match pipeline.stages.as_slice() {
        [last] => (None, last),
        [Stage { kind: StageKind::Expression(first), .. }, last] => (Some(first), last),
        _ => return None,
    };
    let StageKind::Command(Command { name: CommandName::Literal(name), arguments, .. }) = &last.kind else {
        return None;
    };
    let names = |word: &Word, wanted: &str| matches!(&word.kind, WordKind::Parameter { name, .. } if name.eq_ignore_ascii_case(wanted));
    if !name.eq_ignore_ascii_case("Add-Member") || arguments.iter().any(|word| names(word, PASS_THRU)) {
        return None;
    }
    let object = if let Some(first) = first {
        first
    } else {
        let place = arguments.iter().position(|word| names(word, "InputObject"))?;
        match &arguments.get(place + 1)?.kind {
            WordKind::Value(value) => value,
            _ => return None,
        }
    };
    match &object.kind {
        ExpressionKind::Variable { scope: Scope::Nearest, name } => Some(name),
        _ => None,
    }
}

fn with_pass_thru(pipeline: &Pipeline) -> Pipeline {
    let mut pipeline = pipeline.clone();
    if let Some(Stage { kind: StageKind::Command(command), .. }) = pipeline.stages.last_mut() {
        let yes = ExpressionKind::Literal(Value::Bool(true));
        let value = Some(Expression { at: command.at, kind: yes });
        let kind = WordKind::Parameter { name: PASS_THRU.to_owned(), value };
        command.arguments.push(Word { at: command.at, kind });
    }
    pipeline
}
