//! How results are shown.

use std::fmt;

use mailhaul_shell::{Object, Value as Shown, format};
use serde_json::Value;

use crate::entry::Entry;

/// The forms that results can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A table with a column for each of an operation's chosen properties.
    Table,
    /// Every property in a line.
    List,
    /// A JSON array.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

const FORMS: [(Output, &str); 4] =
    [(Output::Table, "table"), (Output::List, "list"), (Output::Json, "json"), (Output::Csv, "csv")];

impl Output {
    /// The form of this name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        FORMS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(output, _)| *output)
    }

    /// All names.
    pub fn names() -> [&'static str; 4] {
        FORMS.map(|(_, name)| name)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORMS[*self as usize].1)
    }
}

/// The results of an operation in this form. The width is that of the screen; without one nothing is cut.
pub fn render(entry: &Entry, results: &[Value], output: Output, width: Option<usize>) -> String {
    let objects = || results.iter().map(|it| object(it.clone())).collect::<Vec<_>>();
    match output {
        Output::Table => format::table(&objects(), entry.view(), width),
        Output::List => format::list(&objects(), &[]),
        Output::Csv => format::csv(&objects()),
        // Always an array: whoever reads it need not ask how many there are.
        Output::Json => format!("{:#}\n", Value::Array(results.to_vec())),
    }
}

fn object(result: Value) -> Object {
    match Shown::from(result) {
        Shown::Object(object) => object,
        other => Object::from_iter([("Value", other)]),
    }
}
