//! One operation from the command line: `mailhaul batch new ...`, or `mailhaul New-MigrationBatch ...`.

use std::{io::IsTerminal as _, path::Path, sync::Arc};

use anyhow::Result;
use clap::ArgMatches;
use mailhaul_operations::{
    Bound, Client, Entry, Failure, Form, Operations, Output, Verb, arguments, cmdlet, options, render,
};

use super::console::{self, Console};
use crate::{context::Context, exit::Exit, output::text, serve::service_connection::Line};

/// The operation, as options were matched.
pub(crate) async fn by_options(
    operations: Arc<Operations<Context>>,
    entry: &Entry,
    matches: &ArgMatches,
    data: &Path,
) -> Result<Exit> {
    match options(entry, matches, &Console) {
        Ok(bound) => carry_out(&operations, entry, bound, data).await,
        Err(failure) => Ok(refused(&failure)),
    }
}

/// The operation, as a cmdlet with its arguments was typed.
pub(crate) async fn by_cmdlet(
    operations: Arc<Operations<Context>>,
    entry: &Entry,
    words: &[String],
    data: &Path,
) -> Result<Exit> {
    let arguments = arguments(words.iter().map(String::as_str));
    match cmdlet(entry, &arguments, None, Form::CommandLine, &Console) {
        Ok(bound) => carry_out(&operations, entry, bound, data).await,
        Err(refusal) => Ok(refused(&refusal.failure)),
    }
}

async fn carry_out(
    operations: &Arc<Operations<Context>>,
    entry: &Entry,
    bound: Bound,
    data: &Path,
) -> Result<Exit> {
    if bound.what_if {
        text::print(bound.effect(entry));
        return Ok(Exit::Synced);
    }
    if bound.must_ask(entry, console::is_terminal()) && !console::agrees(&bound.question(entry)) {
        text::print_error("nothing was done");
        return Ok(Exit::Usage);
    }
    let line = Line::open(data, operations).await?;
    let shown = show(entry, &line.client, bound).await;
    let exit = match shown {
        Ok(()) => {
            if starts_something(entry.verb()) {
                line.tell_if_nothing_moves();
            }
            Exit::Synced
        }
        Err(failure) => refused(&failure),
    };
    line.close().await;
    Ok(exit)
}

/// Whether somebody who did this waits for mail to move.
pub(crate) fn starts_something(verb: Verb) -> bool {
    matches!(verb, Verb::New | Verb::Start | Verb::Complete)
}

async fn show(entry: &Entry, client: &Client, bound: Bound) -> Result<(), Failure> {
    let is_terminal = std::io::stdout().is_terminal();
    let output = bound.output.unwrap_or(if is_terminal { Output::Table } else { Output::Json });
    let results = client.call(entry, bound.request).await?;
    if results.is_empty() && output != Output::Json {
        return Ok(());
    }
    let page = render(entry, &results, output, is_terminal.then(width).flatten());
    let page = page.trim_end_matches('\n');
    match output {
        Output::Json => text::print_json(page),
        Output::Csv => text::print_csv(page),
        Output::Table | Output::List => text::print_page(page),
    }
    Ok(())
}

/// The width of the terminal, in columns.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

fn refused(failure: &Failure) -> Exit {
    text::print_error(format_args!("error: {}", told(failure)));
    Exit::Operation(failure.kind.exit_code())
}

/// The failure, and on a line of its own what can be done about it.
pub(crate) fn told(failure: &Failure) -> String {
    match &failure.advice {
        Some(advice) => format!("{failure}\n  {advice}"),
        None => failure.to_string(),
    }
}
