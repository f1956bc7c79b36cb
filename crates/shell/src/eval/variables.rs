//! Reads and sets variables.

use super::{Evaluator, interrupt::Flow};
use crate::{
    ast::Scope,
    error::Fault,
    host::Host,
    limits::too_large,
    text,
    value::{Object, Value},
};

impl<H: Host> Evaluator<'_, H> {
    /// Returns the value of a variable. One that no line of the script sets is an error, not `$null`.
    ///
    /// A misspelled name must not become "no name", which some commands read as "all".
    pub(super) fn variable(&mut self, at: usize, name: &str) -> Flow<Value> {
        if let Some((value, size)) = self.scopes.sized(name) {
            self.meter.charge(at, size)?;
            return Ok(value.clone());
        }
        if let Some(value) = self.automatic(name) {
            return self.checked(at, value);
        }
        if self.scopes.is_declared(name) || AUTOMATIC.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(Value::Null);
        }
        Err(never_set(at, name, self.scopes.names()).into())
    }

    pub(super) fn scoped_variable(&mut self, at: usize, scope: Scope, name: &str) -> Flow<Value> {
        match scope {
            Scope::Nearest => self.variable(at, name),
            Scope::Outermost => match self.scopes.get_outermost(name) {
                Some(value) => {
                    let value = value.clone();
                    self.checked(at, value)
                }
                None => self.variable(at, name),
            },
            Scope::Environment => Ok(self.host.environment(name).map_or(Value::Null, Value::Text)),
        }
    }

    fn automatic(&self, name: &str) -> Option<Value> {
        Some(match name.to_ascii_lowercase().as_str() {
            "?" => Value::Bool(self.errors.is_ok),
            "lastexitcode" => Value::from(u64::from(self.errors.code.unwrap_or(0))),
            "error" => Value::List(self.errors.records.clone()),
            "errorview" => "NormalView".into(),
            "pid" => Value::from(1_u64),
            "home" => self.host.environment("HOME").map_or(Value::Null, Value::Text),
            "pwd" => ".".into(),
            "psscriptroot" => self.invocation.directory().into(),
            "pscommandpath" => self.invocation.path(),
            "myinvocation" => self.invocation.object(),
            "psversiontable" => {
                Value::Object(Object::from_iter([("PSVersion", "5.1"), ("PSEdition", "mailhaul")]))
            }
            _ => return None,
        })
    }

    pub(super) fn set_variable(&mut self, at: usize, name: &str, value: Value, outermost: bool) -> Flow<()> {
        let size = value.size().ok_or_else(|| too_large(at))?;
        self.meter.charge(at, size)?;
        self.scopes.set(name, value, size, outermost);
        Ok(self.meter.check_memory(at, self.scopes.size())?)
    }
}

/// Variables that are always there.
pub(crate) const AUTOMATIC: [&str; 26] = [
    "?",
    "LASTEXITCODE",
    "Error",
    "ErrorView",
    "PID",
    "HOME",
    "PWD",
    "PSScriptRoot",
    "PSCommandPath",
    "WhatIfPreference",
    "PSVersionTable",
    "args",
    "input",
    "Matches",
    "ErrorActionPreference",
    "WarningPreference",
    "VerbosePreference",
    "DebugPreference",
    "ProgressPreference",
    "InformationPreference",
    "ConfirmPreference",
    "PSBoundParameters",
    "MyInvocation",
    "PSCmdlet",
    "OFS",
    "FormatEnumerationLimit",
];

/// Returns the error about a variable that is never set.
pub(crate) fn never_set<'n>(at: usize, name: &str, known: impl IntoIterator<Item = &'n str>) -> Fault {
    let nearest = text::nearest(name, known);
    let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean ${nearest}?"));
    Fault::value(at, format!("the variable ${name} was never set{hint}"))
}
