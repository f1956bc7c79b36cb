//! Interface to the program that runs commands and accesses files.

use std::{future::Future, io};

use jiff::Timestamp;

use crate::{error::HostError, value::Value};

/// Argument of a command.
///
/// Only the host knows the switches. `-Name IMAPBatch1` is therefore a parameter and a separate value, like `-AutoStart x`.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// `-Name`, or `-Name:value`.
    Parameter {
        /// Name as typed, without the dash.
        name: String,
        /// Value that is joined with a colon.
        value: Option<Value>,
    },
    /// Any other argument.
    Value(Value),
}

/// Runs the commands that are not part of the language.
pub trait Host {
    /// Runs a command with the values that were piped to it.
    ///
    /// `command` is spelled as in [`Host::commands`], or is one of `Get-Credential`, `Get-Help`, `Read-Host` and
    /// `ConvertTo-SecureString`. A command after an empty pipe is not called, so that "none" cannot become "all".
    fn invoke(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Value>, HostError>> + Send;

    fn read_file(&self, path: &str) -> io::Result<Vec<u8>>;

    fn write_file(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Names of all commands.
    fn commands(&self) -> Vec<String>;

    /// Parameters of a command, without dashes.
    fn parameters(&self, command: &str) -> Vec<String>;

    /// Default columns for the objects of a command.
    fn default_view(&self, command: &str) -> Option<Vec<String>>;

    /// Time for `Get-Date`.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
