//! Calls functions and script blocks.

use std::sync::Arc;

use super::{
    Evaluator,
    interrupt::{Boxed, Flow, Interrupt},
};
use crate::{
    ast::{Block, Parameter},
    host::Host,
    limits::too_large,
    scopes::Detached,
    value::Value,
};

/// Call of a function in a pipeline.
pub(super) struct Call {
    pub(super) block: Arc<Block>,
    /// Its variables while others run; `None` if it has no scope of its own.
    pub(super) scope: Option<Detached>,
    pub(super) has_begun: bool,
    /// Objects of the pipe, for `$input`.
    pub(super) input: Vec<Value>,
    /// Size of the input.
    pub(super) held: usize,
    /// Parameters with an argument. The pipe does not change them.
    pub(super) given: Vec<String>,
    /// Number of errors when it was called.
    pub(super) errors_before: usize,
}

impl Call {
    /// Returns the parameter that must have a value, and gets none without a pipe.
    pub(super) fn lacks(&self) -> Option<&str> {
        let lacks = |parameter: &&Parameter| parameter.is_mandatory && !self.given.contains(&parameter.name);
        self.block.parameters.iter().find(lacks).map(|parameter| parameter.name.as_str())
    }
}

/// Part of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Begin,
    Process,
    End,
}

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn process_call(&mut self, call: &mut Call, value: Value) -> Flow<()> {
        self.begin_call(call).await?;
        if call.block.process.is_none() {
            let own = value.size().ok_or_else(|| too_large(0))?;
            call.held += own;
            call.input.push(value);
            return Ok(self.meter.hold(0, own, self.scopes.size())?);
        }
        self.part(call, Part::Process, Some(value)).await
    }

    async fn begin_call(&mut self, call: &mut Call) -> Flow<()> {
        if call.has_begun {
            return Ok(());
        }
        call.has_begun = true;
        if call.block.begin.is_empty() { Ok(()) } else { self.part(call, Part::Begin, None).await }
    }

    pub(super) async fn end_call(&mut self, call: &mut Call) -> Flow<()> {
        let is_alone = !call.has_begun;
        self.begin_call(call).await?;
        if is_alone && call.block.process.is_some() {
            self.part(call, Part::Process, None).await?;
        }
        let input = std::mem::take(&mut call.input);
        self.meter.release(std::mem::take(&mut call.held));
        self.part(call, Part::End, if input.is_empty() { None } else { Some(Value::List(input)) }).await
    }

    /// Runs a part of a function in its scope.
    fn part<'a>(&'a mut self, call: &'a mut Call, part: Part, value: Option<Value>) -> Boxed<'a, ()> {
        Box::pin(async move {
            // A call needs about as much of the stack as three blocks.
            for _ in 0..3 {
                self.deeper(0)?;
            }
            let depth = self.scopes.depth();
            let has_scope = call.scope.is_some();
            if let Some(scope) = call.scope.take() {
                self.scopes.enter(scope);
            }
            let block = call.block.clone();
            let statements = match part {
                Part::Begin => &block.begin,
                Part::Process => block.process.as_ref().unwrap_or(&block.end),
                Part::End => &block.end,
            };
            let result = self.with_value(&call.given, part, value, &block, statements).await;
            self.scopes.close_to(depth + usize::from(has_scope));
            if has_scope {
                call.scope = Some(self.scopes.leave());
            }
            self.meter.depth -= 3;
            match result {
                Err(Interrupt::Return) => Ok(()),
                other => other,
            }
        })
    }

    async fn with_value(
        &mut self,
        given: &[String],
        part: Part,
        value: Option<Value>,
        block: &Block,
        statements: &[crate::ast::Statement],
    ) -> Flow<()> {
        let mut outer = None;
        if let Some(value) = value {
            if part == Part::End {
                let last = if let Value::List(values) = &value { values.last().cloned() } else { None };
                self.set_variable(0, "input", value, false)?;
                if let Some(last) = last {
                    self.piped_parameters(&block.parameters, given, &last).await?;
                }
            } else {
                self.piped_parameters(&block.parameters, given, &value).await?;
                outer = Some(self.current.replace(value));
            }
        }
        let result = self.in_source(block, statements).await;
        if let Some(outer) = outer {
            self.current = outer;
        }
        result
    }

    /// Runs statements of a block. Errors get the block's script for their positions.
    async fn in_source(&mut self, block: &Block, statements: &[crate::ast::Statement]) -> Flow<()> {
        let outer = std::mem::replace(&mut self.source, block.source.clone());
        let result = self.body(statements).await;
        let inner = std::mem::replace(&mut self.source, outer);
        result.map_err(|interrupt| match interrupt {
            Interrupt::Fault(mut fault) => {
                fault.source.get_or_insert(inner);
                Interrupt::Fault(fault)
            }
            other => other,
        })
    }

    /// Runs a script block in the current scope, with the value as `$_` if there is one.
    pub(super) fn run_block<'a>(&'a mut self, block: &'a Block, value: Option<Value>) -> Boxed<'a, ()> {
        Box::pin(async move {
            self.deeper(0)?;
            let outer = value.map(|value| self.current.replace(value));
            let statements = block.process.as_ref().unwrap_or(&block.end);
            let result = self.in_source(block, statements).await;
            if let Some(outer) = outer {
                self.current = outer;
            }
            self.meter.depth -= 1;
            match result {
                Err(Interrupt::Return) => Ok(()),
                other => other,
            }
        })
    }

    /// Runs a script block in the current scope, and returns its values.
    pub(super) async fn block_value(&mut self, block: &Block, value: Value) -> Flow<Value> {
        let base = self.begin_gather();
        let result = self.run_block(block, Some(value)).await;
        let values = self.end_gather(base);
        result?;
        Ok(Value::from_stream(values))
    }
}
