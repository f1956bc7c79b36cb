//! `$PSCmdlet.ShouldProcess(target, action)` of functions, and `-WhatIf`.

use super::{Evaluator, bind::WHAT_IF, interrupt::Flow};
use crate::{
    ast::{Expression, ExpressionKind, Step, StepKind},
    host::{Argument, Host},
    text,
    value::Value,
};

/// Verbs of commands that change nothing. They run also with `-WhatIf`.
const READERS: [&str; 3] = ["Get-", "Test-", "Export-"];

impl<H: Host> Evaluator<'_, H> {
    /// Evaluates a method of `$PSCmdlet`. Without `-WhatIf`, the answer is yes.
    pub(super) async fn should_process(&mut self, base: &Expression, steps: &[Step]) -> Flow<Option<Value>> {
        let (ExpressionKind::Variable { name, .. }, [Step { kind: StepKind::Call(method, arguments), .. }]) =
            (&base.kind, steps)
        else {
            return Ok(None);
        };
        let is = |known: &str| method.eq_ignore_ascii_case(known);
        if !name.eq_ignore_ascii_case("PSCmdlet") || !(is("ShouldProcess") || is("ShouldContinue")) {
            return Ok(None);
        }
        let arguments = self.each(arguments).await?;
        if is("ShouldContinue") || !self.only_describes() {
            return Ok(Some(true.into()));
        }
        let target = arguments.first().map(text::interpolate).unwrap_or_default();
        let line = match arguments.get(1) {
            Some(action) => format!("What if: {} on {target}", text::interpolate(action)),
            None => format!("What if: {target}"),
        };
        self.printer.write_line(&line);
        self.write_out(false)?;
        Ok(Some(false.into()))
    }

    /// True if commands are to describe changes only.
    fn only_describes(&self) -> bool {
        self.scopes.get(WHAT_IF).is_some_and(Value::is_true)
    }

    /// Adds `-WhatIf` to the arguments of a command that changes something, if a function was called with it.
    pub(super) fn with_what_if(&self, name: &str, mut arguments: Vec<Argument>) -> Vec<Argument> {
        let is_given = arguments.iter().any(
            |argument| matches!(argument, Argument::Parameter { name, .. } if name.eq_ignore_ascii_case("WhatIf")),
        );
        if self.only_describes() && !is_given && !READERS.iter().any(|verb| name.starts_with(verb)) {
            arguments.push(Argument::Parameter { name: "WhatIf".to_owned(), value: Some(true.into()) });
        }
        arguments
    }
}
