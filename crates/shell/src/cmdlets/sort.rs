//! `Sort-Object`, `Measure-Object` and `Group-Object`.

use std::cmp::Ordering;

use serde_json::Number;

use crate::{
    compare::SortKey,
    number, text,
    value::{Object, Value},
};

/// Sorts values by their keys. Each key is in descending order or not.
pub(crate) fn sorted(keyed: Vec<(Vec<Value>, Value)>, descending: &[bool], unique: bool) -> Vec<Value> {
    let mut keyed: Vec<(Vec<SortKey>, Value)> =
        keyed.into_iter().map(|(keys, value)| (keys.iter().map(SortKey::new).collect(), value)).collect();
    keyed.sort_by(|(one, _), (other, _)| {
        let orders = one.iter().zip(other).zip(descending.iter().chain(std::iter::repeat(&false)));
        let mut orders = orders
            .map(|((one, other), descending)| if *descending { other.cmp(one) } else { one.cmp(other) });
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    if unique {
        keyed.dedup_by(|(one, _), (other, _)| one == other);
    }
    keyed.into_iter().map(|(_, value)| value).collect()
}

/// Figures of `Measure-Object` that are wanted.
pub(crate) fn measure(wanted: &[&str], values: &[Value], property: Option<&str>) -> Result<Object, String> {
    let has = |switch: &str| wanted.contains(&switch);
    let sum = if has("Sum") || has("Average") { Some(sum(values)?) } else { None };
    #[expect(clippy::cast_precision_loss, reason = "an average is no exact number anyway")]
    let average = match sum.as_ref().and_then(Number::as_f64) {
        Some(sum) if !values.is_empty() => Some(sum / values.len() as f64),
        _ => None,
    };
    let extreme = |switch: &str, wanted: Ordering| {
        let better = |one: &Value, other: &Value| SortKey::new(one).cmp(&SortKey::new(other)) == wanted;
        let best = values.iter().reduce(|best, value| if better(value, best) { value } else { best });
        if has(switch) { best.cloned().unwrap_or_default() } else { Value::Null }
    };
    let asked = |switch: &str, number: Option<Number>| {
        if has(switch) { number.map_or(Value::Null, Value::Number) } else { Value::Null }
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

fn sum(values: &[Value]) -> Result<Number, String> {
    let mut whole = Some(0_i64);
    let mut total = 0.0;
    for value in values {
        let number = match value {
            Value::Number(number) => Some(number.clone()),
            Value::Text(text) => number::parse(text.trim()),
            _ => None,
        };
        let number = number.ok_or_else(|| format!("`{}` is not a number", text::show(value)))?;
        whole = whole.zip(number.as_i64()).and_then(|(sum, number)| sum.checked_add(number));
        total += number.as_f64().unwrap_or_default();
    }
    let number = whole.map(Number::from).or_else(|| number::tidy(total));
    number.ok_or_else(|| "the sum is too large".to_owned())
}

/// Returns the name of a group.
pub(crate) fn group_name(keys: &[Value]) -> String {
    keys.iter().map(text::show).collect::<Vec<_>>().join(", ")
}
