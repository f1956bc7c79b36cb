//! `Select-Object`.

use std::collections::HashSet;

use super::bind::BoundArguments;
use crate::{
    error::Fault,
    flow::{EvalResult, Flow},
    format,
    members::property,
    text,
    value::{Object, Value},
};

pub(crate) fn select_object(mut bound: BoundArguments<'_>, input: Flow) -> EvalResult<Flow> {
    let (first, last) = (bound.count("First")?, bound.count("Last")?);
    let skip = bound.count("Skip")?.unwrap_or(0);
    let patterns = bound.texts("Property")?;
    let excluded = bound.texts("ExcludeProperty")?;
    let expand = bound.value("ExpandProperty")?;

    let mut flow = Flow { values: window(input.values, skip, first, last), ..input };
    if !patterns.is_empty() || !excluded.is_empty() {
        flow.view = None;
        flow.values =
            flow.values.into_iter().map(|value| pick(&value, &patterns, &excluded).into()).collect();
    }
    if let Some((at, name)) = expand {
        let Value::Text(name) = name else {
            return Err(Fault::value(at, "the name of one property must follow -ExpandProperty"));
        };
        let mut values = Vec::new();
        for value in flow.values {
            values.append(&mut expanded(&value, &name).map_err(|message| Fault::value(at, message))?);
        }
        flow = Flow::new(values);
    }
    if bound.has("Unique") {
        let mut seen = HashSet::new();
        flow.values.retain(|value| seen.insert(serde_json::Value::from(value).to_string()));
    }
    Ok(flow)
}

fn window(mut values: Vec<Value>, skip: usize, first: Option<usize>, last: Option<usize>) -> Vec<Value> {
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
fn pick(value: &Value, patterns: &[String], excluded: &[String]) -> Object {
    let known: Vec<&str> = match value {
        Value::Object(object) => object.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let mut names = format::resolve(&known, &patterns);
    if !excluded.is_empty() {
        let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let without: HashSet<String> = format::resolve(&known, &excluded).into_iter().collect();
        names.retain(|name| !without.contains(name));
    }
    let with_value = |name: String| {
        let found = property(value, &name).unwrap_or_default();
        (name, found)
    };
    names.into_iter().map(with_value).collect()
}

fn expanded(value: &Value, name: &str) -> Result<Vec<Value>, String> {
    if let Value::Object(object) = value
        && object.get(name).is_none()
    {
        let hint = text::did_you_mean(name, object.iter().map(|(name, _)| name));
        return Err(format!("there is no property {name}{hint}"));
    }
    Ok(property(value, name)?.into_stream())
}
