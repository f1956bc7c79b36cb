//! From what a person typed to the request of an operation: cmdlet arguments, pipelines and command lines.

mod argv;
mod cmdlet;
mod convert;
mod names;
mod options;

use std::{fmt, io};

use mailhaul_mail::Secret;
use serde_json::{Map, Value};

use crate::{
    entry::{Entry, object},
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

/// What the binder needs of the world.
pub trait World {
    /// Reads a whole file.
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>>;

    /// The password of this user for this parameter, from the environment or the terminal.
    fn password(&self, parameter: &Parameter, user_name: &str) -> Result<Secret, Failure>;

    /// The secret for this parameter, from the environment or the terminal.
    fn secret(&self, parameter: &Parameter) -> Result<Secret, Failure>;
}

/// What was typed, understood.
#[derive(Clone, PartialEq)]
pub struct Bound {
    /// For the operation. May hold passwords.
    pub request: Value,
    /// Only say what would be done.
    pub what_if: bool,
    /// Ask before, or do not; `None` where the operation decides.
    pub confirm: Option<bool>,
    /// How results are shown, where it was said.
    pub output: Option<Output>,
}

/// Why what was typed cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Refusal {
    /// Why.
    pub failure: Failure,
    /// The argument that is to blame, by its index.
    pub argument: Option<usize>,
    /// Whether the argument is not to be shown: a secret stands there.
    pub conceals: bool,
}

impl Bound {
    /// Whether a person is to be asked: a terminal is there, and the operation or the person wants it.
    pub fn must_ask(&self, entry: &Entry, terminal: bool) -> bool {
        terminal && self.confirm.unwrap_or(entry.confirm)
    }

    /// What a person is asked.
    pub fn question(&self, entry: &Entry) -> String {
        format!("{}: go on?", self.target(entry))
    }

    /// What is said instead of doing it.
    pub fn effect(&self, entry: &Entry) -> String {
        format!("What if: {}", self.target(entry))
    }

    fn target(&self, entry: &Entry) -> String {
        match object(&self.request) {
            Some(object) => format!("{} \"{object}\"", entry.name()),
            None => entry.name().to_owned(),
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

/// A login in JSON.
pub(crate) fn credential(user_name: &str, password: &Secret, label: &str) -> Result<Value, Failure> {
    let password = secret_text(password, label)?;
    Ok(Value::Object(
        [(USER_NAME, user_name.into()), (PASSWORD, password)]
            .map(|(name, text)| (name.to_owned(), text))
            .into_iter()
            .collect(),
    ))
}

/// A secret in JSON.
fn secret_text(secret: &Secret, label: &str) -> Result<Value, Failure> {
    std::str::from_utf8(secret.expose())
        .map(Value::from)
        .map_err(|_| Failure::invalid(format_args!("the secret of {label} is not UTF-8")))
}

/// The content of a file of which a parameter tells the name.
fn file(world: &dyn World, path: &str, label: &str) -> Result<Vec<u8>, Failure> {
    world.read_file(path).map_err(|error| {
        Failure::invalid(format_args!("the file \"{path}\" of {label} cannot be read: {error}"))
    })
}

/// The secret in a file. Editors end the last line.
fn secret_in_file(world: &dyn World, path: &str, label: &str) -> Result<Secret, Failure> {
    let octets = zeroize::Zeroizing::new(file(world, path, label)?);
    let password = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::invalid(format_args!("the file \"{path}\" of {label} is empty")));
    }
    Ok(Secret::new(password))
}
