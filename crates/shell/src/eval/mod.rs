//! Runs scripts: statements, pipelines, and arguments of commands.

mod cmdlet;
mod expression;
mod filter;
mod statics;

use std::{collections::HashMap, future::Future, pin::Pin};

use crate::{
    ast::{Command, Expression, ExpressionKind, Pipeline, Stage, Statement, WordKind},
    cmdlets::{self, ArgumentValue, CmdletArgument, CmdletKind},
    compare::Regexes,
    error::{ErrorKind, Fault, HostError},
    flow::{EvalResult, Flow},
    format,
    host::{Argument, Host},
    text,
    value::{Object, Value, same_name},
};

/// Future on the heap, because expressions are nested.
type BoxedEval<'a, T> = Pin<Box<dyn Future<Output = EvalResult<T>> + 'a>>;

/// Maximum number of properties of objects that are shown as a table by default.
const MAX_TABLE_COLUMNS: usize = 4;

#[derive(Clone, Debug)]
struct Variable {
    /// Name in its first spelling.
    name: String,
    value: Value,
    view: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(HashMap<String, Variable>);

/// State of a running script.
pub(crate) struct Evaluator<'r, H> {
    pub(crate) host: &'r H,
    pub(crate) variables: &'r mut Variables,
    pub(crate) output: &'r mut dyn FnMut(&str),
    pub(crate) width: Option<usize>,
    /// Value of `$_` inside a script block.
    pub(crate) current: Option<Value>,
    pub(crate) regexes: Regexes,
    pub(crate) has_written: bool,
}

impl<H: Host> Evaluator<'_, H> {
    /// Runs statements, and shows the output of each.
    pub(crate) async fn run(&mut self, statements: &[Statement]) -> EvalResult<()> {
        for statement in statements {
            let flow = self.statement(statement).await?;
            self.show(flow);
        }
        Ok(())
    }

    async fn statement(&mut self, statement: &Statement) -> EvalResult<Flow> {
        let Some(target) = &statement.target else { return self.pipeline(&statement.pipeline).await };
        let (value, view) = self.pipeline_value(&statement.pipeline).await?;
        let variable = Variable { name: target.clone(), value, view };
        self.variables.0.insert(target.to_lowercase(), variable);
        Ok(Flow::default())
    }

    /// Returns the values of a block. Text of Format cmdlets inside it is shown at once.
    pub(crate) fn block<'a>(&'a mut self, statements: &'a [Statement]) -> BoxedEval<'a, Vec<Value>> {
        Box::pin(async move {
            let mut values = Vec::new();
            for statement in statements {
                let mut flow = self.statement(statement).await?;
                values.append(&mut flow.values);
                self.show(flow);
            }
            Ok(values)
        })
    }

    /// Returns the value of a pipeline that is not shown, with its default columns.
    async fn pipeline_value(&mut self, pipeline: &Pipeline) -> EvalResult<(Value, Option<Vec<String>>)> {
        // A single expression is not split into elements: `@(1)` stays a list.
        if let [Stage::Expression(expression)] = pipeline.stages.as_slice() {
            let view = self.view_of(expression);
            return Ok((self.expression(expression).await?, view));
        }
        let flow = self.pipeline(pipeline).await?;
        if flow.screen.is_some() {
            let at = pipeline.stages.last().map_or(0, Stage::at);
            return Err(Fault::value(at, "this makes text for the screen, which cannot be used as a value"));
        }
        Ok((Value::from_stream(flow.values), flow.view))
    }

    fn pipeline<'a>(&'a mut self, pipeline: &'a Pipeline) -> BoxedEval<'a, Flow> {
        Box::pin(async move {
            let mut flow = Flow::default();
            for (index, stage) in pipeline.stages.iter().enumerate() {
                flow = match stage {
                    Stage::Expression(expression) => {
                        let view = self.view_of(expression);
                        let values = self.expression(expression).await?.into_stream();
                        Flow { values, view, screen: None }
                    }
                    Stage::Command(command) => self.command(command, flow, index == 0).await?,
                };
            }
            Ok(flow)
        })
    }

    fn view_of(&self, expression: &Expression) -> Option<Vec<String>> {
        match &expression.kind {
            ExpressionKind::Variable(name) => self.variables.0.get(&name.to_lowercase())?.view.clone(),
            _ => None,
        }
    }

    async fn command(&mut self, command: &Command, input: Flow, is_first: bool) -> EvalResult<Flow> {
        let cmdlet = cmdlets::find(&command.name);
        if input.screen.is_some() && cmdlet.is_none_or(|cmdlet| cmdlet.kind != CmdletKind::OutNull) {
            let message = "a Format cmdlet makes text for the screen, so nothing but Out-Null can follow it";
            return Err(Fault::value(command.at, message));
        }
        let Some(cmdlet) = cmdlet else {
            // Before the arguments are evaluated, because they may ask for a password.
            let name = self.host_command(command)?;
            let arguments = self.words(command).await?;
            return self.invoke(name, command.at, arguments, input, is_first).await;
        };
        let arguments = self.words(command).await?;
        self.cmdlet(cmdlet, command.at, arguments, input).await
    }

    async fn words<'a>(&mut self, command: &'a Command) -> EvalResult<Vec<CmdletArgument<'a>>> {
        let mut arguments = Vec::with_capacity(command.arguments.len());
        for word in &command.arguments {
            arguments.push(match &word.kind {
                WordKind::Parameter { name, value } => {
                    let value = match value {
                        Some(value) => Some(self.item(value).await?),
                        None => None,
                    };
                    CmdletArgument::Parameter { at: word.at, name, value }
                }
                WordKind::Value(value) => {
                    CmdletArgument::Value { at: word.at, item: self.item(value).await? }
                }
            });
        }
        Ok(arguments)
    }

    /// Returns the value of a word, or its script block.
    async fn item<'a>(&mut self, expression: &'a Expression) -> EvalResult<ArgumentValue<'a>> {
        match &expression.kind {
            ExpressionKind::Block(statements) => Ok(ArgumentValue::Block(statements)),
            _ => self.expression(expression).await.map(ArgumentValue::Value),
        }
    }

    async fn invoke(
        &self,
        name: String,
        at: usize,
        arguments: Vec<CmdletArgument<'_>>,
        input: Flow,
        is_first: bool,
    ) -> EvalResult<Flow> {
        let mut values = Vec::with_capacity(arguments.len());
        let mut places = Vec::with_capacity(arguments.len());
        for argument in arguments {
            places.push(argument.at());
            values.push(match argument {
                CmdletArgument::Parameter { name, value, at } => {
                    let value = value.map(|item| item.value(at)).transpose()?;
                    Argument::Parameter { name: name.to_owned(), value }
                }
                CmdletArgument::Value { item, at } => Argument::Value(item.value(at)?),
            });
        }
        if !is_first && input.values.is_empty() {
            return Ok(Flow::default());
        }
        let values = self.host.invoke(&name, values, input.values).await.map_err(|error| {
            let HostError { message, argument, conceals } = error;
            let at = argument.and_then(|index| places.get(index).copied()).unwrap_or(at);
            Fault { kind: ErrorKind::Host, at, message, conceals }
        })?;
        let values = values.into_iter().flat_map(Value::into_stream).collect();
        Ok(Flow { values, view: self.host.default_view(&name), screen: None })
    }

    /// Returns the host's spelling of a command.
    fn host_command(&self, command: &Command) -> EvalResult<String> {
        let mut known = self.host.commands();
        let delegated = cmdlets::DELEGATED.iter().find(|(alias, _)| same_name(alias, &command.name));
        if let Some(name) = known.iter().find(|known| same_name(known, &command.name)) {
            return Ok(name.clone());
        }
        if let Some((_, name)) = delegated {
            return Ok((*name).to_owned());
        }
        known.extend(cmdlets::names().map(ToOwned::to_owned));
        let message = format!(
            "there is no command {}{}",
            text::harmless_on_screen(&command.name),
            text::did_you_mean(&command.name, known.iter().map(String::as_str))
        );
        Err(Fault { kind: ErrorKind::UnknownCommand, at: command.at, message, conceals: false })
    }

    /// Shows the output of a statement: objects as a table or a list, other values line by line.
    pub(crate) fn show(&mut self, flow: Flow) {
        if let Some(screen) = &flow.screen {
            return self.write_block(screen);
        }
        let view = flow.view.as_deref();
        let mut objects: Vec<Object> = Vec::new();
        for value in flow.values {
            match value {
                Value::Object(object) => objects.push(object),
                value => {
                    self.show_objects(&mut objects, view);
                    self.write_line(&text::show(&value));
                }
            }
        }
        self.show_objects(&mut objects, view);
    }

    fn show_objects(&mut self, objects: &mut Vec<Object>, view: Option<&[String]>) {
        let objects = std::mem::take(objects);
        let columns: Vec<&str> = view.unwrap_or_default().iter().map(String::as_str).collect();
        let is_table = !columns.is_empty() || objects.iter().all(|object| object.len() <= MAX_TABLE_COLUMNS);
        let shown = if objects.is_empty() {
            return;
        } else if is_table {
            format::table(&objects, &columns, self.width)
        } else {
            format::list(&objects, &[])
        };
        self.write_block(&shown);
    }

    /// Writes text of several lines, after an empty line.
    fn write_block(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.has_written {
            (self.output)("\n");
        }
        self.has_written = true;
        (self.output)(text);
    }

    pub(crate) fn write_line(&mut self, text: &str) {
        self.has_written = true;
        (self.output)(&format!("{}\n", text::harmless_on_screen(text)));
    }
}

impl Stage {
    fn at(&self) -> usize {
        match self {
            Self::Expression(expression) => expression.at,
            Self::Command(command) => command.at,
        }
    }
}
