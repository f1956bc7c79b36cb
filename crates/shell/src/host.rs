//! What the language needs of the world.

use std::{future::Future, io};

use jiff::Timestamp;

use crate::{error::HostError, value::Value};

/// What stands behind a command. Which parameters are switches is for the host to know: `-AutoStart` and
/// `-Name IMAPBatch1` are both a parameter, and what follows it is a value of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// `-Name`, or `-Name:value`.
    Parameter {
        /// As it was typed, without the dash.
        name: String,
        /// Only what was joined to it with a colon.
        value: Option<Value>,
    },
    /// Everything else.
    Value(Value),
}

/// Carries out the commands that the language itself does not know.
pub trait Host {
    /// Carries out a command. `command` is spelt as in [`Host::commands`], or is one of
    /// `Get-Credential`, `Get-Help`, `Read-Host` and `ConvertTo-SecureString`. `input` is what was piped to it; a command behind a pipe that carries nothing is not called at all, so that
    /// "none" cannot be taken for "all".
    fn invoke(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Value>, HostError>> + Send;

    /// Reads a whole file.
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Writes a whole file.
    fn write_file(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// The commands that can be invoked.
    fn commands(&self) -> Vec<String>;

    /// The parameters of a command, without their dashes.
    fn parameters(&self, command: &str) -> Vec<String>;

    /// The columns of the table in which the objects of a command are shown where nobody chose others.
    fn default_view(&self, command: &str) -> Option<Vec<String>>;

    /// What `Get-Date` says.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
