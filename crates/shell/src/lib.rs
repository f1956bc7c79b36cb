//! The small PowerShell-like language in which an administrator types Exchange's cmdlets.
//!
//! It knows variables, pipes, text, numbers, lists, conditions, and the cmdlets that choose, sort and show. All other
//! commands are the [`Host`]'s, to whom every argument is handed as it was typed. What PowerShell has beyond that is
//! refused by name, never misread.

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
