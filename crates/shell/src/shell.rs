//! Running scripts, and the lines of a prompt one after the other.

use crate::{
    compare::Regexes,
    error::{ErrorKind, ScriptError},
    eval::{Evaluator, Variables},
    host::Host,
    parser,
};

/// What stays from one line of a prompt to the next: the variables. A script needs one for itself.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    variables: Variables,
    width: Option<usize>,
}

impl Shell {
    /// One in which nothing is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tables are cut to so many columns; without it they are as wide as they need.
    #[must_use]
    pub fn with_width(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Carries out a text, statement after statement, and hands what is to be shown to `output` in whole lines. The
    /// text is read as a whole first: nothing is carried out of a text that is wrong somewhere.
    ///
    /// # Errors
    /// The first that goes wrong, with its place. What was carried out before it stays done.
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

/// Carries out a script by itself; see [`Shell::run`].
///
/// # Errors
/// The first that goes wrong, with its place.
pub async fn run<H: Host>(text: &str, host: &H, output: &mut dyn FnMut(&str)) -> Result<(), ScriptError> {
    Shell::new().run(text, host, output).await
}

/// Reads a script without carrying anything out.
///
/// # Errors
/// The first place that is not of the language.
pub fn check(text: &str) -> Result<(), ScriptError> {
    parser::parse(text).map(drop).map_err(|fault| fault.locate(text))
}

/// Whether a prompt has a whole text, right or wrong, and need not ask for another line: no quote, parenthesis or brace
/// is open, and no backtick, pipe, comma or operator waits for what follows.
pub fn is_complete(text: &str) -> bool {
    parser::parse(text).map_or_else(|fault| fault.kind != ErrorKind::Incomplete, |_| true)
}
