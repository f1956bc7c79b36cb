//! Properties, methods and elements of values.

use crate::{number, text, times, value::Value};

/// Longest text that a script can build, in bytes.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// Evaluates `value.name`. A missing property is `$null`. For a list, collects the properties of its elements.
pub(crate) fn property(value: &Value, name: &str) -> Result<Value, String> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    match value {
        Value::Null if is("Count") || is("Length") => Ok(0_usize.into()),
        Value::Null => Ok(Value::Null),
        Value::Object(object) => match object.get(name) {
            Some(value) => Ok(value.clone()),
            None if is("Count") || is("Length") => Ok(1_usize.into()),
            None => Ok(Value::Null),
        },
        Value::List(values) if is("Count") || is("Length") => Ok(values.len().into()),
        Value::List(values) => {
            let mut gathered = Vec::new();
            for value in values {
                gathered.extend(property(value, name)?.into_stream());
            }
            Ok(Value::from_stream(gathered))
        }
        Value::Text(text) if is("Length") => Ok(text.chars().count().into()),
        Value::Bytes(octets) if is("Length") || is("Count") => Ok(octets.len().into()),
        Value::Credential { user, .. } if is("UserName") => Ok(user.as_str().into()),
        Value::Credential { password, .. } if is("Password") => Ok(Value::Secret(password.clone())),
        _ if is("Count") || is("Length") => Ok(1_usize.into()),
        other => Err(format!("{} has no property {name}", describe(other))),
    }
}

/// Evaluates `value[index]`. A negative index counts from the end.
pub(crate) fn index(value: &Value, index: &Value) -> Result<Value, String> {
    match (value, index) {
        (Value::Object(object), Value::Text(name)) => Ok(object.get(name).cloned().unwrap_or_default()),
        (Value::Null, _) => Err("there is nothing to take an element of".to_owned()),
        (_, Value::Number(number)) => {
            let number = number.as_i64().ok_or_else(|| format!("{number} is not an index"))?;
            let found = match value {
                Value::List(values) => element(values.len(), number).map(|at| values[at].clone()),
                Value::Text(text) => {
                    let characters: Vec<char> = text.chars().collect();
                    element(characters.len(), number).map(|at| Value::Text(characters[at].to_string()))
                }
                Value::Bytes(octets) => element(octets.len(), number).map(|at| u64::from(octets[at]).into()),
                one => element(1, number).map(|_| one.clone()),
            };
            Ok(found.unwrap_or_default())
        }
        _ => Err(format!("`{}` is not an index", text::show(index))),
    }
}

fn element(length: usize, index: i64) -> Option<usize> {
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    let at = if index < 0 { length.checked_sub(from_end)? } else { from_end };
    if at < length { Some(at) } else { None }
}

/// Evaluates `value.Method(arguments)`.
pub(crate) fn call(value: &Value, method: &str, arguments: &[Value]) -> Result<Value, String> {
    if let Value::Text(text) = value
        && let Some(result) = text_method(text, method, arguments)
    {
        return result;
    }
    match (method.to_ascii_lowercase().as_str(), arguments) {
        ("tostring", []) => Ok(text::interpolate(value).into()),
        ("tostring", _) => Err("ToString() with a format is not supported here".to_owned()),
        _ => Err(format!(
            "{} has no method {method} here; texts have ToString, ToLower, ToUpper, Trim, StartsWith, EndsWith, \
             Contains and Replace, dates have {} and ToUniversalTime",
            describe(value),
            times::METHODS.join(", ")
        )),
    }
}

fn text_method(text: &str, method: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    let moment = || times::moment(text).ok_or_else(|| format!("`{text}` is not a date"));
    let result = match (method.to_ascii_lowercase().as_str(), arguments) {
        ("tolower", []) => Ok(text.to_lowercase().into()),
        ("toupper", []) => Ok(text.to_uppercase().into()),
        ("trim", []) => Ok(text.trim().into()),
        ("startswith", [Value::Text(part)]) => Ok(text.starts_with(part.as_str()).into()),
        ("endswith", [Value::Text(part)]) => Ok(text.ends_with(part.as_str()).into()),
        ("contains", [Value::Text(part)]) => Ok(text.contains(part.as_str()).into()),
        ("replace", [Value::Text(from), Value::Text(to)]) if !from.is_empty() => {
            if text.matches(from.as_str()).count().saturating_mul(to.len()) > MAX_TEXT {
                Err("this text becomes too long".to_owned())
            } else {
                Ok(text.replace(from.as_str(), to).into())
            }
        }
        ("touniversaltime", []) => moment().map(|moment| moment.to_string().into()),
        (name, [amount]) if times::METHODS.iter().any(|known| known.eq_ignore_ascii_case(name)) => moment()
            .and_then(|moment| {
                let number = match amount {
                    Value::Number(number) => number.as_f64(),
                    Value::Text(text) => number::parse(text).and_then(|number| number.as_f64()),
                    _ => None,
                };
                let moved = number.and_then(|number| times::add(moment, name, number));
                let shown = || format!("{method} cannot add `{}` to {text}", text::show(amount));
                moved.map(|moment| moment.to_string().into()).ok_or_else(shown)
            }),
        _ => return None,
    };
    Some(result)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "$null".to_owned(),
        Value::Text(text) if text.chars().count() <= 40 => format!("the text `{text}`"),
        Value::Text(_) => "a text".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{}`", text::show(value)),
        Value::Bytes(_) => "a file's content".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Credential { .. } => "a credential".to_owned(),
        Value::Secret(_) => "a secret".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_of_all_kinds() {
        let users = Value::from(json!([{ "Id": 1, "Tags": ["a", "b"] }, { "Id": 2 }]));
        for (value, name, found) in [
            (users.clone(), "id", json!([1, 2])),
            (users.clone(), "Tags", json!(["a", "b"])),
            (users, "Count", json!(2)),
            (json!({ "Count": 7 }).into(), "count", json!(7)),
            (json!({ "A": 7 }).into(), "Count", json!(1)),
            (json!({ "A": 7 }).into(), "B", json!(null)),
            (json!("größe").into(), "Length", json!(5)),
            (Value::Null, "Count", json!(0)),
            (Value::Bytes(vec![1, 2]), "Length", json!(2)),
        ] {
            assert_eq!(property(&value, name), Ok(found.into()), "{value:?}.{name}");
        }
        assert!(property(&json!("x").into(), "Year").is_err());
        let credential = Value::Credential { user: "ann".into(), password: Secret::new("hunter2") };
        assert_eq!(property(&credential, "UserName"), Ok("ann".into()));
        assert_eq!(property(&credential, "Password"), Ok(Value::Secret(Secret::new("hunter2"))));
    }

    #[test]
    fn elements_from_both_ends() {
        let list = Value::from(json!(["a", "b", "c"]));
        for (at, found) in [
            (0, json!("a")),
            (2, json!("c")),
            (-1, json!("c")),
            (-3, json!("a")),
            (3, json!(null)),
            (-4, json!(null)),
        ] {
            assert_eq!(index(&list, &json!(at).into()), Ok(found.into()), "{at}");
        }
        assert_eq!(index(&json!({ "A": 1 }).into(), &"a".into()), Ok(json!(1).into()));
        assert_eq!(index(&json!(5).into(), &json!(0).into()), Ok(json!(5).into()));
        assert!(index(&list, &"a".into()).is_err());
        assert_eq!(index(&list, &json!(i64::MIN).into()), Ok(Value::Null));
    }

    #[test]
    fn methods() {
        for (value, method, arguments, result) in [
            ("Ann", "toLower", json!([]), json!("ann")),
            (" a ", "Trim", json!([]), json!("a")),
            ("batch-1", "Replace", json!(["-", "_"]), json!("batch_1")),
            ("batch-1", "StartsWith", json!(["b"]), json!(true)),
            ("2026-11-02T08:00:00Z", "AddHours", json!([1]), json!("2026-11-02T09:00:00Z")),
            ("2026-11-02T08:00:00+01:00", "ToUniversalTime", json!([]), json!("2026-11-02T07:00:00Z")),
        ] {
            let Value::List(arguments) = Value::from(arguments) else { unreachable!() };
            assert_eq!(call(&value.into(), method, &arguments), Ok(result.into()), "{value}.{method}");
        }
        assert_eq!(call(&json!(5).into(), "ToString", &[]), Ok("5".into()));
        assert!(call(&"x".into(), "AddHours", &[json!(1).into()]).unwrap_err().contains("not a date"));
        assert!(call(&"x".into(), "Explode", &[]).unwrap_err().contains("Explode"));
    }
}
