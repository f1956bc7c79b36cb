//! The part of PowerShell in which scripts for Exchange's migration cmdlets are written.
//!
//! It has statements, functions, pipes, text, numbers, dates, lists, tables, and cmdlets that select, sort, show, read and
//! write. The [`Host`] runs all other commands, with the arguments as typed. Other features of PowerShell are refused by
//! name before the first line runs, never misread.

mod arithmetic;
mod ast;
mod check;
mod cmdlets;
mod compare;
mod complete;
mod date_format;
mod error;
mod eval;
pub mod format;
mod host;
mod invocation;
mod limits;
mod members;
mod names;
mod number;
mod number_format;
mod operator;
mod output;
mod parser;
mod paths;
mod printer;
mod scopes;
mod shell;
mod text;
mod times;
mod types;
mod value;
mod wildcard;

pub use cmdlets::{CmdletHelp, cmdlet_help, cmdlet_helps};
pub use complete::{Completion, complete};
pub use error::{ErrorKind, HostError, ScriptError};
pub use host::{Argument, Host};
pub use limits::ScriptLimits;
pub use output::ScriptOutput;
pub use paths::local as local_path;
pub use shell::{Outcome, Shell, check, is_complete, run};
pub use text::decode;
pub use times::american_date;
pub use times::{WrittenDate, written_date};
pub use value::{Object, ScriptBlock, Value};
pub use wildcard::matches_wildcard;
