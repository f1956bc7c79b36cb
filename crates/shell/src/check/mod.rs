//! Checks a script before its first line runs: names of commands and parameters, variables that are never set.

mod commands;
mod declared;
mod walk;

use crate::{ast::Block, error::Fault, host::Host, scopes::Scopes};

/// Checks a script, and notes its variables and functions.
///
/// `scopes` are those of the prompt: earlier lines set variables too.
pub(crate) fn check<H: Host>(script: &Block, scopes: &mut Scopes, host: &H) -> Result<(), Fault> {
    let mut names = scopes.clone();
    walk::block(script, &mut |node| declared::declare(node, &mut names));
    declared::parameters(script, &mut names);
    let mut first: Option<Fault> = None;
    walk::block(script, &mut |node| {
        if first.is_none() {
            first = commands::check(node, &names, host).err();
        }
    });
    if let Some(fault) = first {
        Err(fault)
    } else {
        declared::take_over(scopes, &names);
        Ok(())
    }
}
