//! Operators between two values, but for `-and` and `-or`.

use serde_json::Number;

use crate::{
    compare::{Regexes, compare},
    limits::Bounds,
    number,
    number_format::format_text,
    operator::Operator,
    text, times,
    types::is_type,
    value::{Form, Value},
};

/// Evaluates `left operator right`.
pub(crate) fn operate(
    left: Value,
    operator: Operator,
    right: Value,
    regexes: &mut Regexes,
) -> Result<Value, String> {
    let bounds = regexes.bounds;
    match operator {
        Operator::Compare(comparison) => compare(&left, comparison, &right, regexes),
        Operator::Add => add(left, right, bounds),
        Operator::Subtract => subtract(&left, &right),
        Operator::Multiply => multiply(left, &right, bounds),
        Operator::Divide => divide(&left, &right),
        Operator::Remainder => remainder(&left, &right),
        Operator::Range => range(&left, &right, bounds),
        Operator::Format => {
            let arguments = if let Value::List(values) = right { values } else { vec![right] };
            format_text(&text::interpolate(&left), &arguments).map(Value::Text)
        }
        Operator::Join => joined(left, &text::interpolate(&right), bounds.text).map(Value::Text),
        Operator::Replace(case) => replace(left, &right, case, regexes),
        Operator::Split(case) => split(&left, &right, case, regexes),
        Operator::Is(negated) => Ok(Value::Bool(is_type(&left, &text::show(&right))? != negated)),
        Operator::And | Operator::Or | Operator::Xor | Operator::As => {
            Err("this operator has no value here".to_owned())
        }
    }
}

fn add(left: Value, right: Value, bounds: Bounds) -> Result<Value, String> {
    match (left, right) {
        (Value::Null, right) => Ok(right),
        (Value::List(mut values), right) => {
            match right {
                Value::List(more) => values.extend(more),
                one => values.push(one),
            }
            Ok(Value::List(values))
        }
        (Value::Text(left), right) => {
            if let (Some(moment), Value::Text(right)) = (times::exact_moment(&left), &right)
                && let Some(span) = times::span(right)
            {
                return times::shift(moment, span)
                    .map(Value::Text)
                    .ok_or_else(|| "this date is out of range".to_owned());
            }
            if let (Some(one), Value::Text(right)) = (times::long_span(&left), &right)
                && let Some(other) = times::long_span(right)
            {
                return Ok(Value::Text(times::show_span(one + other)));
            }
            let right = text::interpolate(&right);
            if left.len() + right.len() > bounds.text {
                return Err("this text becomes too long".to_owned());
            }
            Ok(Value::Text(left + &right))
        }
        (Value::Object(left), Value::Object(right)) if *left.form() == Form::Table => {
            let mut sum = left;
            for (name, value) in right.iter() {
                if sum.get(name).is_some() {
                    return Err(format!("both tables have {name}"));
                }
                sum.insert(name, value.clone());
            }
            Ok(Value::Object(sum))
        }
        (left, Value::Null) => Ok(left),
        (left, right) => {
            let (left, right) = (number(&left)?, number(&right)?);
            calculate(&left, &right, i128::checked_add, |left, right| left + right)
        }
    }
}

fn subtract(left: &Value, right: &Value) -> Result<Value, String> {
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        let out_of_range = || "this date is out of range".to_owned();
        if let Some(moment) = times::moment(left) {
            if let Some(earlier) = times::moment(right) {
                return Ok(Value::Text(times::show_span((moment.as_nanosecond()) - earlier.as_nanosecond())));
            }
            if let Some(span) = times::span(right) {
                return times::shift(moment, -span).map(Value::Text).ok_or_else(out_of_range);
            }
        }
        if let (Some(one), Some(other)) = (times::long_span(left), times::long_span(right)) {
            return Ok(Value::Text(times::show_span(one - other)));
        }
    }
    let (left, right) = (number(left)?, number(right)?);
    calculate(&left, &right, i128::checked_sub, |left, right| left - right)
}

fn multiply(left: Value, right: &Value, bounds: Bounds) -> Result<Value, String> {
    let count = |right: &Value, most: usize| {
        let count = number(right)?.as_u64().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count <= most).ok_or_else(|| format!("`{}` is too often", text::show(right)))
    };
    match left {
        Value::Text(left) => {
            let count = count(right, bounds.text)?;
            if left.len().saturating_mul(count) > bounds.text {
                return Err("this text becomes too long".to_owned());
            }
            Ok(Value::Text(left.repeat(count)))
        }
        Value::List(values) => {
            let count = count(right, bounds.items)?;
            if values.len().saturating_mul(count) > bounds.items {
                return Err("this list becomes too long".to_owned());
            }
            Ok(Value::List(values.iter().cycle().take(values.len() * count).cloned().collect()))
        }
        left => {
            let (left, right) = (number(&left)?, number(right)?);
            calculate(&left, &right, i128::checked_mul, |left, right| left * right)
        }
    }
}

fn divide(left: &Value, right: &Value) -> Result<Value, String> {
    let (left, right) = (number(left)?, number(right)?);
    if right.as_f64() == Some(0.0) {
        return Err("division by zero".to_owned());
    }
    let whole = |left: i128, right: i128| if left % right == 0 { Some(left / right) } else { None };
    calculate(&left, &right, whole, |left, right| left / right)
}

fn remainder(left: &Value, right: &Value) -> Result<Value, String> {
    let (left, right) = (number(left)?, number(right)?);
    if right.as_f64() == Some(0.0) {
        return Err("division by zero".to_owned());
    }
    calculate(&left, &right, i128::checked_rem, |left, right| left % right)
}

fn calculate(
    left: &Number,
    right: &Number,
    whole: impl Fn(i128, i128) -> Option<i128>,
    fraction: impl Fn(f64, f64) -> f64,
) -> Result<Value, String> {
    if let (Some(left), Some(right)) = (left.as_i128(), right.as_i128())
        && let Some(result) = whole(left, right)
        && let Some(number) = Number::from_i128(result)
        && (number.is_i64() || number.is_u64())
    {
        return Ok(Value::Number(number));
    }
    let result = fraction(left.as_f64().unwrap_or_default(), right.as_f64().unwrap_or_default());
    Number::from_f64(result).map(Value::Number).ok_or_else(|| "the result is no number".to_owned())
}

pub(crate) fn negate(value: &Value) -> Result<Value, String> {
    subtract(&Value::from(0_i64), value)
}

/// Returns a value as a number, as arithmetic reads it.
pub(crate) fn number(value: &Value) -> Result<Number, String> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::Null => Ok(0.into()),
        Value::Bool(is) => Ok(u8::from(*is).into()),
        Value::Text(text) => number::parse(text.trim()).ok_or_else(|| format!("`{text}` is not a number")),
        other => Err(format!("`{}` is not a number", text::show(other))),
    }
}

fn range(left: &Value, right: &Value, bounds: Bounds) -> Result<Value, String> {
    let end = |value: &Value| {
        number(value)?.as_i64().ok_or_else(|| format!("`{}` is not a whole number", text::show(value)))
    };
    let (from, to) = (end(left)?, end(right)?);
    if from.abs_diff(to) >= bounds.items as u64 {
        return Err(format!("a range may have {} numbers", bounds.items));
    }
    let numbers: Vec<Value> = if from <= to {
        (from..=to).map(Value::from).collect()
    } else {
        (to..=from).rev().map(Value::from).collect()
    };
    Ok(Value::List(numbers))
}

/// Returns the elements with the separator between them, in at most this many bytes.
pub(crate) fn joined(value: Value, separator: &str, most: usize) -> Result<String, String> {
    let values = if let Value::List(values) = value { values } else { vec![value] };
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(&text::show(value));
        if text.len() > most {
            return Err("this text becomes too long".to_owned());
        }
    }
    Ok(text)
}

fn replace(left: Value, right: &Value, case: bool, regexes: &mut Regexes) -> Result<Value, String> {
    if let Value::List(values) = left {
        let replaced = values.into_iter().map(|value| replace(value, right, case, regexes));
        return replaced.collect::<Result<Vec<_>, _>>().map(Value::List);
    }
    let (pattern, with) = match right {
        Value::List(parts) => match parts.as_slice() {
            [pattern] => (pattern, String::new()),
            [_, Value::Block(_)] => {
                return Err("a script block after -replace is not supported here".to_owned());
            }
            [pattern, with] => (pattern, text::interpolate(with)),
            _ => return Err("-replace takes a pattern and a text".to_owned()),
        },
        pattern => (pattern, String::new()),
    };
    let text = text::interpolate(&left);
    regexes.replace(&text, &text::interpolate(pattern), &with, case).map(Value::Text)
}

fn split(left: &Value, right: &Value, case: bool, regexes: &mut Regexes) -> Result<Value, String> {
    let (pattern, most) = match right {
        Value::List(parts) => match parts.as_slice() {
            [pattern] => (pattern, 0),
            [pattern, most, ..] => (pattern, number(most)?.as_u64().unwrap_or_default()),
            [] => return Err("-split takes a pattern".to_owned()),
        },
        pattern => (pattern, 0),
    };
    let pattern = text::interpolate(pattern);
    let values = if let Value::List(values) = left { values.as_slice() } else { std::slice::from_ref(left) };
    let mut parts = Vec::new();
    for value in values {
        parts.extend(regexes.split(
            &text::show(value),
            &pattern,
            usize::try_from(most).unwrap_or_default(),
            case,
        )?);
        if parts.len() > regexes.bounds.items {
            return Err("this text has too many parts".to_owned());
        }
    }
    Ok(Value::List(parts.into_iter().map(Value::Text).collect()))
}
