//! `mailhaul shell`: cmdlets at a prompt, from a file, or from an option.

use std::{fs, io, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use mailhaul_operations::Operations;
use mailhaul_shell::Shell;

use super::{
    command::width,
    console, prompt,
    shell_host::{ShellHost, show},
};
use crate::{context::Context, data_directory::DataPlace, exit::Exit};

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
}

/// Runs a script, or the prompt.
pub(crate) async fn run(
    options: ShellOptions,
    data: &DataPlace,
    operations: Arc<Operations<Context>>,
) -> Result<Exit> {
    let host = ShellHost { data: data.clone(), operations };
    let script = match (&options.command, &options.file) {
        (Some(lines), _) => lines.clone(),
        (None, Some(file)) => fs::read_to_string(file)
            .with_context(|| format!("the script {} cannot be read", file.display()))?,
        (None, None) if console::is_terminal() => return prompt::run(&host).await,
        (None, None) => io::read_to_string(io::stdin()).context("standard input cannot be read")?,
    };
    let mut shell = Shell::new().with_width(width());
    let ran = shell.run(script.trim_start_matches('\u{feff}'), &host, &mut |lines| show(lines)).await;
    match ran {
        Ok(()) => Ok(Exit::Synced),
        Err(error) => {
            let name = options.file.as_ref().map(|it| format!("{}: ", it.display())).unwrap_or_default();
            Err(anyhow!(Exit::Failed).context(format!("{name}{error}")))
        }
    }
}
