//! Errors of a running script: `try`, `throw`, `$Error`, and errors after which it goes on.

use super::{
    Evaluator,
    common::{Action, Common},
    interrupt::{Flow, Interrupt},
};
use crate::{
    ast::{Body, Catch, Statement},
    error::{ErrorKind, Fault},
    host::Host,
    output::ScriptOutput,
    text,
    value::{Form, Object, Value},
};

/// Errors that `$Error` keeps.
const MAX_RECORDS: usize = 256;

/// Errors of a script so far.
#[derive(Default)]
pub(crate) struct ErrorLog {
    /// Value of `$?`.
    pub(crate) is_ok: bool,
    /// Value of `$Error`, the newest first.
    pub(super) records: Vec<Value>,
    /// Errors after which the script went on, shown or not.
    pub(super) total: usize,
    /// Errors that were shown.
    pub(crate) shown: usize,
    /// Exit code of the first one.
    pub(crate) code: Option<u8>,
    /// Redirections of errors, from the outermost to the innermost.
    pub(super) routes: Vec<Route>,
    /// Faults that catch blocks are dealing with, for `throw` alone.
    caught: Vec<Fault>,
}

/// Receiver of errors by `2>`.
pub(super) enum Route {
    Nothing,
    /// `2>&1`
    Output,
    File(String),
}

impl<H: Host> Evaluator<'_, H> {
    /// Takes an error after which the script goes on, unless it is to stop.
    pub(super) async fn record(&mut self, fault: Fault, common: &Common) -> Flow<()> {
        self.errors.is_ok = false;
        self.errors.total += 1;
        let action = match common.error_action {
            Some(action) => action,
            None => self.preference("ErrorActionPreference")?,
        };
        if action == Action::Stop {
            return Err(fault.into());
        }
        let record = self.error_record(&fault);
        if let Some(name) = &common.error_variable {
            self.append_variable(fault.at, name, record.clone())?;
        }
        if action == Action::Ignore {
            return Ok(());
        }
        self.remember(record.clone());
        if action == Action::SilentlyContinue {
            return Ok(());
        }
        let at = fault.at;
        match self.errors.routes.last() {
            Some(Route::Nothing) => return Ok(()),
            Some(Route::Output) => return self.emit(at, record).await,
            Some(Route::File(path)) => {
                let path = path.clone();
                let line = format!("{}\n", text::show(&record));
                return Ok(self.write_file(at, &path, line.as_bytes(), true)?);
            }
            None => {}
        }
        self.errors.shown += 1;
        self.errors.code = self.errors.code.or(fault.code);
        let error = fault.locate(&self.source.clone());
        Ok(self.tell(ScriptOutput::Error(&error))?)
    }

    fn remember(&mut self, record: Value) {
        self.errors.records.insert(0, record);
        self.errors.records.truncate(MAX_RECORDS);
    }

    /// Returns the action that a preference variable sets.
    pub(super) fn preference(&self, name: &str) -> Result<Action, Fault> {
        self.scopes.get(name).map_or(Ok(Action::Continue), |value| Action::parse(0, value))
    }

    /// Returns `$_` of a catch block.
    fn error_record(&self, fault: &Fault) -> Value {
        let place = fault.clone().locate(&self.source);
        let kind = match fault.kind {
            ErrorKind::Host => "System.Exception",
            _ => "System.Management.Automation.RuntimeException",
        };
        let exception = Object::from_iter([
            ("Message", Value::from(fault.message.as_str())),
            ("InnerException", Value::Null),
            ("Type", kind.into()),
        ]);
        let invocation = Object::from_iter([
            ("ScriptLineNumber", Value::from(place.line)),
            ("OffsetInLine", place.column.into()),
            ("Line", place.text.into()),
        ]);
        let category = if fault.kind == ErrorKind::Host { "NotSpecified" } else { "OperationStopped" };
        Object::from_iter([
            ("Exception", Value::from(exception.with_form(Form::Error))),
            ("FullyQualifiedErrorId", format!("{:?}", fault.kind).into()),
            ("CategoryInfo", category.into()),
            ("ErrorDetails", Value::Null),
            ("InvocationInfo", invocation.into()),
            ("ScriptStackTrace", Value::Null),
        ])
        .with_form(Form::Error)
        .into()
    }

    pub(super) async fn throw(&mut self, at: usize, value: Option<&Statement>) -> Flow<()> {
        let Some(value) = value else {
            let again = self.errors.caught.last().cloned();
            return Err(again
                .unwrap_or_else(|| Fault::new(ErrorKind::Thrown, at, "the script threw an error"))
                .into());
        };
        let value = self.value_of(value).await?;
        Err(Fault::new(ErrorKind::Thrown, at, text::interpolate(&value)).into())
    }

    pub(super) async fn run_try(&mut self, body: &Body, catches: &[Catch], finally: &Body) -> Flow<()> {
        let (consumers, scopes, depth, routes) =
            (self.consumers.len(), self.scopes.depth(), self.meter.depth, self.errors.routes.len());
        let mut outcome = self.body(body).await;
        if let Err(Interrupt::Fault(fault)) = outcome {
            self.consumers.truncate(consumers);
            self.scopes.close_to(scopes);
            self.meter.depth = depth;
            self.errors.routes.truncate(routes);
            outcome = self.run_catch(*fault, catches).await;
        }
        // Not after a limit: the script is to end at once.
        if !matches!(&outcome, Err(Interrupt::Fault(fault)) if fault.kind == ErrorKind::Limit) {
            self.body(finally).await?;
        }
        outcome
    }

    async fn run_catch(&mut self, fault: Fault, catches: &[Catch]) -> Flow<()> {
        let catch = catches
            .iter()
            .find(|catch| catch.types.is_empty() || catch.types.iter().any(|name| is_general(name)));
        let Some(catch) = catch.filter(|_| fault.kind != ErrorKind::Limit) else { return Err(fault.into()) };
        let fault = Fault { source: fault.source.or_else(|| Some(self.source.clone())), ..fault };
        self.errors.is_ok = false;
        let record = self.error_record(&fault);
        self.remember(record.clone());
        let outer = self.current.replace(record);
        self.errors.caught.push(fault);
        let result = self.body(&catch.body).await;
        self.errors.caught.pop();
        self.current = outer;
        result
    }

    /// Shows a warning, unless the command or a preference says no.
    pub(super) fn warn(&mut self, message: &str, common: &Common) -> Flow<()> {
        if let Some(name) = &common.warning_variable {
            self.append_variable(0, name, message.into())?;
        }
        let action = match common.warning_action {
            Some(action) => action,
            None => self.preference("WarningPreference")?,
        };
        match action {
            Action::Continue => Ok(self.tell(ScriptOutput::Warning(message))?),
            Action::SilentlyContinue | Action::Ignore => Ok(()),
            Action::Stop => Err(Fault::new(ErrorKind::Thrown, 0, message).into()),
        }
    }

    fn append_variable(&mut self, at: usize, name: &str, value: Value) -> Flow<()> {
        let mut values = self.scopes.get(name).cloned().unwrap_or_default().into_stream();
        values.push(value);
        self.set_variable(at, name, Value::List(values), false)
    }
}

/// True for the exceptions that stand for every error here.
fn is_general(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("system.").unwrap_or(&name);
    ["exception", "management.automation.runtimeexception", "management.automation.remoteexception"]
        .contains(&name)
}
