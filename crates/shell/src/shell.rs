//! Runs scripts, and the lines of a prompt one after another.

use crate::{
    check::check as check_names,
    error::{ErrorKind, ScriptError},
    eval::{Evaluator, Surroundings},
    host::Host,
    invocation::Invocation,
    limits::{Meter, ScriptLimits},
    output::ScriptOutput,
    parser,
    scopes::Scopes,
};

/// Variables and functions of a prompt or a script.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    scopes: Scopes,
    width: Option<usize>,
    limits: ScriptLimits,
    invocation: Invocation,
    told: Vec<String>,
}

/// End of a script that was not ended by an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Errors that were shown, after which the script went on.
    pub errors: usize,
    /// Exit code of the first of these errors, if the host gave one.
    pub code: Option<u8>,
    /// Value of `exit`.
    pub exit: Option<i64>,
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

    #[must_use]
    pub fn with_limits(self, limits: ScriptLimits) -> Self {
        Self { limits, ..self }
    }

    /// Names the file that the script is from, with the words after its name: the arguments of the script.
    #[must_use]
    pub fn with_file(self, path: impl Into<String>, arguments: Vec<String>) -> Self {
        Self { invocation: Invocation::new(path.into(), arguments), ..self }
    }

    /// Runs a script, and gives its output to `output` as it comes.
    ///
    /// The whole script is parsed and checked first. Nothing runs if it has a wrong statement, or names a command, a
    /// parameter or a variable that does not exist. After the failure of a command for one object the script goes on,
    /// as with `-ErrorAction Continue`.
    ///
    /// # Errors
    /// The error that ended the script, with its position.
    pub async fn run<H: Host>(
        &mut self,
        text: &str,
        host: &H,
        output: &mut dyn FnMut(ScriptOutput<'_>),
    ) -> Result<Outcome, ScriptError> {
        let script = parser::parse(text).map_err(|fault| fault.locate(text))?;
        check_names(&script, &mut self.scopes, host).map_err(|fault| fault.locate(text))?;
        let mut evaluator = Evaluator::new(Surroundings {
            host,
            scopes: &mut self.scopes,
            output,
            told: &mut self.told,
            meter: Meter::new(self.limits),
            width: self.width,
            invocation: self.invocation.clone(),
            source: script.source.clone(),
        });
        let ended = evaluator.run(&script).await;
        let (errors, code) = (evaluator.errors.shown, evaluator.errors.code);
        ended.map(|exit| Outcome { errors, code, exit }).map_err(|fault| fault.locate(text))
    }
}

/// Runs a script with its own variables; see [`Shell::run`].
///
/// # Errors
/// The error that ended the script, with its position.
pub async fn run<H: Host>(
    text: &str,
    host: &H,
    output: &mut dyn FnMut(ScriptOutput<'_>),
) -> Result<Outcome, ScriptError> {
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
