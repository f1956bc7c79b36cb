//! Verbs, and their forms on the command line and over HTTP: one table.

use std::fmt;

/// Action on a noun. PowerShell's approved verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Tests an object; changes nothing.
    Test,
    New,
    /// Shows one or all objects.
    Get,
    Set,
    Start,
    Stop,
    Complete,
    Remove,
    /// Exports facts about an object.
    Export,
}

#[derive(Debug)]
pub(crate) struct Form {
    /// Part of the cmdlet's name.
    pub(crate) name: &'static str,
    /// Command, and last part of the path if `in_path`.
    pub(crate) word: &'static str,
    pub(crate) method: &'static str,
    /// True if the word ends the path: `/batches/{Identity}/start`.
    pub(crate) in_path: bool,
    /// True if parameters are in the body, false if in the query.
    pub(crate) in_body: bool,
    pub(crate) changes: bool,
}

const fn form(name: &'static str, word: &'static str, method: &'static str) -> Form {
    Form { name, word, method, in_path: false, in_body: true, changes: true }
}

const fn action(name: &'static str, word: &'static str) -> Form {
    Form { in_path: true, ..form(name, word, "POST") }
}

/// In the order of [`Verb`].
static FORMS: [Form; 9] = [
    Form { changes: false, ..action("Test", "test") },
    form("New", "new", "POST"),
    Form { changes: false, in_body: false, ..form("Get", "get", "GET") },
    form("Set", "set", "PATCH"),
    action("Start", "start"),
    action("Stop", "stop"),
    action("Complete", "complete"),
    Form { in_body: false, ..form("Remove", "remove", "DELETE") },
    Form { method: "GET", changes: false, in_body: false, ..action("Export", "export") },
];

impl Verb {
    /// True if the verb changes something.
    pub fn changes(self) -> bool {
        self.form().changes
    }

    /// True if the command asks for confirmation, unless the operation overrides it.
    pub const fn asks(self) -> bool {
        matches!(self, Self::Stop | Self::Remove)
    }

    pub(crate) fn form(self) -> &'static Form {
        &FORMS[self as usize]
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.form().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_finds_its_own_form() {
        use Verb::{Complete, Export, Get, New, Remove, Set, Start, Stop, Test};
        for verb in [Test, New, Get, Set, Start, Stop, Complete, Remove, Export] {
            assert_eq!(format!("{verb:?}"), verb.to_string());
            assert_eq!(verb.form().word, verb.form().name.to_ascii_lowercase());
            assert_eq!(verb.changes(), !matches!(verb, Test | Get | Export));
        }
    }
}
