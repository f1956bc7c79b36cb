//! The program `mailhaul`.

mod advice;
mod certificate_pin;
mod cli;
mod context;
mod data_directory;
mod exit;
mod migrate;
mod one_pass;
mod ops;
mod output;
mod probe;
mod serve;
mod server_url;
mod service;
mod time_zones;

use std::{ffi::OsString, io, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser as _};
use mailhaul_operations::{Operations, invoke};

use crate::{
    cli::{
        args::{Cli, Operation},
        command::told,
    },
    context::Context,
    exit::Exit,
    serve::{local_service::operations, service_connection::Line},
};

/// Octets of stack for each thread, as many as the first one has: a pass is deep, and a build that is not optimised needs more
/// for it than the usual 2 MiB.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::text::print_error(format_args!("error: the program cannot start: {error}"));
            return Exit::Internal.into();
        }
    };
    let outcome = runtime.block_on(run());
    // A connection that hangs must not keep the program alive.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = error.downcast_ref::<Exit>().copied();
            let mut words: Vec<String> = Vec::new();
            for cause in error.chain() {
                let text = cause.to_string();
                // What the exit code says besides, and what the words before say already, is said once.
                let is_said = words.last().is_some_and(|it| it.ends_with(&text));
                if !is_said && cause.downcast_ref::<Exit>().is_none() {
                    words.push(text);
                }
            }
            output::text::print_error(format_args!("error: {}", words.join(": ")));
            exit.unwrap_or(Exit::Usage).into()
        }
    }
}

async fn run() -> Result<Exit> {
    // Without the list of operations, which takes as long to make as a pass in which nothing has changed.
    if std::env::args_os().nth(1).is_some_and(|it| it == "migrate") {
        let cli = Cli::parse();
        if let Operation::Migrate(options) = cli.operation {
            return migrate::run(*options, &data_directory::directory(cli.data.as_ref())?).await;
        }
    }
    let operations = operations();
    if let Some((cmdlet, data)) = Cmdlet::of(std::env::args_os()) {
        if let Some(entry) = operations.entry(&cmdlet.name) {
            let data = data_directory::directory(data.as_ref())?;
            return cli::command::by_cmdlet(operations.clone(), entry, &cmdlet.words, &data).await;
        }
        // A typing mistake deserves a better answer than that there is no such subcommand.
        if let Err(failure) = operations.find(&cmdlet.name) {
            return Err(anyhow!(Exit::Usage).context(told(&failure)));
        }
    }
    let program = program(&operations);
    let matches = program.clone().get_matches();
    let named: Option<PathBuf> = matches.get_one::<PathBuf>("data").cloned();
    let data = data_directory::directory(named.as_ref());
    if let Some((entry, matches)) = operations.matched(&matches) {
        return cli::command::by_options(operations.clone(), entry, matches, &data?).await;
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.operation {
        Operation::Migrate(options) => migrate::run(*options, &data?).await,
        Operation::Serve(options) => serve::run(options, &data?, operations).await,
        Operation::Watch(options) => cli::watch::run(options, &data?, &operations).await,
        Operation::Login(options) => cli::login::run(options, &data?, &operations).await,
        Operation::Shell(options) => cli::shell::run(options, &data?, operations).await,
        Operation::Invoke { operation } => invoked(&operations, &operation, &data?).await,
        Operation::PowershellModule => {
            output::text::print_page(operations.powershell_module());
            Ok(Exit::Synced)
        }
        Operation::Completions(options) => {
            cli::documents::print_completions(&options, &program);
            Ok(Exit::Synced)
        }
        Operation::Man(options) => cli::documents::write_man(&options, &program).map(|()| Exit::Synced),
        Operation::Openapi => {
            output::text::print_json(cli::documents::openapi(&operations)?.trim_end());
            Ok(Exit::Synced)
        }
    }
}

/// The whole command line: the program's own commands, and those of the list.
fn program(operations: &Operations<Context>) -> Command {
    Cli::command().subcommands(operations.commands())
}

async fn invoked(
    operations: &Arc<Operations<Context>>,
    operation: &str,
    data: &std::path::Path,
) -> Result<Exit> {
    let request =
        zeroize::Zeroizing::new(io::read_to_string(io::stdin()).context("standard input cannot be read")?);
    let line = Line::open(data, operations).await?;
    let answer = invoke(operations, &line.client, operation, request.as_bytes()).await;
    line.close().await;
    match answer {
        Ok(answer) => {
            output::text::print_json(&answer.to_string());
            Ok(Exit::Synced)
        }
        Err(failure) => {
            output::text::print_json(&failure.to_json().to_string());
            Ok(Exit::Operation(failure.kind.exit_code()))
        }
    }
}

/// A cmdlet as the program's first word: `mailhaul [--data DIR] Get-MigrationBatch ...`.
struct Cmdlet {
    name: String,
    words: Vec<String>,
}

impl Cmdlet {
    fn of(arguments: impl IntoIterator<Item = OsString>) -> Option<(Self, Option<PathBuf>)> {
        let mut words = arguments.into_iter().skip(1);
        let mut data = data_directory::named_by("MAILHAUL_DATA");
        let mut first = words.next()?;
        if first == "--data" {
            data = Some(words.next()?.into());
            first = words.next()?;
        }
        let name = first.into_string().ok()?;
        let (verb, noun) = name.split_once('-')?;
        let is_word = |it: &str| !it.is_empty() && it.bytes().all(|octet| octet.is_ascii_alphabetic());
        let is_cmdlet = is_word(verb) && noun.to_ascii_lowercase().starts_with("migration") && is_word(noun);
        if !is_cmdlet {
            return None;
        }
        let words = words.map(OsString::into_string).collect::<Result<_, _>>().ok()?;
        Some((Self { name, words }, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        program(&operations()).debug_assert();
    }

    #[test]
    fn cmdlets_are_told_from_commands() {
        let of = |line: &str| Cmdlet::of(line.split(' ').map(OsString::from));
        let (cmdlet, data) = of("mailhaul --data /d get-migrationbatch -Identity B").unwrap();
        assert_eq!(
            (cmdlet.name.as_str(), cmdlet.words.len(), data),
            ("get-migrationbatch", 2, Some("/d".into()))
        );
        for line in [
            "mailhaul batch get",
            "mailhaul",
            "mailhaul --version",
            "mailhaul powershell-module",
            "mailhaul --data",
        ] {
            assert!(of(line).is_none(), "{line}");
        }
    }
}
