//! The program `mailhaul`: parses the command line, dispatches, and maps the result to the exit code.

mod advice;
mod boot_clock;
mod certificate_pin;
mod cli;
mod context;
mod cutover;
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

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Error, Result, anyhow};
use clap::{FromArgMatches as _, Parser as _};

use crate::{
    cli::{
        args::{Cli, Operation, program},
        cmdlet::{CmdletLine, quoted_line},
        command::{self, with_advice},
        database, documents, invoke, login, open_console, shell, watch,
    },
    data_directory::DataPlace,
    exit::Exit,
    output::text,
    serve::local_service::operations,
};

/// Stack of each thread in bytes: as much as the main thread has.
///
/// A pass has deep futures. An unoptimised build needs more for them than the usual 2 MiB.
const STACK_SIZE: usize = 8 << 20;

fn main() -> ExitCode {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(STACK_SIZE).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            text::print_error(format_args!("error: the program cannot start: {error}"));
            return Exit::Internal.into();
        }
    };
    let outcome = runtime.block_on(run());
    // A connection that hangs must not keep the program alive.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| report(&error)).into()
}

/// Prints the error, and returns its exit code.
fn report(error: &Error) -> Exit {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // An outer error may end with the text of the inner one.
        let is_repeated = words.last().is_some_and(|outer| outer.ends_with(&text));
        if !is_repeated && cause.downcast_ref::<Exit>().is_none() {
            words.push(text);
        }
    }
    text::print_error(format_args!("error: {}", words.join(": ")));
    error.downcast_ref::<Exit>().copied().unwrap_or(Exit::Usage)
}

async fn run() -> Result<Exit> {
    // `migrate` needs no list of operations. To make the list takes as long as a pass without changes.
    if std::env::args_os().nth(1).is_some_and(|first| first == "migrate") {
        let cli = Cli::parse();
        if let Operation::Migrate(options) = cli.operation {
            let place = DataPlace::named(cli.data.as_ref(), cli.database.as_deref())?;
            return migrate::run(*options, &place).await;
        }
    }
    let operations = operations();
    if let Some(cmdlet) = CmdletLine::parse(std::env::args_os()) {
        if let Some(entry) = operations.entry(&cmdlet.name) {
            let data = DataPlace::named(cmdlet.data.as_ref(), cmdlet.database.as_deref())?;
            return command::by_cmdlet(operations.clone(), entry, &cmdlet.words, &data).await;
        }
        // `find` suggests similar names. Clap would only say that the subcommand is unknown.
        if let Err(failure) = operations.find(&cmdlet.name) {
            return Err(anyhow!(Exit::Usage).context(with_advice(&failure)));
        }
    }
    if let Some(line) = quoted_line(std::env::args_os()) {
        let text = format!(
            "this is a line of the shell; write: mailhaul shell -c '{}'",
            line.replace('\'', "'\\''")
        );
        return Err(anyhow!(Exit::Usage).context(text));
    }
    let program = program(&operations);
    let matches = program.clone().get_matches();
    let database = matches.get_one::<String>("database").map(String::as_str);
    let data = DataPlace::named(matches.get_one::<PathBuf>("data"), database);
    if let Some((entry, matches)) = operations.matched(&matches) {
        return command::by_options(operations.clone(), entry, matches, &data?).await;
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.operation {
        Operation::Migrate(options) => migrate::run(*options, &data?).await,
        Operation::Serve(options) => serve::run(options, &data?, operations).await,
        Operation::Database(command) => database::run(command, data).await,
        Operation::Watch(options) => watch::run(options, &data?, &operations).await,
        Operation::Login(options) => login::run(options, &data?, &operations).await,
        Operation::Console => open_console::run(&data?).await,
        Operation::Shell(options) => shell::run(options, &data?, operations).await,
        Operation::Invoke { operation } => invoke::run(&operations, &operation, &data?).await,
        Operation::PowershellModule => {
            text::print_page(operations.powershell_module());
            Ok(Exit::Synced)
        }
        Operation::Completions(options) => {
            documents::print_completions(&options, &program);
            Ok(Exit::Synced)
        }
        Operation::Man(options) => documents::write_man(&options, &program).map(|()| Exit::Synced),
        Operation::Openapi => {
            text::print_json(documents::openapi(&operations)?.trim_end());
            Ok(Exit::Synced)
        }
    }
}
