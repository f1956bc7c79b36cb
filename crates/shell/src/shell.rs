//! Runs scripts, and the lines of a prompt one after another.

use crate::{
    compare::Regexes,
    error::{ErrorKind, ScriptError},
    eval::{Evaluator, Variables},
    host::Host,
    parser,
};

/// Variables of a prompt or a script.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    variables: Variables,
    width: Option<usize>,
}

impl Shell {
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts tables to this number of columns. Without it, tables have their full width.
    #[must_use]
    pub fn with_width(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Runs a script, and writes its output to `output` in whole lines.
    ///
    /// The whole script is parsed first. Nothing runs if there is a syntax error.
    ///
    /// # Errors
    /// The first error, with its position. Earlier statements have already run.
    pub async fn run<H: Host>(
        &mut self,
        text: &str,
        host: &H,
        output: &mut dyn FnMut(&str),
    ) -> Result<(), ScriptError> {
        let statements = parser::parse(text).map_err(|fault| fault.locate(text))?;
        let mut evaluator = Evaluator {
            host,
            variables: &mut self.variables,
            output,
            width: self.width,
            current: None,
            regexes: Regexes::default(),
            has_written: false,
        };
        evaluator.run(&statements).await.map_err(|fault| fault.locate(text))
    }
}

/// Runs a script with its own variables; see [`Shell::run`].
///
/// # Errors
/// The first error, with its position.
pub async fn run<H: Host>(text: &str, host: &H, output: &mut dyn FnMut(&str)) -> Result<(), ScriptError> {
    Shell::new().run(text, host, output).await
}

/// Parses a script without running it.
///
/// # Errors
/// The first syntax error.
pub fn check(text: &str) -> Result<(), ScriptError> {
    parser::parse(text).map(drop).map_err(|fault| fault.locate(text))
}

/// True if a prompt needs no further line.
///
/// The text may be wrong, but no quote, parenthesis or brace is open, and nothing is missing after a backtick, pipe, comma
/// or operator.
pub fn is_complete(text: &str) -> bool {
    parser::parse(text).map_or_else(|fault| fault.kind != ErrorKind::Incomplete, |_| true)
}
