//! Binds typed arguments to the request of an operation: cmdlets, pipelines and command lines.

mod argv;
mod cmdlet;
mod convert;
mod names;
mod options;

use std::{fmt, io};

use mailhaul_mail::Secret;
use serde_json::{Map, Value};

use crate::{
    entry::{Entry, object, selection},
    failure::Failure,
    output::Output,
    parameter::Parameter,
    values::{PASSWORD, USER_NAME},
};

pub use argv::arguments;
pub use cmdlet::{Form, cmdlet};
pub use options::options;

pub(crate) use convert::from_text;
pub(crate) use options::{CONFIRM, OUTPUT, WHAT_IF};

/// Checks the name of a parameter in the shell.
pub fn check_parameter_name(entry: &Entry, written: &str) -> Result<(), Failure> {
    names::meaning(entry, written, false).map(drop)
}

/// Files and secrets for the binder.
pub trait World {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Returns the password of this user from the environment or the terminal.
    fn password(&self, parameter: &Parameter, user_name: &str) -> Result<Secret, Failure>;

    /// Returns the secret from the environment or the terminal.
    fn secret(&self, parameter: &Parameter) -> Result<Secret, Failure>;
}

#[derive(Clone, PartialEq)]
pub struct Bound {
    /// Request for the operation. May contain passwords.
    pub request: Value,
    /// `-WhatIf`: only describe the change.
    pub what_if: bool,
    /// `-Confirm`; `None` leaves the decision to the operation.
    pub confirm: Option<bool>,
    /// `-Output`, if given.
    pub output: Option<Output>,
}

/// Reason why the arguments cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Refusal {
    pub failure: Failure,
    /// Index of the argument at fault.
    pub argument: Option<usize>,
    /// True if the argument contains a secret and must not be shown.
    pub conceals: bool,
}

impl Bound {
    /// True if the command must ask for confirmation: a terminal is present, and the operation or
    /// the user requires it.
    pub fn must_ask(&self, entry: &Entry, terminal: bool) -> bool {
        terminal && self.confirm.unwrap_or(entry.confirm)
    }

    pub fn question(&self, entry: &Entry) -> String {
        format!("{}: continue?", self.target(entry))
    }

    /// Text of `-WhatIf`.
    pub fn effect(&self, entry: &Entry) -> String {
        format!("What if: {}", self.target(entry))
    }

    fn target(&self, entry: &Entry) -> String {
        match (object(&self.request), selection(entry, &self.request)) {
            (Some(object), _) => format!("{} \"{object}\"", entry.name()),
            (None, Some(selection)) => format!("{} {selection}", entry.name()),
            (None, None) => entry.name().to_owned(),
        }
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.request.as_object().into_iter().flat_map(Map::keys).collect();
        write!(f, "Bound({names:?}, {:?}, {:?}, {:?})", self.what_if, self.confirm, self.output)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

pub(crate) fn credential(user_name: &str, password: &Secret, label: &str) -> Result<Value, Failure> {
    let password = secret_text(password, label)?;
    Ok(Value::Object(
        [(USER_NAME, user_name.into()), (PASSWORD, password)]
            .map(|(name, text)| (name.to_owned(), text))
            .into_iter()
            .collect(),
    ))
}

fn secret_text(secret: &Secret, label: &str) -> Result<Value, Failure> {
    std::str::from_utf8(secret.expose())
        .map(Value::from)
        .map_err(|_| Failure::invalid(format_args!("the secret of {label} is not UTF-8")))
}

/// Reads the file that a parameter names.
fn file(world: &dyn World, path: &str, label: &str) -> Result<Vec<u8>, Failure> {
    world.read_file(path).map_err(|error| {
        Failure::invalid(format_args!("the file \"{path}\" of {label} cannot be read: {error}"))
    })
}

/// Reads the secret of a file, without the line end that editors append.
fn secret_in_file(world: &dyn World, path: &str, label: &str) -> Result<Secret, Failure> {
    let octets = zeroize::Zeroizing::new(file(world, path, label)?);
    let password = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::invalid(format_args!("the file \"{path}\" of {label} is empty")));
    }
    Ok(Secret::new(password))
}
