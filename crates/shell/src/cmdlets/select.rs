//! Properties of objects by names, patterns and calculations.

use std::collections::HashSet;

use crate::{
    format,
    members::property,
    text,
    value::{Object, Value},
};

/// Columns for one object.
pub(crate) enum Cells {
    Pattern(String),
    Value(String, Value),
}

/// Selects values by their place.
pub(crate) fn window(
    mut values: Vec<Value>,
    skip: usize,
    first: Option<usize>,
    last: Option<usize>,
) -> Vec<Value> {
    if let (None, Some(last)) = (first, last) {
        // -Skip counts from the end too.
        values.truncate(values.len().saturating_sub(skip));
        return values.split_off(values.len().saturating_sub(last));
    }
    let mut values = values.split_off(skip.min(values.len()));
    match (first, last) {
        (Some(first), Some(last)) => {
            let tail = values.split_off(first.max(values.len().saturating_sub(last)).min(values.len()));
            values.truncate(first);
            values.extend(tail);
        }
        (Some(first), None) => values.truncate(first),
        _ => {}
    }
    values
}

/// Returns the selected properties. A missing one is `$null`.
pub(crate) fn pick(value: &Value, cells: Vec<Cells>, excluded: &[String]) -> Object {
    let known: Vec<&str> = match value {
        Value::Object(object) => object.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let cells = if cells.is_empty() { vec![Cells::Pattern("*".to_owned())] } else { cells };
    let mut picked = Object::new();
    for cell in cells {
        match cell {
            Cells::Value(name, value) => picked.insert(name, value),
            Cells::Pattern(pattern) => {
                for name in format::resolve(&known, &[&pattern]) {
                    if picked.get(&name).is_none() {
                        let found = property(value, &name).unwrap_or_default();
                        picked.insert(name, found);
                    }
                }
            }
        }
    }
    if !excluded.is_empty() {
        let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
        let known: Vec<&str> = picked.iter().map(|(name, _)| name).collect();
        let without: HashSet<String> = format::resolve(&known, &excluded).into_iter().collect();
        for name in without {
            picked.remove(&name);
        }
    }
    picked
}

pub(crate) fn expanded(value: &Value, name: &str) -> Result<Vec<Value>, String> {
    if let Value::Object(object) = value
        && object.get(name).is_none()
    {
        let hint = text::did_you_mean(name, object.iter().map(|(name, _)| name));
        return Err(format!("there is no property {name}{hint}"));
    }
    Ok(property(value, name)?.into_stream())
}
