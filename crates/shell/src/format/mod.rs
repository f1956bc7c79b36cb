//! Formats objects as lists, tables, CSV and JSON.
//!
//! `properties` are patterns such as `Max*`. Properties are shown once each, in the order of the patterns, then in the
//! order of the object. No patterns means all. A missing property is shown empty.

mod csv;
mod list;
mod properties;
mod table;

pub use csv::{csv, csv_further, csv_header, harmless_cell};
pub(crate) use csv::{csv_rows, csv_with};
pub use list::list;
pub(crate) use properties::resolve;
pub use table::table;
pub(crate) use table::{Layout, OpenTable, draw, names, open_table};

use crate::value::Value;

/// Formats JSON: one value as it is, several as an array.
pub fn json(values: &[Value]) -> String {
    let value = match values {
        [one] => one.into(),
        several => serde_json::Value::Array(several.iter().map(serde_json::Value::from).collect()),
    };
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_no_array() {
        let value = Value::from(serde_json::json!({ "b": 1, "a": [] }));
        assert_eq!(json(std::slice::from_ref(&value)), "{\n  \"b\": 1,\n  \"a\": []\n}");
        assert_eq!(json(&[Value::Null, Value::from("x")]), "[\n  null,\n  \"x\"\n]");
        assert_eq!(json(&[]), "[]");
    }
}
