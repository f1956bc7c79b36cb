//! Runs scripts. Each value goes down its pipeline as soon as it is there.

mod assign;
mod bind;
mod change_members;
mod cmdlet;
mod columns;
mod command;
mod common;
mod compare_objects;
mod consumer;
mod control;
mod convert_cmdlets;
mod errors;
mod expression;
mod function;
pub(crate) mod interrupt;
mod path;
mod pipeline;
mod redirect;
mod rules;
mod should_process;
mod stage;
mod statics;
mod stopwatch;
mod switch;
mod utility;
mod variables;
mod where_object;

use std::sync::Arc;

use crate::{
    ast::{Block, Statement, StatementKind},
    compare::Regexes,
    error::Fault,
    host::Host,
    invocation::Invocation,
    limits::Meter,
    output::ScriptOutput,
    printer::Printer,
    scopes::Scopes,
    value::Value,
};
pub(crate) use bind::find as find_parameter;
pub(crate) use change_members::changed_variable;
use consumer::Consumer;
use errors::ErrorLog;
use interrupt::{Boxed, Flow, Interrupt};
pub(crate) use statics::check_static;
pub(crate) use variables::{AUTOMATIC, never_set};

/// State of a running script.
pub(crate) struct Evaluator<'r, H> {
    pub(crate) host: &'r H,
    pub(crate) scopes: &'r mut Scopes,
    pub(crate) output: &'r mut dyn FnMut(ScriptOutput<'_>),
    pub(crate) printer: Printer,
    pub(crate) meter: Meter,
    pub(crate) regexes: Regexes,
    pub(crate) errors: ErrorLog,
    pub(crate) invocation: Invocation,
    /// Script of the running block.
    pub(crate) source: Arc<str>,
    /// Value of `$_` inside a script block.
    current: Option<Value>,
    /// Receivers of values. The last one gets the next value; without any, it is shown.
    consumers: Vec<Consumer>,
    /// Commands whose lack of effect was already told.
    told: &'r mut Vec<String>,
}

/// Objects that the evaluator needs from the caller.
pub(crate) struct Surroundings<'r, H> {
    pub(crate) host: &'r H,
    pub(crate) scopes: &'r mut Scopes,
    pub(crate) output: &'r mut dyn FnMut(ScriptOutput<'_>),
    pub(crate) told: &'r mut Vec<String>,
    pub(crate) meter: Meter,
    pub(crate) width: Option<usize>,
    pub(crate) invocation: Invocation,
    pub(crate) source: Arc<str>,
}

impl<'r, H: Host> Evaluator<'r, H> {
    pub(crate) fn new(around: Surroundings<'r, H>) -> Self {
        Self {
            host: around.host,
            scopes: around.scopes,
            output: around.output,
            printer: Printer::new(around.width),
            meter: around.meter,
            regexes: Regexes::new(around.meter.limits.bounds()),
            errors: ErrorLog::default(),
            invocation: around.invocation,
            source: around.source,
            current: None,
            consumers: Vec::new(),
            told: around.told,
        }
    }

    /// Runs a whole script. Returns its exit code, if it has an `exit`.
    pub(crate) async fn run(&mut self, script: &Block) -> Result<Option<i64>, Fault> {
        let outcome = self.script(script).await;
        self.scopes.close_to(1);
        self.consumers.clear();
        self.write_out(true)?;
        match outcome {
            Ok(()) | Err(Interrupt::Return | Interrupt::Break(_) | Interrupt::Continue(_)) => Ok(None),
            Err(Interrupt::Exit(code)) => Ok(Some(code)),
            Err(Interrupt::Fault(fault)) => Err(*fault),
        }
    }

    async fn script(&mut self, script: &Block) -> Flow<()> {
        self.script_parameters(script).await?;
        self.body(&script.begin).await?;
        if let Some(process) = &script.process {
            self.body(process).await?;
        }
        self.body(&script.end).await
    }

    /// Runs statements one after another.
    fn body<'a>(&'a mut self, statements: &'a [Statement]) -> Boxed<'a, ()> {
        Box::pin(async move {
            for statement in statements {
                self.deeper(statement.at)?;
                let result = self.statement(statement).await;
                self.meter.depth -= 1;
                result?;
                if self.consumers.is_empty() {
                    self.write_out(true)?;
                }
            }
            Ok(())
        })
    }

    fn deeper(&mut self, at: usize) -> Result<(), Fault> {
        if self.meter.depth >= self.meter.limits.depth {
            return Err(Fault::limit(at, "calls and blocks are nested too deeply"));
        }
        self.meter.depth += 1;
        Ok(())
    }

    async fn statement(&mut self, statement: &Statement) -> Flow<()> {
        self.tick(statement.at, 0).await?;
        match &statement.kind {
            StatementKind::Pipeline(pipeline) => self.pipeline(pipeline).await,
            StatementKind::Assign(assignment) => self.assign(statement.at, assignment).await.map(drop),
            StatementKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.value_of(condition).await?.is_true() {
                        return self.body(body).await;
                    }
                }
                match otherwise {
                    Some(body) => self.body(body).await,
                    None => Ok(()),
                }
            }
            StatementKind::Loop(a_loop) => self.run_loop(a_loop).await,
            StatementKind::Switch(switch) => self.switch(switch).await,
            StatementKind::Try { body, catches, finally } => self.run_try(body, catches, finally).await,
            StatementKind::Function { name, block } => {
                self.scopes.define(name, block.clone());
                Ok(())
            }
            StatementKind::Break(label) => Err(Interrupt::Break(label.clone())),
            StatementKind::Continue(label) => Err(Interrupt::Continue(label.clone())),
            StatementKind::Return(value) => {
                if let Some(value) = value {
                    self.statement_of(value).await?;
                }
                Err(Interrupt::Return)
            }
            StatementKind::Throw(value) => self.throw(statement.at, value.as_deref()).await,
            StatementKind::Exit(value) => self.exit(value.as_deref()).await,
        }
    }

    /// Runs a statement inside another one.
    fn statement_of<'a>(&'a mut self, statement: &'a Statement) -> Boxed<'a, ()> {
        Box::pin(async move {
            self.deeper(statement.at)?;
            let result = self.statement(statement).await;
            self.meter.depth -= 1;
            result
        })
    }

    async fn exit(&mut self, value: Option<&Statement>) -> Flow<()> {
        let code = match value {
            Some(value) => match self.value_of(value).await? {
                Value::Number(number) => number.as_i64().unwrap_or(1),
                Value::Null => 0,
                other => i64::from(other.is_true()),
            },
            None => 0,
        };
        Err(Interrupt::Exit(code))
    }

    /// Counts a step, and lets the host breathe now and then.
    async fn tick(&mut self, at: usize, count: usize) -> Flow<()> {
        if self.meter.step(at, count)? {
            self.write_out(false)?;
            self.meter.breathed();
            self.host.breathe().await.map_err(|error| Fault::limit(at, error.message))?;
        }
        Ok(())
    }

    /// Writes the lines that are ready; with `all`, also objects that wait for the next one of their kind.
    fn write_out(&mut self, all: bool) -> Result<(), Fault> {
        if all {
            self.printer.flush();
        }
        let lines = self.printer.take();
        if !lines.is_empty() {
            self.meter.write(0, lines.len())?;
            (self.output)(ScriptOutput::Text(&lines));
        }
        Ok(())
    }

    /// Writes a line that is no result, after all results before it.
    fn tell(&mut self, line: ScriptOutput<'_>) -> Result<(), Fault> {
        self.printer.interrupt();
        self.write_out(true)?;
        let length = match line {
            ScriptOutput::Text(text) | ScriptOutput::Warning(text) | ScriptOutput::Note(text) => text.len(),
            ScriptOutput::Error(error) => error.message.len(),
        };
        self.meter.write(0, length)?;
        (self.output)(line);
        Ok(())
    }
}
