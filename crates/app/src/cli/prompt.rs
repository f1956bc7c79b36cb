//! Prompt of `mailhaul shell`, with history, completion and multi-line input.

use anyhow::Result;
use mailhaul_shell::{Shell, complete, is_complete};
use rustyline::{
    Context, Editor, Helper,
    completion::{Completer, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::DefaultHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{
    command::width,
    shell_host::{ShellHost, show},
};
use crate::{exit::Exit, output::text};

/// Runs lines until the end of input, `exit` or `quit`.
pub(crate) async fn run(host: &ShellHost) -> Result<Exit> {
    let mut editor: Editor<Assistant<'_>, DefaultHistory> = Editor::new()?;
    editor.set_helper(Some(Assistant(host)));
    let mut shell = Shell::new().with_width(width());
    loop {
        let line = match editor.readline("mailhaul> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Synced),
            Err(error) => return Err(error.into()),
        };
        if ["exit", "quit"].contains(&line.trim().to_ascii_lowercase().as_str()) {
            return Ok(Exit::Synced);
        }
        // The history is in memory only: a line may contain confidential data.
        _ = editor.add_history_entry(line.as_str());
        if let Err(error) = shell.run(&line, host, &mut |lines| show(lines)).await {
            text::print_error(format_args!("{error}"));
        }
    }
}

struct Assistant<'h>(&'h ShellHost);

impl Completer for Assistant<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let completion = complete(line, position, self.0);
        let pair = |it: String| Pair { display: it.clone(), replacement: it };
        Ok((completion.start, completion.candidates.into_iter().map(pair).collect()))
    }
}

impl Validator for Assistant<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Hinter for Assistant<'_> {
    type Hint = String;
}

impl Highlighter for Assistant<'_> {}

impl Helper for Assistant<'_> {}
