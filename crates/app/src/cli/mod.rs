//! Command line: arguments, the commands of the program itself, and the terminal.

pub(crate) mod args;
pub(crate) mod command;
mod console;
pub(crate) mod documents;
pub(crate) mod login;
pub(crate) mod passwords;
mod prompt;
pub(crate) mod shell;
pub(crate) mod watch;
