//! `mailhaul shell`: cmdlets at a prompt, from a file, or from an option.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use mailhaul_operations::Operations;
use mailhaul_shell::{Shell, decode};

use super::{
    command::width,
    console, prompt,
    script_end::{LIMITS, WRONG_SCRIPT, exit_of},
    shell_host::{ShellHost, show},
};
use crate::{context::Context, data_directory::DataPlace, exit::Exit, output::text};

/// Options of `mailhaul shell`.
#[derive(Args, Debug)]
#[allow(clippy::doc_markdown, reason = "the comments of options are what --help prints")]
pub(crate) struct ShellOptions {
    /// Script file [default: a prompt, or standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Lines to run instead of a script
    #[arg(short, long, value_name = "LINE", conflicts_with = "file")]
    command: Option<String>,
    /// Read and write no history at the prompt
    #[arg(long)]
    no_history: bool,
    /// Arguments of the script, as `-Name value`
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true, requires = "file")]
    arguments: Vec<String>,
}

/// Runs a script, or the prompt.
pub(crate) async fn run(
    options: ShellOptions,
    data: &DataPlace,
    operations: Arc<Operations<Context>>,
) -> Result<Exit> {
    let host = ShellHost::new(data.clone(), operations);
    let script = match (&options.command, &options.file) {
        (Some(lines), _) => lines.clone(),
        (None, Some(file)) => script_in(file)?,
        (None, None) if console::is_terminal() => return prompt::run(&host, options.no_history).await,
        (None, None) => {
            let mut content = Vec::new();
            io::stdin().read_to_end(&mut content).context("standard input cannot be read")?;
            decode(&content).ok_or_else(|| anyhow!("standard input is neither UTF-8 nor UTF-16 text"))?
        }
    };
    let mut shell = Shell::new().with_width(width()).with_limits(LIMITS);
    if let Some(file) = &options.file {
        shell = shell.with_file(file.display().to_string(), options.arguments);
    }
    let ran = shell.run(&script, &host, &mut show).await;
    host.finish().await;
    match ran {
        Ok(outcome) => Ok(exit_of(outcome)),
        Err(error) => {
            let name = options.file.as_ref().map(|it| format!("{}: ", it.display())).unwrap_or_default();
            text::print_error(format_args!("error: {name}{error}"));
            Ok(Exit::Operation(error.code.unwrap_or(WRONG_SCRIPT)))
        }
    }
}

fn script_in(file: &Path) -> Result<String> {
    let content = fs::read(file).with_context(|| format!("the script {} cannot be read", file.display()))?;
    decode(&content).ok_or_else(|| anyhow!("the script {} is neither UTF-8 nor UTF-16 text", file.display()))
}
