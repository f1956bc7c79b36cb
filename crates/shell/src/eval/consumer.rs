//! Receivers of the values of a pipeline.

use super::{
    Evaluator,
    interrupt::{Boxed, Flow},
    stage::StageState,
};
use crate::{
    ast::{Stage, StageKind, Statement, StatementKind},
    host::Host,
    limits::too_large,
    value::Value,
};

/// Receiver of values.
pub(super) enum Consumer {
    /// Keeps them, with their size.
    Buffer {
        values: Vec<Value>,
        size: usize,
    },
    Stage(Box<StageState>),
}

impl<H: Host> Evaluator<'_, H> {
    /// Gives a value to the next stage, or shows it.
    pub(super) async fn emit(&mut self, at: usize, value: Value) -> Flow<()> {
        match self.consumers.last_mut() {
            None => {
                self.printer.show(value);
                if !self.printer.is_waiting() {
                    self.write_out(false)?;
                }
                Ok(())
            }
            Some(Consumer::Buffer { values, size }) => {
                let own = value.size().ok_or_else(|| too_large(at))?;
                *size += own;
                values.push(value);
                self.meter.hold(at, own, self.scopes.size())?;
                Ok(())
            }
            Some(Consumer::Stage(_)) => self.feed(at, value).await,
        }
    }

    pub(super) async fn emit_all(&mut self, at: usize, value: Value) -> Flow<()> {
        match value {
            Value::Null => Ok(()),
            Value::List(mut more) if matches!(self.consumers.last(), Some(Consumer::Buffer { .. })) => {
                let list = Value::List(std::mem::take(&mut more));
                let own = list.size().ok_or_else(|| too_large(at))?;
                if let Some(Consumer::Buffer { values, size }) = self.consumers.last_mut() {
                    *size += own;
                    values.extend(list.into_stream());
                }
                Ok(self.meter.hold(at, own, self.scopes.size())?)
            }
            Value::List(values) => {
                for value in values {
                    self.emit(at, value).await?;
                }
                Ok(())
            }
            one => self.emit(at, one).await,
        }
    }

    /// Gives a value to the stage on top. What the stage emits goes to the one below.
    fn feed(&mut self, at: usize, value: Value) -> Boxed<'_, ()> {
        Box::pin(async move {
            self.deeper(at)?;
            self.tick(at, 0).await?;
            let Some(Consumer::Stage(mut stage)) = self.consumers.pop() else { return Ok(()) };
            // A stage runs in the scope of its pipeline, also if a function further up emits the value.
            let inner = self.scopes.leave_to(stage.depth);
            let result = self.process(&mut stage, value).await;
            self.scopes.enter_all(inner);
            self.consumers.push(Consumer::Stage(stage));
            self.meter.depth -= 1;
            result
        })
    }

    /// Runs a statement, and keeps its values.
    pub(super) async fn gather(&mut self, statement: &Statement) -> Flow<Vec<Value>> {
        let base = self.begin_gather();
        let result = self.statement_of(statement).await;
        let values = self.end_gather(base);
        result?;
        Ok(values)
    }

    /// Runs statements, and keeps their values.
    pub(super) async fn gather_body(&mut self, statements: &[Statement]) -> Flow<Vec<Value>> {
        let base = self.begin_gather();
        let result = self.body(statements).await;
        let values = self.end_gather(base);
        result?;
        Ok(values)
    }

    pub(super) fn begin_gather(&mut self) -> usize {
        self.consumers.push(Consumer::Buffer { values: Vec::new(), size: 0 });
        self.consumers.len() - 1
    }

    pub(super) fn end_gather(&mut self, base: usize) -> Vec<Value> {
        self.consumers.truncate(base + 1);
        match self.consumers.pop() {
            Some(Consumer::Buffer { values, size }) => {
                self.meter.release(size);
                values
            }
            _ => Vec::new(),
        }
    }

    /// Returns the value of a statement. A single expression is not split into elements: `@(1)` stays a list.
    pub(super) fn value_of<'a>(&'a mut self, statement: &'a Statement) -> Boxed<'a, Value> {
        Box::pin(async move {
            if let StatementKind::Pipeline(pipeline) = &statement.kind
                && let [Stage { kind: StageKind::Expression(expression), redirections }] =
                    pipeline.stages.as_slice()
                && redirections.is_empty()
            {
                let before = self.errors.total;
                let value = self.expression(expression).await?;
                self.errors.is_ok = self.errors.total == before;
                return Ok(value);
            }
            if let StatementKind::Assign(assignment) = &statement.kind {
                return self.assign(statement.at, assignment).await;
            }
            let values = self.gather(statement).await?;
            Ok(Value::from_stream(values))
        })
    }
}
