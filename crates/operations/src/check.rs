//! Checks a request before its operation runs, so that every mistake is reported in the same words,
//! with the parameter's name.

use serde_json::{Map, Number, Value};

use crate::{
    entry::Entry,
    failure::Failure,
    kind::{AllowedValue, Kind},
    parameter::{IDENTITY, Parameter},
    values::{DateTime, PASSWORD, TimeSpan, USER_NAME, is_base64},
};

/// Maximum characters of a name. The longest are those of mailboxes, with 320.
const LONGEST_NAME: usize = 512;
/// Maximum characters of any other text, such as a filter, a password or a path.
const LONGEST_TEXT: usize = 32 << 10;

/// Checks the request; returns it with the declared spelling of choices.
pub(crate) fn checked(entry: &Entry, request: Value) -> Result<Value, Failure> {
    let Value::Object(given) = request else {
        return Err(Failure::invalid(format_args!("the request of {} must be a JSON object", entry.name())));
    };
    let mut request = Map::new();
    for (name, value) in given {
        let parameter =
            entry.parameter(&name).ok_or_else(|| entry.unknown(&name, |it| format!("\"{it}\"")).at(&name))?;
        let value = fitting(parameter, value).map_err(|failure| failure.at(&name))?;
        request.insert(name, value);
    }
    match entry.parameters().iter().find(|it| it.required && !request.contains_key(&it.name)) {
        Some(missing) => {
            let failure = Failure::invalid(format_args!("{} needs {}", entry.name(), missing.name));
            Err(failure.at(&missing.name))
        }
        None => Ok(Value::Object(request)),
    }
}

fn fitting(parameter: &Parameter, value: Value) -> Result<Value, Failure> {
    let name = &parameter.name;
    if value.is_null() && parameter.clearable {
        return Ok(value);
    }
    // An empty identity must never mean "all".
    if name == IDENTITY && value.as_str().is_none_or(|it| it.trim().is_empty()) {
        return Err(Failure::invalid(format_args!("{name} must name an object")));
    }
    let most =
        if matches!(name.as_str(), IDENTITY | "Name" | "BatchId") { LONGEST_NAME } else { LONGEST_TEXT };
    if has_longer(&value, most) && !matches!(parameter.kind, Kind::Bytes | Kind::Secret | Kind::Continuation)
    {
        return Err(Failure::invalid(format_args!("{name} may have at most {most} characters")));
    }
    let what = must_be(&parameter.kind);
    fit(&parameter.kind, value).ok_or_else(|| Failure::invalid(format_args!("{name} must be {what}")))
}

/// True if a text has more than `most` characters.
fn has_longer(value: &Value, most: usize) -> bool {
    match value {
        Value::String(text) => text.len() > most && text.chars().count() > most,
        Value::Array(values) => values.iter().any(|value| has_longer(value, most)),
        Value::Object(map) => map.iter().any(|(key, value)| key.len() > most || has_longer(value, most)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns the value if it is valid. An invalid one is never shown: it may be a misplaced secret.
fn fit(kind: &Kind, value: Value) -> Option<Value> {
    let fits = match (kind, &value) {
        (Kind::Choice(choices), Value::String(written)) => {
            return choice(choices, written).map(|it| it.name.as_str().into());
        }
        (Kind::List(kind), Value::Array(_)) => {
            let Value::Array(values) = value else { return None };
            return values.into_iter().map(|it| fit(kind, it)).collect::<Option<Vec<_>>>().map(Value::Array);
        }
        (Kind::Switch | Kind::Boolean, Value::Bool(_))
        | (Kind::Text | Kind::Continuation | Kind::Limit, Value::String(_)) => true,
        (Kind::Bytes, Value::String(text)) => is_base64(text),
        (Kind::Integer { least, most }, Value::Number(number)) => in_range(number, *least, *most),
        (Kind::Limit, Value::Number(number)) => number.is_u64(),
        (Kind::DateTime, Value::String(text)) => text.parse::<DateTime>().is_ok(),
        (Kind::TimeSpan, Value::String(text)) => text.parse::<TimeSpan>().is_ok(),
        (Kind::Secret, Value::String(text)) => !text.is_empty(),
        (Kind::Map, Value::Object(map)) => map.values().all(Value::is_string),
        (Kind::Credential, Value::Object(map)) => {
            map.len() == 2
                && [USER_NAME, PASSWORD].iter().all(|it| map.get(*it).is_some_and(Value::is_string))
        }
        _ => false,
    };
    fits.then_some(value)
}

pub(crate) fn in_range(number: &Number, least: i64, most: u64) -> bool {
    let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    number.is_some_and(|it| (i128::from(least)..=i128::from(most)).contains(&it))
}

/// Finds a choice by name, in any case.
pub(crate) fn choice<'a>(choices: &'a [AllowedValue], written: &str) -> Option<&'a AllowedValue> {
    choices.iter().find(|it| it.name.eq_ignore_ascii_case(written))
}

/// Requirement on a value, as the end of a sentence.
pub(crate) fn must_be(kind: &Kind) -> String {
    match kind {
        Kind::Switch | Kind::Boolean => "true or false".to_owned(),
        Kind::Integer { least, most } => format!("a whole number from {least} to {most}"),
        Kind::Limit => "a whole number from 1, or unlimited".to_owned(),
        Kind::Text | Kind::Continuation => "a text".to_owned(),
        Kind::Choice(choices) => {
            let names: Vec<&str> = choices.iter().map(|it| it.name.as_str()).collect();
            match names.as_slice() {
                [one] => (*one).to_owned(),
                [others @ .., last] => format!("{} or {last}", others.join(", ")),
                [] => "nothing".to_owned(),
            }
        }
        Kind::DateTime => "a date such as 2026-12-31, 2026-12-31T08:00 or 2026-12-31T08:00:00Z".to_owned(),
        Kind::TimeSpan => {
            "a time span such as 1.12:00:00 (days.hours:minutes:seconds), 00:30:00 or 36h".to_owned()
        }
        Kind::Bytes => "base64 text".to_owned(),
        Kind::Credential => "an object of UserName and Password".to_owned(),
        Kind::Secret => "a secret text that is not empty".to_owned(),
        Kind::List(kind) => format!("a list, each of it {}", must_be(kind)),
        Kind::Map => "names, each with a text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_found_at_any_depth() {
        for value in [json!("12345"), json!(["1", "12345"]), json!({ "a": "12345" }), json!({ "12345": "" })]
        {
            assert!(has_longer(&value, 4) && !has_longer(&value, 5), "{value}");
        }
        assert!(!has_longer(&json!("\u{e9}\u{e9}\u{e9}\u{e9}"), 4));
    }
}
