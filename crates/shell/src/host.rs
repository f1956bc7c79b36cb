//! Interface to the program that runs commands and accesses files.

use std::{future::Future, io, time::Duration};

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
    /// Runs a command, possibly for one object of a pipe.
    ///
    /// `command` is spelled as in [`Host::commands`], or is one of `Get-Credential`, `Get-Help`, `Read-Host` and
    /// `ConvertTo-SecureString`. A command after an empty pipe is not called, so that "none" cannot become "all".
    fn invoke(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Option<Value>,
    ) -> impl Future<Output = Result<Vec<Value>, HostError>> + Send;

    /// Returns the warnings of the last command, each once.
    fn take_warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Divides a command that names several objects into one command for each.
    fn for_each_object(&self, command: &str, arguments: Vec<Argument>) -> Vec<Vec<Argument>> {
        _ = command;
        vec![arguments]
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// The file cannot be read, or is larger than a value can be.
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>>;

    /// True if there is such a file or folder.
    fn has_file(&self, path: &str) -> bool {
        self.read_file(path).is_ok()
    }

    fn write_file(&self, path: &str, content: &[u8]) -> io::Result<()>;

    fn append_file(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Names of all commands.
    fn commands(&self) -> Vec<String>;

    /// Parameters of a command, without dashes.
    fn parameters(&self, command: &str) -> Vec<String>;

    /// Values that a prompt can propose. Without the name of a parameter, the first value without a name is meant.
    ///
    /// For a property in a condition, `command` is empty.
    fn values(&self, command: &str, parameter: Option<&str>) -> Vec<String> {
        _ = (command, parameter);
        Vec::new()
    }

    /// Checks the name of a parameter before the script runs.
    ///
    /// # Errors
    /// The command has no such parameter.
    fn check_parameter(&self, command: &str, parameter: &str) -> Result<(), HostError> {
        _ = (command, parameter);
        Ok(())
    }

    /// Default columns for the objects of a command.
    fn default_view(&self, command: &str) -> Option<Vec<String>>;

    /// Time for `Get-Date`.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Value of an environment variable.
    fn environment(&self, name: &str) -> Option<String> {
        _ = name;
        None
    }

    /// Waits, for `Start-Sleep`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Called again and again while a script computes. Lets other tasks run.
    ///
    /// # Errors
    /// The script is to end.
    fn breathe(&self) -> impl Future<Output = Result<(), HostError>> + Send {
        std::future::ready(Ok(()))
    }
}
