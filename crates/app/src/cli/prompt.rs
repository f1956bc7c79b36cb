//! Prompt of `mailhaul shell`, with history, completion and multi-line input.

use anyhow::Result;
use mailhaul_shell::{Outcome, Shell, complete, is_complete};
use rustyline::{
    Context, Editor, Helper,
    completion::{Completer, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::MemHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{
    command::width,
    history::{self, SavedHistory},
    script_end::{LIMITS, exit_of},
    shell_host::{ShellHost, show},
};
use crate::{exit::Exit, output::text};

/// Runs lines until the end of input, `exit` or `quit`.
///
/// Ctrl-C ends the line that runs, and the prompt comes back.
pub(crate) async fn run(host: &ShellHost, without_history: bool) -> Result<Exit> {
    // Lines that arrive at once belong together only if the terminal says so (bracketed paste). Otherwise each runs by
    // itself, and the ones after it stay in the terminal's buffer.
    let config = history::config();
    let lines = MemHistory::with_config(&config);
    let mut editor: Editor<Assistant<'_>, MemHistory> = Editor::with_history(config, lines)?;
    editor.set_helper(Some(Assistant(host)));
    let mut saved = SavedHistory::open(without_history);
    for line in saved.lines() {
        _ = editor.add_history_entry(line.as_str());
    }
    let mut shell = Shell::new().with_width(width()).with_limits(LIMITS);
    loop {
        let line = match editor.readline("mailhaul> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Synced),
            Err(error) => return Err(error.into()),
        };
        if line.trim().eq_ignore_ascii_case("quit") {
            return Ok(Exit::Synced);
        }
        // A line that may hold a secret is in memory only.
        _ = editor.add_history_entry(line.as_str());
        saved.save(&line);
        let mut output = show;
        let ran = tokio::select! {
            ran = shell.run(&line, host, &mut output) => Some(ran),
            _ = tokio::signal::ctrl_c() => None,
        };
        // A thread still reads the terminal, so no prompt can follow.
        if ran.is_none() && host.is_asking() {
            return Ok(Exit::Interrupted);
        }
        host.finish().await;
        match ran {
            Some(Ok(outcome @ Outcome { exit: Some(_), .. })) => return Ok(exit_of(outcome)),
            Some(Ok(_)) => {}
            Some(Err(error)) => text::print_error(format_args!("{error}")),
            None => text::print_error("stopped; commands that were already sent take their course"),
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
