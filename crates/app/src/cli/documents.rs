//! Documents that are generated from the list of operations: completions, manual pages, the API description.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Command};
use mailhaul_operations::{Operations, Shell, completions, man_pages};

use crate::{context::Context, output::text};

/// Options of `mailhaul completions`.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Options of `mailhaul man`.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Directory for the pages
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

pub(crate) fn print_completions(options: &Completions, program: &Command) {
    text::print_page(completions(program, options.shell));
}

pub(crate) fn write_man(options: &Man, program: &Command) -> Result<()> {
    let directory = &options.directory;
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for page in man_pages(program)? {
        let path = directory.join(&page.file_name);
        fs::write(&path, page.text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Returns the `OpenAPI` document of the HTTP interface as in `docs/openapi.json`.
pub(crate) fn openapi(operations: &Operations<Context>) -> Result<String> {
    let description = operations.openapi(env!("CARGO_PKG_VERSION"));
    Ok(serde_json::to_string_pretty(&description)? + "\n")
}
