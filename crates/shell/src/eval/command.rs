//! Prepares the commands of a pipeline, and runs those of the host.

use std::sync::Arc;

use super::{
    Evaluator,
    common::{Common, common},
    interrupt::Flow,
    stage::{ForEach, StageState, Work},
};
use crate::{
    ast::{Block, Command, CommandName, Word, WordKind},
    cmdlets::{self, BoundArguments, Cmdlet, CmdletArgument, CmdletKind},
    error::{ErrorKind, Fault, HostError},
    host::{Argument, Host},
    names::{self, Resolved},
    output::ScriptOutput,
    text,
    value::{Form, Value},
};

impl<H: Host> Evaluator<'_, H> {
    /// Evaluates the arguments of a command. Returns its stage, and one for `-OutVariable`.
    pub(super) async fn prepare(
        &mut self,
        command: &Command,
        is_first: bool,
    ) -> Flow<(StageState, Option<StageState>)> {
        let at = command.at;
        let name = match &command.name {
            CommandName::Literal(name) => name.clone(),
            CommandName::Called { value, has_scope } => match self.expression(value).await? {
                Value::Text(name) => name,
                Value::Block(block) => {
                    let Some(block) = block.content::<Block>() else {
                        return Err(Fault::value(at, "this block cannot run").into());
                    };
                    let arguments = self.words(&command.arguments).await?;
                    let (common, arguments) = common(arguments)?;
                    let call = self.call_of(at, "this block", block, arguments, *has_scope);
                    let mut call = call.await?;
                    self.prefer(&mut call, &common)?;
                    return Ok(self.staged(at, common, is_first, Work::Function(call)));
                }
                other => {
                    let message = format!("`{}` is neither a command nor a script block", text::show(&other));
                    return Err(Fault::value(at, message).into());
                }
            },
        };
        // Before the arguments are evaluated, because they may ask for a password.
        let resolved = names::resolve(&name, at, self.scopes, self.host)?;
        let arguments = self.words(&command.arguments).await?;
        let (common, arguments) = common(arguments)?;
        let work = match resolved {
            Resolved::Function(block) => {
                let mut call = self.call_of(at, &name, block, arguments, true).await?;
                self.prefer(&mut call, &common)?;
                Work::Function(call)
            }
            Resolved::Cmdlet(cmdlet) => cmdlet_work(cmdlet, at, arguments)?,
            Resolved::Host(name) => host_work(name, arguments),
            Resolved::WithoutEffect(name, why) => {
                self.tell_once(name, why)?;
                answered(at, name)?
            }
        };
        Ok(self.staged(at, common, is_first, work))
    }

    fn staged(
        &self,
        at: usize,
        common: Common,
        is_first: bool,
        work: Work,
    ) -> (StageState, Option<StageState>) {
        let depth = self.scopes.depth();
        let capture = common.out_variable.clone().map(|name| StageState {
            at,
            common: Common::default(),
            depth,
            is_first: false,
            work: Work::Capture { name, values: Vec::new(), size: 0 },
        });
        (StageState { at, common, depth, is_first, work }, capture)
    }

    pub(super) async fn words<'a>(&mut self, words: &'a [Word]) -> Flow<Vec<CmdletArgument<'a>>> {
        let mut arguments = Vec::with_capacity(words.len());
        for word in words {
            let at = word.at;
            match &word.kind {
                WordKind::Parameter { name, value } => {
                    let value = match value {
                        Some(value) => Some(self.expression(value).await?),
                        None => None,
                    };
                    arguments.push(CmdletArgument::Parameter { at, name: name.into(), value });
                }
                WordKind::Value(value) => {
                    arguments.push(CmdletArgument::Value { at, item: self.expression(value).await? });
                }
                WordKind::Splat(name) => match self.variable(at, name)? {
                    Value::Object(object) => {
                        arguments.extend(object.iter().map(|(name, value)| CmdletArgument::Parameter {
                            at,
                            name: name.to_owned().into(),
                            value: Some(value.clone()),
                        }));
                    }
                    Value::Null => {}
                    other => arguments.extend(
                        other.into_stream().into_iter().map(|item| CmdletArgument::Value { at, item }),
                    ),
                },
            }
        }
        Ok(arguments)
    }

    /// Runs a command of the host, for one object or for none, or for each object that it names.
    pub(super) async fn invoke(&mut self, stage: &StageState, input: Option<Value>) -> Flow<()> {
        let Work::Host { name, arguments, .. } = &stage.work else { return Ok(()) };
        for arguments in self.host.for_each_object(name, arguments.clone()) {
            self.invoke_once(stage, arguments, input.clone()).await?;
        }
        Ok(())
    }

    async fn invoke_once(
        &mut self,
        stage: &StageState,
        arguments: Vec<Argument>,
        input: Option<Value>,
    ) -> Flow<()> {
        let Work::Host { name, places, .. } = &stage.work else { return Ok(()) };
        self.printer.flush();
        self.write_out(true)?;
        self.meter.restart();
        let arguments = self.with_what_if(name, arguments.clone());
        let outcome = self.host.invoke(name, arguments, input).await;
        for warning in self.host.take_warnings() {
            self.warn(&warning, &stage.common)?;
        }
        match outcome {
            Ok(values) => {
                let view: Option<Arc<[String]>> = self.host.default_view(name).map(Into::into);
                for value in values.into_iter().flat_map(Value::into_stream) {
                    self.emit(stage.at, viewed(value, view.as_ref())).await?;
                }
                Ok(())
            }
            Err(error) => {
                let HostError { message, argument, conceals, is_refusal, code } = error;
                let at = argument.and_then(|index| places.get(index).copied()).unwrap_or(stage.at);
                let fault = Fault { conceals, code, ..Fault::new(ErrorKind::Host, at, message) };
                if is_refusal {
                    self.errors.is_ok = false;
                    return Err(fault.into());
                }
                self.record(fault, &stage.common).await
            }
        }
    }

    /// Tells once that a command has no effect here.
    fn tell_once(&mut self, name: &str, why: &str) -> Flow<()> {
        if self.told.iter().any(|told| told == name) {
            return Ok(());
        }
        self.told.push(name.to_owned());
        Ok(self.tell(ScriptOutput::Note(&format!("{name} is not needed here: {why}")))?)
    }
}

fn cmdlet_work(cmdlet: Cmdlet, at: usize, arguments: Vec<CmdletArgument<'_>>) -> Flow<Work> {
    if cmdlet.kind == CmdletKind::WhereObject {
        return Ok(Work::Where(super::where_object::filter(cmdlet, at, arguments)?));
    }
    let mut bound = BoundArguments::new(cmdlet, arguments)?;
    Ok(match cmdlet.kind {
        CmdletKind::OutNull => Work::Discard,
        CmdletKind::ForEachObject => for_each(at, &mut bound)?,
        _ => Work::Collect { cmdlet, bound, values: Vec::new(), size: 0 },
    })
}

/// Returns the work of a command without an effect: its answer, if it has one.
fn answered(at: usize, name: &str) -> Flow<Work> {
    let (Some(item), Some(output)) = (names::answer(name), cmdlets::find("Write-Output")) else {
        return Ok(Work::Discard);
    };
    cmdlet_work(output, at, vec![CmdletArgument::Value { at, item }])
}

fn viewed(value: Value, view: Option<&Arc<[String]>>) -> Value {
    match (value, view) {
        (Value::Object(object), Some(view)) => Value::Object(object.with_form(Form::Viewed(view.clone()))),
        (value, _) => value,
    }
}

fn host_work(name: String, arguments: Vec<CmdletArgument<'_>>) -> Work {
    let places = arguments.iter().map(CmdletArgument::at).collect();
    let arguments = arguments.into_iter().map(|argument| match argument {
        CmdletArgument::Parameter { name, value, .. } => {
            Argument::Parameter { name: name.into_owned(), value }
        }
        CmdletArgument::Value { item, .. } => Argument::Value(item),
    });
    Work::Host { name, arguments: arguments.collect(), places }
}

fn for_each(at: usize, bound: &mut BoundArguments) -> Flow<Work> {
    let mut block = |name: &str| -> Flow<Option<Arc<Block>>> {
        let Some((at, value)) = bound.value(name) else { return Ok(None) };
        Ok(Some(cmdlets::block(at, &value)?))
    };
    let (mut begin, mut end) = (block("Begin")?, block("End")?);
    let Some((at, process)) = bound.value("Process") else {
        let message = "ForEach-Object needs a script block, as in `ForEach-Object { $_.Identity }`";
        return Err(Fault::value(at, message).into());
    };
    let items = if let Value::List(items) = process { items } else { vec![process] };
    let mut process = Vec::new();
    for item in items {
        process.push(match item {
            Value::Text(name) => ForEach::Property(name),
            other => ForEach::Block(cmdlets::block(at, &other)?),
        });
    }
    // Two blocks are begin and process, three are begin, process and end.
    if process.len() > 1
        && begin.is_none()
        && let ForEach::Block(block) = process.remove(0)
    {
        begin = Some(block);
        if process.len() > 1
            && end.is_none()
            && let Some(ForEach::Block(block)) = process.pop()
        {
            end = Some(block);
        }
    }
    Ok(Work::ForEach { begin, process, end })
}
