//! Generates shell completions.

use clap::Command;
use clap_complete::{Shell, generate};

/// Completions of the whole program for this shell.
pub fn completions(program: &Command, shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut program.clone(), program.get_name(), &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
