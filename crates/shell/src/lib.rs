//! A small PowerShell-like language for Exchange's cmdlets.
//!
//! It has variables, pipes, text, numbers, lists, conditions, and cmdlets that select, sort and show. The [`Host`] runs all
//! other commands, with the arguments as typed. Other features of PowerShell are refused by name, never misread.

mod ast;
mod cmdlets;
mod compare;
mod complete;
mod error;
mod eval;
mod flow;
pub mod format;
mod host;
mod members;
mod number;
mod operator;
mod parser;
mod shell;
mod text;
mod times;
mod value;
mod wildcard;

pub use complete::{Completion, complete};
pub use error::{ErrorKind, HostError, ScriptError};
pub use host::{Argument, Host};
pub use shell::{Shell, check, is_complete, run};
pub use value::{Object, Value};
