//! CSV for spreadsheets.

use mailhaul_mail::for_screen;

use super::table::names;
use crate::{text, value::Object};

/// Formats objects as CSV (RFC 4180), with a header of all their properties.
///
/// A cell that a spreadsheet would evaluate as a formula gets a `'` before it.
pub fn csv(objects: &[Object]) -> String {
    csv_with(objects, ',', true)
}

/// Formats the header of a CSV file whose rows come later.
pub fn csv_header(names: &[String]) -> String {
    let mut csv = String::new();
    record(&mut csv, names.to_vec(), ',');
    csv
}

/// Formats rows for a header that was written before.
pub fn csv_further(objects: &[Object], names: &[String]) -> String {
    csv_rows(objects, names, ',')
}

/// Formats objects as CSV with another delimiter, and possibly without the header.
pub(crate) fn csv_with(objects: &[Object], delimiter: char, with_header: bool) -> String {
    let names = names(objects, &[]);
    if names.is_empty() {
        return String::new();
    }
    let mut csv = String::new();
    if with_header {
        record(&mut csv, names.clone(), delimiter);
    }
    csv.push_str(&csv_rows(objects, &names, delimiter));
    csv
}

/// Formats the rows for columns that are there already.
pub(crate) fn csv_rows(objects: &[Object], names: &[String], delimiter: char) -> String {
    let mut csv = String::new();
    for object in objects {
        let cell = |name: &String| object.get(name).map(text::show).unwrap_or_default();
        record(&mut csv, names.iter().map(cell).collect(), delimiter);
    }
    csv
}

/// Returns the cell in a form that no spreadsheet evaluates, and without control characters.
///
/// A formula begins with one of these characters, also after a `;` or a tab, which separate cells in many countries.
pub fn harmless_cell(cell: &str) -> String {
    let begins_formula = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mut harmless = String::with_capacity(cell.len() + 1);
    if begins_formula(cell) {
        harmless.push('\'');
    }
    for (at, character) in cell.char_indices() {
        harmless.push(character);
        let rest = &cell[at + character.len_utf8()..];
        let behind = rest.trim_start_matches([' ', '"']);
        // A dash behind a blank is one of a sentence, or of an option.
        let is_dash = behind.starts_with('-') && behind.len() < rest.len();
        if matches!(character, ';' | '\t') && begins_formula(behind) && !is_dash {
            harmless.push('\'');
        }
    }
    for_screen(&harmless).into_owned()
}

fn record(csv: &mut String, cells: Vec<String>, delimiter: char) {
    // An empty line would be no record.
    let is_only = cells.len() == 1;
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            csv.push(delimiter);
        }
        let cell = harmless_cell(&cell);
        if cell.contains(['"', delimiter, '\r', '\n']) || is_only && cell.is_empty() {
            csv.extend(["\"", &cell.replace('"', "\"\""), "\""]);
        } else {
            csv.push_str(&cell);
        }
    }
    csv.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::value::Value;

    fn objects(json: serde_json::Value) -> Vec<Object> {
        let Value::List(values) = Value::from(json) else { panic!("no list") };
        let object = |value| if let Value::Object(object) = value { object } else { panic!("no object") };
        values.into_iter().map(object).collect()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let objects = objects(json!([
            { "Identity": "ann@a.b", "Error": "no, \"never\"\nagain", "Count": 3 },
            { "Identity": "bob@a.b", "Warnings": ["a", "b"], "Done": true },
        ]));
        let expected = "Identity,Error,Count,Warnings,Done\r\n\
            ann@a.b,\"no, \"\"never\"\"\nagain\",3,,\r\n\
            bob@a.b,,,\"{a, b}\",True\r\n";
        assert_eq!(csv(&objects), expected);
        assert_eq!(csv(&[]), "");
    }

    #[test]
    fn formulas_are_text() {
        for cell in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\t;=1"] {
            let object = Object::from_iter([("A", cell)]);
            let line = csv(&[object]).lines().nth(1).unwrap().trim_start_matches('"').to_owned();
            assert!(line.starts_with('\''), "{cell:?}: {line}");
        }
    }

    #[test]
    fn nor_is_there_one_behind_another_delimiter() {
        for (cell, harmless) in [
            ("x;=1+1", "x;'=1+1"),
            ("x;\t@y", "x;'\t'@y"),
            ("x; \"=1", "x;' \"=1"),
            ("a;b-c", "a;b-c"),
            ("\u{202e}a\x1b[2J", "\u{fffd}a\u{fffd}[2J"),
        ] {
            assert_eq!(harmless_cell(cell), harmless);
        }
    }

    proptest! {
        #[test]
        fn any_csv_reader_reads_the_cells_back(cells in prop::collection::vec("[a-c,\"\r\n '=]{0,8}", 1..5)) {
            let object: Object = cells.iter().enumerate().map(|(n, cell)| (format!("n{n}"), cell.as_str())).collect();
            let text = csv(&[object]);
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            let read: Vec<String> = record.iter().map(ToOwned::to_owned).collect();
            let guarded = |cell: &String| harmless_cell(cell);
            prop_assert_eq!(read, cells.iter().map(guarded).collect::<Vec<_>>());
        }
    }
}
