//! Generates manual pages.

use std::io;

use clap::Command;
use clap_mangen::Man;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManPage {
    /// For example `mailhaul-batch-new.1`.
    pub file_name: String,
    /// In roff.
    pub text: String,
}

/// Generates a page for the program, and one for each of its commands.
pub fn man_pages(program: &Command) -> io::Result<Vec<ManPage>> {
    // Building sets names and usage. The `help` command would get a page for each command again.
    let mut program = program.clone().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    add(&program, &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, pages: &mut Vec<ManPage>) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text)?;
    pages.push(ManPage { file_name: man.get_filename(), text: String::from_utf8_lossy(&text).into_owned() });
    command.get_subcommands().filter(|it| !it.is_hide_set()).try_for_each(|it| add(it, pages))
}
