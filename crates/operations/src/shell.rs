//! The words of the shell.

pub(crate) use mailhaul_shell::{Argument, Value};
