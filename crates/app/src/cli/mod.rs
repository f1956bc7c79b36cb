//! Command line: arguments, the commands of the program itself, and the terminal.

pub(crate) mod args;
mod batch_warnings;
pub(crate) mod cmdlet;
pub(crate) mod command;
mod console;
pub(crate) mod database;
pub(crate) mod documents;
mod exchange_parameters;
mod help;
mod history;
pub(crate) mod invoke;
pub(crate) mod login;
pub(crate) mod open_console;
pub(crate) mod passwords;
mod prompt;
mod proposals;
mod script_end;
pub(crate) mod shell;
mod shell_host;
mod steps;
pub(crate) mod watch;
