//! Stages of a running pipeline: what each does with a value, and at the end.

use std::sync::Arc;

use super::{
    Evaluator,
    cmdlet::{lines, screen_text},
    common::Common,
    function::Call,
    interrupt::{Boxed, Flow},
    where_object::Filter,
};
use crate::{
    ast::{Block, Stream},
    cmdlets::{BoundArguments, Cmdlet},
    error::Fault,
    host::{Argument, Host},
    limits::too_large,
    members::property,
    text,
    value::Value,
};

/// Stage of a running pipeline.
pub(super) struct StageState {
    pub(super) at: usize,
    pub(super) common: Common,
    /// Number of scopes when the pipeline began.
    pub(super) depth: usize,
    /// True if nothing is piped to it.
    pub(super) is_first: bool,
    pub(super) work: Work,
}

pub(super) enum Work {
    /// Command of the host.
    Host {
        name: String,
        arguments: Vec<Argument>,
        places: Vec<usize>,
    },
    ForEach {
        begin: Option<Arc<Block>>,
        process: Vec<ForEach>,
        end: Option<Arc<Block>>,
    },
    Where(Filter),
    Function(Box<Call>),
    /// Cmdlet of the language that needs all values.
    Collect {
        cmdlet: Cmdlet,
        bound: BoundArguments,
        values: Vec<Value>,
        size: usize,
    },
    /// Variable that gets the values too (`-OutVariable`).
    Capture {
        name: String,
        values: Vec<Value>,
        size: usize,
    },
    /// File of a redirection.
    File {
        path: String,
        appends: bool,
        stream: Stream,
        values: Vec<Value>,
        size: usize,
    },
    Discard,
}

/// Work of ForEach-Object with a value.
pub(super) enum ForEach {
    Block(Arc<Block>),
    Property(String),
}

impl<H: Host> Evaluator<'_, H> {
    /// Runs the first stage of a pipeline, to which nothing is piped.
    pub(super) fn start(&mut self, stage: StageState) -> Boxed<'_, ()> {
        Box::pin(async move {
            match &stage.work {
                Work::Host { .. } => self.invoke(&stage, None).await,
                Work::Function(call) if call.lacks().is_some() => {
                    let name = call.lacks().unwrap_or_default();
                    let message = format!("nothing is piped to the function, so it needs -{name}");
                    Err(Fault::value(stage.at, message).into())
                }
                _ => self.finish(stage).await,
            }
        })
    }

    /// Gives a value to a stage.
    pub(super) async fn process(&mut self, stage: &mut StageState, value: Value) -> Flow<()> {
        let at = stage.at;
        match &mut stage.work {
            Work::Host { .. } => self.invoke(stage, Some(value)).await,
            Work::ForEach { begin, process, .. } => {
                if let Some(begin) = begin.take() {
                    self.run_block(&begin, None).await?;
                }
                for one in process {
                    match one {
                        ForEach::Block(block) => self.run_block(block, Some(value.clone())).await?,
                        ForEach::Property(name) => {
                            let found =
                                property(&value, name).map_err(|message| Fault::value(at, message))?;
                            self.emit_all(at, found).await?;
                        }
                    }
                }
                Ok(())
            }
            Work::Where(filter) => {
                if self.passes(at, filter, &value).await? {
                    self.emit(at, value).await?;
                }
                Ok(())
            }
            Work::Function(call) => self.process_call(call, value).await,
            Work::Collect { values, size, .. } | Work::File { values, size, .. } => {
                let own = value.size().ok_or_else(|| too_large(at))?;
                *size += own;
                values.push(value);
                Ok(self.meter.hold(at, own, self.scopes.size())?)
            }
            Work::Capture { values, size, .. } => {
                let own = value.size().ok_or_else(|| too_large(at))?;
                *size += own;
                values.push(value.clone());
                self.meter.hold(at, own, self.scopes.size())?;
                self.emit(at, value).await
            }
            Work::Discard => Ok(()),
        }
    }

    /// Ends a stage: no further value comes.
    pub(super) async fn finish(&mut self, stage: StageState) -> Flow<()> {
        let StageState { at, common, is_first, work, .. } = stage;
        match work {
            Work::Host { .. } | Work::Where(_) | Work::Discard => Ok(()),
            Work::ForEach { begin, end, .. } => {
                for block in begin.into_iter().chain(end) {
                    self.run_block(&block, None).await?;
                }
                Ok(())
            }
            Work::Function(mut call) => {
                self.end_call(&mut call).await?;
                self.keep_errors(&call, &common)
            }
            Work::Collect { cmdlet, bound, values, size } => {
                self.meter.release(size);
                self.meter.step(at, values.len())?;
                let run = super::cmdlet::Run { cmdlet, at, bound, input: values, is_first, common };
                self.cmdlet(run).await
            }
            Work::Capture { name, values, size } => {
                self.meter.release(size);
                self.set_variable(at, &name, Value::List(values), false)
            }
            Work::File { path, appends, stream, values, size } => {
                self.meter.release(size);
                let text =
                    if stream == Stream::Errors { lines(&values, text::show) } else { screen_text(values) };
                Ok(self.write_file(at, &path, text.as_bytes(), appends)?)
            }
        }
    }
}
