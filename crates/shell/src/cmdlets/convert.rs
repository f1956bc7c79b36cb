//! Conversions between objects and JSON or CSV.

use std::io;

use crate::{
    error::Fault,
    text,
    value::{MAX_SIZE, Object, Value},
};

pub(crate) fn to_json(values: &[Value], as_array: bool, compress: bool) -> Option<String> {
    if values.is_empty() && !as_array {
        return None;
    }
    let json = match values {
        [one] if as_array => serde_json::Value::Array(vec![one.into()]),
        [one] => one.into(),
        several => serde_json::Value::Array(several.iter().map(serde_json::Value::from).collect()),
    };
    Some(if compress { json.to_string() } else { format!("{json:#}") })
}

/// Returns the values as objects, which have columns.
pub(crate) fn objects(at: usize, values: Vec<Value>) -> Result<Vec<Object>, Fault> {
    let object = |value| match value {
        Value::Object(object) => Ok(object),
        other => {
            let shown = text::show(&other);
            Err(Fault::value(
                at,
                format!("only objects have columns, and `{shown}` is not one; use Select-Object first"),
            ))
        }
    };
    values.into_iter().map(object).collect()
}

/// Options of `Import-Csv`.
#[derive(Clone, Debug)]
pub(crate) struct CsvOptions {
    pub(crate) delimiter: char,
    /// Names of the columns, if the file has no line of them.
    pub(crate) header: Vec<String>,
}

/// Maximum number of columns of a CSV file.
const MAX_COLUMNS: usize = 1000;

/// Parses CSV to objects. All cells are text.
pub(crate) fn from_csv(content: &str, options: &CsvOptions) -> Result<Vec<Value>, String> {
    let content = content.trim_start_matches('\u{feff}');
    // Windows PowerShell writes the type of the objects before the header.
    let content = if content.starts_with("#TYPE") {
        content.split_once('\n').map_or("", |(_, rest)| rest)
    } else {
        content
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(options.delimiter).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(io::Cursor::new(content));
    let mut names: Vec<String> = options.header.clone();
    let mut values = Vec::new();
    // Each object has all names, so a small file can become large.
    let mut size = 0;
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if names.is_empty() {
            names = record.iter().map(|cell| cell.trim().to_owned()).collect();
            for (index, name) in names.iter_mut().enumerate() {
                if name.is_empty() {
                    *name = format!("H{}", index + 1);
                }
            }
            if names.len() > MAX_COLUMNS {
                return Err(format!("it has {} columns; there may be {MAX_COLUMNS}", names.len()));
            }
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() > names.len() {
            return Err(format!(
                "line {line} has {} cells, and there are {} columns",
                record.len(),
                names.len()
            ));
        }
        let mut object = Object::new();
        for (index, name) in names.iter().enumerate() {
            object.insert(name.clone(), record.get(index).map_or(Value::Null, Value::from));
        }
        let value = Value::Object(object);
        size += value.size().unwrap_or(MAX_SIZE);
        if size > MAX_SIZE {
            return Err(format!("it has more than {} MB of values", MAX_SIZE >> 20));
        }
        values.push(value);
    }
    Ok(values)
}
