//! The program `mailhaul`.

mod advice;
mod cli;
#[allow(dead_code, reason = "the command line does not call it yet")]
mod context;
mod csv_cell;
mod exit;
mod migrate;
#[allow(dead_code, reason = "the command line does not call it yet")]
mod ops;
mod passwords;
mod server_url;
#[allow(dead_code, reason = "the command line does not call it yet")]
mod service;
mod text;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    cli::{Cli, Operation},
    exit::Exit,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            text::print_error(format_args!("error: the program cannot start: {error}"));
            return Exit::Internal.into();
        }
    };
    let outcome = match cli.operation {
        Operation::Migrate(options) => runtime.block_on(migrate::run(*options)),
    };
    // A connection that hangs must not keep the program alive.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            text::print_error(format_args!("error: {error:#}"));
            error.downcast_ref::<Exit>().copied().unwrap_or(Exit::Usage).into()
        }
    }
}
