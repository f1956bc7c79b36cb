//! Operations from the command line: `mailhaul batch new ...`, or `mailhaul New-MigrationBatch ...`.

use std::{io::IsTerminal as _, sync::Arc};

use anyhow::Result;
use clap::ArgMatches;
use mailhaul_operations::{
    Bound, Client, Entry, Failure, FailureKind, Form, Operations, Output, Verb, arguments, cmdlet, options,
    render,
};

use mailhaul_shell::Argument;

use super::{
    batch_warnings,
    console::{self, Console},
    exchange_parameters, steps,
};
use crate::{
    context::Context, data_directory::DataPlace, exit::Exit, output::text,
    serve::service_connection::ServiceConnection,
};

/// Runs the operation with options that clap matched.
pub(crate) async fn by_options(
    operations: Arc<Operations<Context>>,
    entry: &Entry,
    matches: &ArgMatches,
    data: &DataPlace,
) -> Result<Exit> {
    match options(entry, matches, &Console) {
        Ok(bound) => execute(&operations, entry, bound, data).await,
        Err(failure) => Ok(refused(&failure)),
    }
}

/// Runs the operation that was typed as a cmdlet.
pub(crate) async fn by_cmdlet(
    operations: Arc<Operations<Context>>,
    entry: &Entry,
    words: &[String],
    data: &DataPlace,
) -> Result<Exit> {
    let arguments = arguments(words.iter().map(String::as_str));
    for argument in &arguments {
        if let Argument::Parameter { name, .. } = argument
            && let Some(why) = exchange_parameters::refusal(entry, name)
        {
            text::print_error(format_args!("error: {why}"));
            return Ok(Exit::Operation(FailureKind::Invalid.exit_code()));
        }
    }
    let (arguments, _, warnings) = exchange_parameters::take_out(entry.name(), arguments);
    for warning in warnings {
        text::print_error(format_args!("warning: {warning}"));
    }
    match cmdlet(entry, &arguments, None, Form::CommandLine, &Console) {
        Ok(bound) => execute(&operations, entry, bound, data).await,
        Err(refusal) => Ok(refused(&refusal.failure)),
    }
}

async fn execute(
    operations: &Arc<Operations<Context>>,
    entry: &Entry,
    bound: Bound,
    data: &DataPlace,
) -> Result<Exit> {
    if bound.what_if {
        text::print(bound.effect(entry));
        return Ok(Exit::Synced);
    }
    if bound.must_ask(entry, console::is_terminal()) && !console::agrees(&bound.question(entry)) {
        text::print_error("cancelled; nothing was changed");
        return Ok(Exit::Usage);
    }
    let connection = ServiceConnection::open(data, operations).await?;
    let shown = show(entry, &connection.client, bound).await;
    let exit = match shown {
        Ok(refused_count) => {
            if expects_service(entry.verb()) {
                connection.note_if_no_service();
            }
            // Some of many objects were refused; the answer names them.
            if refused_count > 0 { Exit::Operation(FailureKind::Conflict.exit_code()) } else { Exit::Synced }
        }
        Err(failure) => refused(&failure),
    };
    connection.close().await;
    Ok(exit)
}

/// True if mail should move after a command with this verb.
pub(crate) fn expects_service(verb: Verb) -> bool {
    matches!(verb, Verb::New | Verb::Start | Verb::Complete)
}

/// Prints the results. Returns the number of objects for which the operation was refused.
async fn show(entry: &Entry, client: &Client, bound: Bound) -> Result<u64, Failure> {
    let is_terminal = std::io::stdout().is_terminal();
    let output = bound.output.unwrap_or(if is_terminal { Output::Table } else { Output::Json });
    let may_warn = batch_warnings::may_come(entry, &bound.request);
    let mut results = steps::call(client, entry, bound.request, output).await?;
    for warning in batch_warnings::of_removal(entry, &mut results) {
        text::print_error(format_args!("warning: {warning}"));
    }
    if may_warn {
        for warning in results.iter().flat_map(batch_warnings::warnings) {
            text::print_error(format_args!("warning: {warning}"));
        }
    }
    if results.is_empty() && output != Output::Json {
        return Ok(0);
    }
    let refused_count = results.iter().filter_map(|result| result.get("RefusedCount")?.as_u64()).sum();
    let page = render(entry, &results, output, is_terminal.then(width).flatten());
    let page = page.trim_end_matches('\n');
    match output {
        Output::Json => text::print_json(page),
        Output::Csv => text::print_csv(page),
        Output::Table | Output::List => text::print_page(page),
    }
    Ok(refused_count)
}

/// Width of the terminal in columns.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

fn refused(failure: &Failure) -> Exit {
    text::print_error(format_args!("error: {}", with_advice(failure)));
    Exit::Operation(failure.kind.exit_code())
}

/// Returns the failure, with its advice on a second line.
pub(crate) fn with_advice(failure: &Failure) -> String {
    match &failure.advice {
        Some(advice) => format!("{failure}\n  {advice}"),
        None => failure.to_string(),
    }
}
