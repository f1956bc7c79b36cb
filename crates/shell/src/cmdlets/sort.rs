//! `Sort-Object`, `Measure-Object` and `Group-Object`.

use std::{cmp::Ordering, collections::HashMap};

use serde_json::Number;

use super::bind::BoundArguments;
use crate::{
    compare::SortKey,
    error::Fault,
    flow::{EvalResult, Flow},
    members::property,
    number, text,
    value::{Object, Value},
};

pub(crate) fn sort_object(at: usize, mut bound: BoundArguments<'_>, input: Flow) -> EvalResult<Flow> {
    let properties = bound.texts("Property")?;
    let descending = bound.has("Descending");
    let mut keyed = Vec::with_capacity(input.values.len());
    for value in input.values {
        let key: Vec<SortKey> = values_of(at, &value, &properties)?.iter().map(SortKey::new).collect();
        keyed.push((key, value));
    }
    let order = |one: &Vec<SortKey>, other: &Vec<SortKey>| -> Ordering {
        if descending { other.cmp(one) } else { one.cmp(other) }
    };
    keyed.sort_by(|(one, _), (other, _)| order(one, other));
    if bound.has("Unique") {
        keyed.dedup_by(|(one, _), (other, _)| one == other);
    }
    Ok(Flow { values: keyed.into_iter().map(|(_, value)| value).collect(), view: input.view, screen: None })
}

/// Returns the properties of a value, or the value itself if none is named.
fn values_of(at: usize, value: &Value, properties: &[String]) -> EvalResult<Vec<Value>> {
    if properties.is_empty() {
        return Ok(vec![value.clone()]);
    }
    let found = |name: &String| property(value, name).map_err(|message| Fault::value(at, message));
    properties.iter().map(found).collect()
}

pub(crate) fn measure_object(at: usize, mut bound: BoundArguments<'_>, input: &Flow) -> EvalResult<Flow> {
    let properties = bound.texts("Property")?;
    if properties.is_empty() {
        return Ok(Flow::new(vec![measure(at, &bound, &input.values, None)?.into()]));
    }
    let mut results = Vec::new();
    for name in properties {
        let mut values = Vec::new();
        for value in &input.values {
            let found = property(value, &name).map_err(|message| Fault::value(at, message))?;
            if found != Value::Null {
                values.push(found);
            }
        }
        results.push(measure(at, &bound, &values, Some(&name))?.into());
    }
    Ok(Flow::new(results))
}

fn measure(
    at: usize,
    bound: &BoundArguments<'_>,
    values: &[Value],
    property: Option<&str>,
) -> EvalResult<Object> {
    let sum = if bound.has("Sum") || bound.has("Average") { Some(sum(at, values)?) } else { None };
    #[expect(clippy::cast_precision_loss, reason = "an average is no exact number anyway")]
    let average = match sum.as_ref().and_then(Number::as_f64) {
        Some(sum) if !values.is_empty() => Some(sum / values.len() as f64),
        _ => None,
    };
    let extreme = |switch: &str, wanted: Ordering| {
        let better = |one: &Value, other: &Value| SortKey::new(one).cmp(&SortKey::new(other)) == wanted;
        let best = values.iter().reduce(|best, value| if better(value, best) { value } else { best });
        if bound.has(switch) { best.cloned().unwrap_or_default() } else { Value::Null }
    };
    let asked = |switch: &str, number: Option<Number>| {
        if bound.has(switch) { number.map_or(Value::Null, Value::Number) } else { Value::Null }
    };
    Ok(Object::from_iter([
        ("Count", values.len().into()),
        ("Average", asked("Average", average.and_then(number::tidy))),
        ("Sum", asked("Sum", sum)),
        ("Maximum", extreme("Maximum", Ordering::Greater)),
        ("Minimum", extreme("Minimum", Ordering::Less)),
        ("Property", property.map_or(Value::Null, Value::from)),
    ]))
}

fn sum(at: usize, values: &[Value]) -> EvalResult<Number> {
    let mut whole = Some(0_i64);
    let mut total = 0.0;
    for value in values {
        let number = match value {
            Value::Number(number) => Some(number.clone()),
            Value::Text(text) => number::parse(text.trim()),
            _ => None,
        };
        let number =
            number.ok_or_else(|| Fault::value(at, format!("`{}` is not a number", text::show(value))))?;
        whole = whole.zip(number.as_i64()).and_then(|(sum, number)| sum.checked_add(number));
        total += number.as_f64().unwrap_or_default();
    }
    let number = whole.map(Number::from).or_else(|| number::tidy(total));
    number.ok_or_else(|| Fault::value(at, "the sum is too large"))
}

pub(crate) fn group_object(at: usize, mut bound: BoundArguments<'_>, input: Flow) -> EvalResult<Flow> {
    let properties = bound.texts("Property")?;
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for value in input.values {
        let shown: Vec<String> = values_of(at, &value, &properties)?.iter().map(text::show).collect();
        let name = shown.join(", ");
        let place = *places.entry(name.to_lowercase()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((name, Vec::new()));
        }
        groups[place].1.push(value);
    }
    let no_element = bound.has("NoElement");
    let object = |(name, values): (String, Vec<Value>)| {
        let mut object = Object::from_iter([("Count", Value::from(values.len())), ("Name", name.into())]);
        if !no_element {
            object.insert("Group", values);
        }
        object.into()
    };
    let view = Some(vec!["Count".to_owned(), "Name".to_owned()]);
    Ok(Flow { values: groups.into_iter().map(object).collect(), view, screen: None })
}
