//! Output formats of results.

use std::fmt;

use mailhaul_shell::{Object, Value as Shown, format};
use serde_json::Value;

use crate::entry::Entry;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Table of the operation's main properties.
    Table,
    /// One property per line.
    List,
    Json,
    /// Comma-separated values with a header.
    Csv,
}

const FORMS: [(Output, &str); 4] =
    [(Output::Table, "table"), (Output::List, "list"), (Output::Json, "json"), (Output::Csv, "csv")];

impl Output {
    /// Finds a format by name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        FORMS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(output, _)| *output)
    }

    pub fn names() -> [&'static str; 4] {
        FORMS.map(|(_, name)| name)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORMS[*self as usize].1)
    }
}

/// Formats the results. The width is that of the terminal; without it, nothing is truncated.
pub fn render(entry: &Entry, results: &[Value], output: Output, width: Option<usize>) -> String {
    let objects = || results.iter().map(|it| object(it.clone())).collect::<Vec<_>>();
    match output {
        Output::Table => table(&objects(), entry.view(), width),
        Output::List => format::list(&objects(), &[]),
        Output::Csv => format::csv(&objects()),
        // Always an array, so that programs need not test for a single result.
        Output::Json => format!("{:#}\n", Value::Array(results.to_vec())),
    }
}

/// Formats a table of these columns; of all properties, if the objects have none of them.
fn table(objects: &[Object], view: &[&str], width: Option<usize>) -> String {
    if objects.iter().any(|object| view.iter().any(|name| object.get(name).is_some())) {
        return format::table(objects, view, width);
    }
    let names: Vec<&str> = objects.first().into_iter().flat_map(Object::iter).map(|(name, _)| name).collect();
    format::table(objects, &names, width)
}

fn object(result: Value) -> Object {
    match Shown::from(result) {
        Shown::Object(object) => object,
        other => Object::from_iter([("Value", other)]),
    }
}
