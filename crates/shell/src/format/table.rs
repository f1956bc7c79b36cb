//! `Format-Table`: one line per object.

use std::collections::HashSet;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::resolve;
use crate::{
    text,
    value::{Object, Value},
};

/// Minimum width to which a column is cut.
const MIN_COLUMN_WIDTH: usize = 4;
/// Characters of a table. Beyond, columns are cut: one long cell widens all rows.
const MAX_TABLE: usize = 32 << 20;

/// Width and wrapping of a table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Width of the screen, in characters.
    pub(crate) width: Option<usize>,
    /// True if long cells are wrapped instead of cut.
    pub(crate) wrap: bool,
}

/// Formats objects as a table. Long cells are cut with `...`, and columns without space are left out from the right.
///
/// For one object, selected columns with lists follow below the line: objects as a table, other values line by line.
/// Nothing is cut then.
pub fn table(objects: &[Object], columns: &[&str], width: Option<usize>) -> String {
    let [object] = objects else { return draw(objects, columns, Layout { width, wrap: false }) };
    let (below, beside): (Vec<&str>, Vec<&str>) =
        columns.iter().partition(|name| matches!(object.get(name), Some(Value::List(_))));
    if beside.is_empty() {
        return draw(objects, columns, Layout { width, wrap: false });
    }
    let mut blocks = vec![draw(objects, &beside, Layout { width, wrap: !below.is_empty() })];
    blocks.extend(below.iter().filter_map(|name| {
        let Some(Value::List(values)) = object.get(name) else { return None };
        if values.is_empty() { None } else { Some(block(values, width)) }
    }));
    blocks.join("\n")
}

/// Columns of a table on the screen, for rows that come later.
pub(crate) struct OpenTable {
    columns: Vec<(String, usize, bool)>,
}

impl OpenTable {
    /// Formats further rows; `None` if one does not fit.
    pub(crate) fn rows(&self, objects: &[Object]) -> Option<String> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, width, right) in &self.columns {
            let own = column(objects, name);
            if own.cells.iter().any(|cell| cell.width() > *width) {
                return None;
            }
            columns.push(Column { width: *width, right: *right, ..own });
        }
        let mut rows = String::new();
        for index in 0..objects.len() {
            let cells: Vec<&str> = columns.iter().map(|column| column.cells[index].as_str()).collect();
            row(&mut rows, &columns, &cells, false);
        }
        Some(rows)
    }
}

/// Formats a table as [`table`] does, to which rows can be added later if it has no lists below it.
pub(crate) fn open_table(
    objects: &[Object],
    columns: &[&str],
    width: Option<usize>,
) -> (String, Option<OpenTable>) {
    let shown = table(objects, columns, width);
    let has_lists =
        objects.len() == 1 && columns.iter().any(|name| matches!(objects[0].get(name), Some(Value::List(_))));
    if has_lists {
        return (shown, None);
    }
    let mut drawn: Vec<Column> = names(objects, columns).iter().map(|name| column(objects, name)).collect();
    fit(&mut drawn, width.unwrap_or(MAX_TABLE / (objects.len() + 1)));
    let columns = drawn.into_iter().map(|column| (column.name, column.width, column.right)).collect();
    (shown, Some(OpenTable { columns }))
}

fn block(values: &[Value], width: Option<usize>) -> String {
    let objects: Option<Vec<Object>> = values
        .iter()
        .map(|value| if let Value::Object(object) = value { Some(object.clone()) } else { None })
        .collect();
    match objects {
        Some(objects) => draw(&objects, &[], Layout { width, wrap: true }),
        None => values.iter().map(|value| text::harmless_on_screen(&text::show(value)) + "\n").collect(),
    }
}

struct Column {
    name: String,
    cells: Vec<String>,
    width: usize,
    right: bool,
}

/// Formats a table, possibly with wrapped cells.
pub(crate) fn draw(objects: &[Object], columns: &[&str], layout: Layout) -> String {
    let mut columns: Vec<Column> = names(objects, columns).iter().map(|name| column(objects, name)).collect();
    fit(&mut columns, layout.width.unwrap_or(MAX_TABLE / (objects.len() + 1)));
    if columns.is_empty() {
        return String::new();
    }
    let header: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let dashes: Vec<String> =
        columns.iter().map(|column| "-".repeat(column.name.width().min(column.width))).collect();
    let mut table = String::new();
    row(&mut table, &columns, &header, layout.wrap);
    row(&mut table, &columns, &dashes.iter().map(String::as_str).collect::<Vec<_>>(), layout.wrap);
    for index in 0..objects.len() {
        let cells: Vec<&str> = columns.iter().map(|column| column.cells[index].as_str()).collect();
        row(&mut table, &columns, &cells, layout.wrap);
    }
    table
}

/// Returns the names of the columns: the properties of all objects, because some may lack some.
pub(crate) fn names(objects: &[Object], patterns: &[&str]) -> Vec<String> {
    let mut seen = HashSet::new();
    let known: Vec<&str> = objects
        .iter()
        .flat_map(|object| object.iter().map(|(name, _)| name))
        .filter(|name| seen.insert(name.to_lowercase()))
        .collect();
    resolve(&known, patterns)
}

fn column(objects: &[Object], name: &str) -> Column {
    let one_line = |text: &str| text::harmless_on_screen(text).replace(['\n', '\t'], " ");
    let values: Vec<Option<&Value>> = objects.iter().map(|object| object.get(name)).collect();
    let cells: Vec<String> =
        values.iter().map(|value| one_line(&value.map(text::show).unwrap_or_default())).collect();
    let is_number = |value: Option<&Value>| matches!(value, Some(Value::Number(_)));
    let is_empty = |value: Option<&Value>| matches!(value, None | Some(Value::Null));
    let right = values.iter().any(|value| is_number(*value))
        && values.iter().all(|value| is_number(*value) || is_empty(*value));
    let name = one_line(name);
    let width = cells.iter().chain([&name]).map(|cell| cell.width()).max().unwrap_or_default();
    Column { name, cells, width, right }
}

/// Narrows the widest columns until all fit, and leaves out the last ones if necessary.
fn fit(columns: &mut Vec<Column>, width: usize) {
    let total = |columns: &[Column], cap: usize| {
        columns.iter().map(|column| column.width.min(cap)).sum::<usize>() + columns.len().saturating_sub(1)
    };
    while columns.len() > 1 && total(columns, MIN_COLUMN_WIDTH) > width {
        columns.pop();
    }
    // The largest cap that fits: between what fits surely and what may not.
    let (mut fits, mut above) = (MIN_COLUMN_WIDTH, width.max(MIN_COLUMN_WIDTH) + 1);
    while above - fits > 1 {
        let middle = usize::midpoint(fits, above);
        if total(columns, middle) <= width { fits = middle } else { above = middle }
    }
    let mut spare = width.saturating_sub(total(columns, fits));
    for column in columns {
        let wanted = column.width;
        column.width = wanted.min(fits);
        // What is left over is less than one for each cut column.
        if wanted > fits && spare > 0 {
            column.width += 1;
            spare -= 1;
        }
    }
}

fn row(table: &mut String, columns: &[Column], cells: &[&str], wrap: bool) {
    let mut rest: Vec<&str> = cells.to_vec();
    loop {
        let mut line = String::new();
        for (column, cell) in columns.iter().zip(&mut rest) {
            let shown = if wrap {
                let (shown, after) = wrap_at(cell, column.width);
                *cell = after;
                shown.to_owned()
            } else {
                cut(cell, column.width)
            };
            let pad = " ".repeat(column.width.saturating_sub(shown.width()));
            let (before, behind) = if column.right { (pad.as_str(), "") } else { ("", pad.as_str()) };
            line.extend([before, &shown, behind, " "]);
        }
        table.push_str(line.trim_end());
        table.push('\n');
        if !wrap || rest.iter().all(|cell| cell.is_empty()) {
            return;
        }
    }
}

fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    format!("{}...", split(cell, width.saturating_sub(3)).0)
}

/// Splits off the text for this line, at a blank if possible.
fn wrap_at(cell: &str, width: usize) -> (&str, &str) {
    let (shown, rest) = split(cell, width);
    if rest.is_empty() {
        return (shown, rest);
    }
    match rest.strip_prefix(' ').map(|rest| (shown, rest)).or_else(|| cell[..shown.len()].rsplit_once(' ')) {
        Some((shown, _)) if !shown.is_empty() => (shown, &cell[shown.len() + 1..]),
        _ => (shown, rest),
    }
}

/// Splits off the text that fits.
fn split(cell: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in cell.char_indices() {
        used += c.width().unwrap_or_default();
        // One character at least, or wrapping would never end.
        if used > width && at > 0 {
            return cell.split_at(at);
        }
    }
    (cell, "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn objects(json: serde_json::Value) -> Vec<Object> {
        let Value::List(values) = Value::from(json) else { panic!("no list") };
        let object = |value| if let Value::Object(object) = value { object } else { panic!("no object") };
        values.into_iter().map(object).collect()
    }

    fn batches() -> Vec<Object> {
        objects(json!([
            { "Identity": "IMAPBatch1", "Status": "Syncing", "TotalCount": 3, "Note": null },
            { "Identity": "B", "Status": "SyncedWithErrors", "TotalCount": 12000, "Extra": ["x", "y"] },
        ]))
    }

    #[test]
    fn numbers_stand_right_and_text_left() {
        let expected = "\
Identity   Status           TotalCount Note Extra
--------   ------           ---------- ---- -----
IMAPBatch1 Syncing                   3
B          SyncedWithErrors      12000      {x, y}
";
        assert_eq!(table(&batches(), &[], None), expected);
    }

    #[test]
    fn columns_are_chosen_and_cut_to_the_width() {
        let expected = "\
Identity   Status     Nope
--------   ------     ----
IMAPBatch1 Syncing
B          SyncedW...
";
        assert_eq!(table(&batches(), &["identity", "STAT*", "Nope"], Some(26)), expected);
        let narrow = "Status\n------\nSyn...\nSyn...\n";
        assert_eq!(table(&batches(), &["Status", "Identity", "TotalCount"], Some(6)), narrow);
        for width in 0..60 {
            let drawn = table(&batches(), &[], Some(width));
            let widest = drawn.lines().map(UnicodeWidthStr::width).max().unwrap();
            assert!(widest <= width.max(MIN_COLUMN_WIDTH), "{width}\n{drawn}");
        }
    }

    #[test]
    fn lists_of_one_object_stand_below_it() {
        let test = objects(json!([{
            "Result": "Failed", "Notes": [], "Steps": [{ "Step": "TCP", "Detail": "it answers" }, { "Step": "TLS", "Detail": "no" }],
            "Lines": ["a,b", " c\u{1b}"],
        }]));
        let expected = "\
Result
------
Failed

Step Detail
---- ------
TCP  it
     answers
TLS  no

a,b
 c\u{FFFD}
";
        assert_eq!(table(&test, &["Result", "Notes", "Steps", "Lines"], Some(12)), expected);
        // Where nothing was chosen, and where there are several, they are cells.
        assert!(table(&test, &[], None).contains("{a,b,  c"));
        let two = [test[0].clone(), test[0].clone()];
        assert_eq!(table(&two, &["Result", "Lines"], None).lines().count(), 4);
        assert_eq!(table(&test, &["Lines"], None).lines().count(), 3);
    }

    #[test]
    fn wrapped_cells_lose_nothing() {
        let layout = Layout { width: Some(17), wrap: true };
        let expected = "\
Identity Status
-------- ------
IMAPBatc Syncing
h1
B        SyncedWi
         thErrors
";
        assert_eq!(draw(&batches(), &["Identity", "Status"], layout), expected);
    }

    #[test]
    fn cells_are_wrapped_at_blanks() {
        for (cell, parts) in [
            ("the server said no", ("the server", "said no")),
            ("the servers said", ("the", "servers said")),
            ("unbreakable word", ("unbreakab", "le word")),
            ("short", ("short", "")),
        ] {
            let width = if cell.starts_with('u') { 9 } else { 10 };
            assert_eq!(wrap_at(cell, width), parts);
        }
    }

    #[test]
    fn cells_are_one_line_and_wide_characters_count_twice() {
        let mail =
            objects(json!([{ "Subject": "a\nb\u{7}", "Who": "x" }, { "Subject": "会议", "Who": "y" }]));
        assert_eq!(table(&mail, &[], None), "Subject Who\n------- ---\na b\u{FFFD}    x\n会议    y\n");
        assert_eq!(table(&[], &["A"], None), "A\n-\n");
        assert_eq!(table(&mail, &["Z*"], None), "");
    }
}
