//! Properties, methods and elements of values.

use crate::{
    date_format,
    limits::{MAX_ITEMS, MAX_TEXT},
    number, number_format, text, times,
    value::{Form, Object, Value},
};

/// Evaluates `value.name`. A missing property is `$null`. For a list, collects the properties of its elements.
pub(crate) fn property(value: &Value, name: &str) -> Result<Value, String> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    match value {
        Value::Null if is("Count") || is("Length") => Ok(0_usize.into()),
        Value::Null => Ok(Value::Null),
        Value::Object(object) => match object.get(name) {
            Some(value) => Ok(value.clone()),
            None if *object.form() == Form::Table => Ok(table_property(object, name)),
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
        Value::Text(text) if TEXT_ITSELF.iter().any(|known| is(known)) => Ok(text.as_str().into()),
        Value::Text(text) if !is("Count") => text_property(text, name),
        Value::Bytes(octets) if is("Length") || is("Count") => Ok(octets.len().into()),
        Value::Bool(is_set) if is("IsPresent") => Ok((*is_set).into()),
        Value::Credential { user, .. } if is("UserName") => Ok(user.as_str().into()),
        Value::Credential { password, .. } if is("Password") => Ok(Value::Secret(password.clone())),
        _ if is("Count") || is("Length") => Ok(1_usize.into()),
        other => Err(format!("{} has no property {name}", describe(other))),
    }
}

/// Properties of identities and states in Exchange. Here these are texts, and their properties the texts themselves.
const TEXT_ITSELF: [&str; 9] = [
    "Name",
    "Id",
    "Value",
    "Guid",
    "Address",
    "DistinguishedName",
    "PrimarySmtpAddress",
    "DisplayName",
    "Identity",
];

fn text_property(text: &str, name: &str) -> Result<Value, String> {
    let found = times::exact_moment(text)
        .and_then(|moment| times::moment_property(moment, name))
        .or_else(|| times::span(text).and_then(|span| times::span_property(span, name)));
    found.ok_or_else(|| format!("{} has no property {name}", describe(&Value::Text(text.to_owned()))))
}

fn table_property(table: &Object, name: &str) -> Value {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    if is("Count") {
        return table.len().into();
    }
    if is("Keys") {
        return Value::List(table.iter().map(|(name, _)| name.into()).collect());
    }
    if is("Values") {
        return Value::List(table.iter().map(|(_, value)| value.clone()).collect());
    }
    Value::Null
}

/// Key of a property or an element.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Member(String),
    Index(Value),
}

/// Sets a property or an element inside a value. Returns the old one, if there is one.
pub(crate) fn set(whole: &mut Value, keys: &[Key], value: Value) -> Result<Option<Value>, String> {
    let Some((key, rest)) = keys.split_first() else {
        return Ok(Some(std::mem::replace(whole, value)));
    };
    match (whole, key) {
        (Value::Object(object), Key::Member(name) | Key::Index(Value::Text(name))) => {
            if let Some(inner) = object.get_mut(name) {
                return set(inner, rest, value);
            }
            if !rest.is_empty() {
                return Err(format!("there is no {name} yet"));
            }
            if *object.form() != Form::Table {
                let hint = text::did_you_mean(name, object.iter().map(|(name, _)| name));
                return Err(format!(
                    "the object has no property {name}{hint}; add one with `Add-Member` or `Select-Object *, @{{ Name = '{name}'; Expression = {{ ... }} }}`"
                ));
            }
            Ok(object.replace(name.clone(), value))
        }
        (whole @ Value::Object(_), Key::Index(index @ Value::Number(_))) => {
            let mut keys = vec![Key::Member(text::show(index))];
            keys.extend_from_slice(rest);
            set(whole, &keys, value)
        }
        (Value::List(values), Key::Index(Value::Number(index))) => {
            let at = index.as_i64().and_then(|index| element(values.len(), index));
            match at.and_then(|at| values.get_mut(at)) {
                Some(inner) => set(inner, rest, value),
                None => Err(format!("the list has no element {index}; add one with `+=`")),
            }
        }
        (other, Key::Member(name)) => {
            Err(format!("{} has no property {name} that can be set", describe(other)))
        }
        (other, Key::Index(_)) => Err(format!("{} has no elements that can be set", describe(other))),
    }
}

/// True for methods that change a list or a table.
pub(crate) fn is_change(method: &str) -> bool {
    const CHANGES: [&str; 7] = ["Add", "AddRange", "Insert", "Remove", "RemoveAt", "Clear", "Set_Item"];
    CHANGES.iter().any(|known| known.eq_ignore_ascii_case(method))
}

/// Evaluates a method that changes a list or a table. Returns the value that it removed.
pub(crate) fn change(
    whole: &mut Value,
    method: &str,
    arguments: Vec<Value>,
) -> Result<Option<Value>, String> {
    let mut arguments = arguments.into_iter();
    let (first, second) = (arguments.next(), arguments.next());
    match (whole, method.to_ascii_lowercase().as_str(), first, second) {
        (Value::List(values), "add", Some(one), None) => values.push(one),
        (Value::List(values), "addrange", Some(more), None) => values.extend(more.into_stream()),
        (Value::List(values), "clear", None, None) => return Ok(Some(Value::List(std::mem::take(values)))),
        (Value::List(values), "remove", Some(one), None) => {
            let found =
                values.iter().position(|value| text::show(value).eq_ignore_ascii_case(&text::show(&one)));
            return Ok(found.map(|at| values.remove(at)));
        }
        (Value::List(values), "removeat", Some(Value::Number(at)), None) => {
            match at.as_i64().and_then(|at| element(values.len(), at)) {
                Some(at) => return Ok(Some(values.remove(at))),
                None => return Err(format!("the list has no element {at}")),
            }
        }
        (Value::List(values), "insert", Some(Value::Number(at)), Some(one)) => {
            let at = at.as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
            values.insert(at.min(values.len()), one);
        }
        (Value::Object(table), "add", Some(name), Some(value)) => {
            let name = text::show(&name);
            if table.get(&name).is_some() {
                return Err(format!("the table already has {name}"));
            }
            table.insert(name, value);
        }
        (Value::Object(table), "set_item", Some(name), Some(value)) => {
            return Ok(table.replace(text::show(&name), value));
        }
        (Value::Object(table), "remove", Some(name), None) => return Ok(table.remove(&text::show(&name))),
        (Value::Object(table), "clear", None, None) => {
            let old = Value::Object(table.clone());
            table.clear();
            return Ok(Some(old));
        }
        (other, ..) => {
            return Err(format!("{} has no method {method} with these arguments", describe(other)));
        }
    }
    Ok(None)
}

/// Evaluates `value[index]`. A negative index counts from the end.
pub(crate) fn index(value: &Value, index: &Value) -> Result<Value, String> {
    match (value, index) {
        (Value::Object(object), Value::Text(name)) => Ok(object.get(name).cloned().unwrap_or_default()),
        (Value::Object(object), Value::Number(number)) if *object.form() == Form::Table => {
            Ok(object.get(&number.to_string()).cloned().unwrap_or_default())
        }
        (_, Value::List(indexes)) => {
            let mut found = Vec::new();
            for one in indexes {
                found.push(self::index(value, one)?);
            }
            Ok(Value::List(found))
        }
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
    let result = match value {
        Value::Text(text) => text_method(text, method, arguments)
            .or_else(|| longer_text(text, method, arguments))
            .or_else(|| time_method(text, method, arguments)),
        Value::Object(object) => table_method(object, method, arguments),
        Value::List(values) => match (method.to_ascii_lowercase().as_str(), arguments) {
            ("contains", [wanted]) => Some(Ok(values.contains(wanted).into())),
            ("toarray", []) => Some(Ok(value.clone())),
            ("indexof", [wanted]) => {
                let at = values.iter().position(|value| value == wanted);
                Some(Ok(at.map_or(Value::from(-1_i64), Value::from)))
            }
            _ => None,
        },
        Value::Number(number) => match (method.to_ascii_lowercase().as_str(), arguments) {
            ("tostring", [Value::Text(form)]) => {
                Some(number_format::format_number(number, form).map(Value::Text))
            }
            _ => None,
        },
        _ => None,
    };
    if let Some(result) = result {
        return result;
    }
    match (method.to_ascii_lowercase().as_str(), arguments) {
        ("tostring", []) => Ok(text::interpolate(value).into()),
        ("gettype", []) => Ok(Object::from_iter([("Name", type_name(value))]).into()),
        ("equals", [other]) => Ok((value == other).into()),
        _ => Err(format!(
            "{} has no method {method} here; texts have ToString, ToLower, ToUpper, Trim, Split, Substring, IndexOf, \
             StartsWith, EndsWith, Contains and Replace, dates have {}, ToString and ToUniversalTime",
            describe(value),
            times::METHODS.join(", ")
        )),
    }
}

/// Returns the name of a value's type in .NET.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {
            "Int32"
        }
        Value::Number(_) => "Int64",
        Value::Text(text) if times::exact_moment(text).is_some() => "DateTime",
        Value::Text(_) => "String",
        Value::Bytes(_) => "Byte[]",
        Value::List(_) => "Object[]",
        Value::Object(object) if *object.form() == Form::Table => "Hashtable",
        Value::Object(object) if *object.form() == Form::Error => "ErrorRecord",
        Value::Object(_) => "PSCustomObject",
        Value::Credential { .. } => "PSCredential",
        Value::Secret(_) => "SecureString",
        Value::Block(_) => "ScriptBlock",
    }
}

fn table_method(object: &Object, method: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    Some(Ok(match (method.to_ascii_lowercase().as_str(), arguments) {
        ("containskey" | "contains", [name]) => object.get(&text::show(name)).is_some().into(),
        ("containsvalue", [wanted]) => object.iter().any(|(_, value)| value == wanted).into(),
        ("getenumerator", []) => {
            let entry = |(name, value): (&str, &Value)| {
                Value::Object(Object::from_iter([
                    ("Name", Value::from(name)),
                    ("Key", name.into()),
                    ("Value", value.clone()),
                ]))
            };
            Value::List(object.iter().map(entry).collect())
        }
        ("clone", []) => Value::Object(object.clone()),
        _ => return None,
    }))
}

fn time_method(text: &str, method: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    let moment = || times::moment(text).ok_or_else(|| format!("`{text}` is not a date"));
    Some(match (method.to_ascii_lowercase().as_str(), arguments) {
        ("tostring", [Value::Text(form)]) => match (times::moment(text), times::span(text)) {
            (Some(moment), _) => date_format::format(moment, form).map(Value::Text),
            (None, Some(span)) => date_format::format_span(span, form).map(Value::Text),
            _ => Err(format!("`{text}` has no form `{form}`; only dates, time spans and numbers have forms")),
        },
        ("toshortdatestring", []) => {
            moment().and_then(|moment| date_format::format(moment, "d")).map(Value::Text)
        }
        ("tolongdatestring", []) => {
            moment().and_then(|moment| date_format::format(moment, "D")).map(Value::Text)
        }
        ("toshorttimestring", []) => {
            moment().and_then(|moment| date_format::format(moment, "t")).map(Value::Text)
        }
        // All dates are in UTC.
        ("touniversaltime" | "tolocaltime", []) => moment().map(|moment| moment.to_string().into()),
        ("subtract" | "add", [Value::Text(other)]) => moment().and_then(|moment| {
            let sign = if method.eq_ignore_ascii_case("add") { 1 } else { -1 };
            match (times::moment(other), times::span(other)) {
                (Some(other), _) if sign < 0 => {
                    Ok(times::show_span(moment.as_nanosecond() - other.as_nanosecond()).into())
                }
                (None, Some(span)) => times::shift(moment, sign * span)
                    .map(Value::Text)
                    .ok_or_else(|| "this date is out of range".to_owned()),
                _ => Err(format!("`{other}` is not a time span")),
            }
        }),
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
    })
}

/// Evaluates methods that make a text longer.
fn longer_text(text: &str, method: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    Some(match (method.to_ascii_lowercase().as_str(), arguments) {
        ("padleft" | "padright", [width]) => match count(width).filter(|width| *width <= 10_000) {
            Some(width) if method.eq_ignore_ascii_case("padleft") => Ok(format!("{text:>width$}").into()),
            Some(width) => Ok(format!("{text:<width$}").into()),
            None => Err(format!("`{}` is not a width", text::show(width))),
        },
        ("insert", [at, Value::Text(part)]) => {
            let mut characters = text.chars().collect::<Vec<char>>();
            match count(at).filter(|at| *at <= characters.len()) {
                Some(at) => {
                    characters.splice(at..at, part.chars());
                    Ok(characters.into_iter().collect::<String>().into())
                }
                None => Err(format!("the text has only {} characters", characters.len())),
            }
        }
        _ => return None,
    })
}

fn count(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        _ => None,
    }
}

fn text_method(text: &str, method: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    let characters = || text.chars().collect::<Vec<char>>();
    Some(match (method.to_ascii_lowercase().as_str(), arguments) {
        ("tolower" | "tolowerinvariant", []) => Ok(text.to_lowercase().into()),
        ("toupper" | "toupperinvariant", []) => Ok(text.to_uppercase().into()),
        ("trim", []) => Ok(text.trim().into()),
        ("trimstart", []) => Ok(text.trim_start().into()),
        ("trimend", []) => Ok(text.trim_end().into()),
        ("trim", [Value::Text(set)]) => Ok(text.trim_matches(|c| set.contains(c)).into()),
        ("trimstart", [Value::Text(set)]) => Ok(text.trim_start_matches(|c| set.contains(c)).into()),
        ("trimend", [Value::Text(set)]) => Ok(text.trim_end_matches(|c| set.contains(c)).into()),
        ("startswith", [Value::Text(part)]) => Ok(text.starts_with(part.as_str()).into()),
        ("startswith", [Value::Text(part), _]) => {
            Ok(text.to_lowercase().starts_with(&part.to_lowercase()).into())
        }
        ("endswith", [Value::Text(part)]) => Ok(text.ends_with(part.as_str()).into()),
        ("contains", [Value::Text(part)]) => Ok(text.contains(part.as_str()).into()),
        ("split", []) => parts(text.split_whitespace()),
        ("split", [Value::Text(set)]) => parts(text.split(|c| set.contains(c))),
        ("indexof", [Value::Text(part)]) => {
            Ok(text.find(part.as_str()).map_or(Value::from(-1_i64), |at| text[..at].chars().count().into()))
        }
        ("lastindexof", [Value::Text(part)]) => {
            Ok(text.rfind(part.as_str()).map_or(Value::from(-1_i64), |at| text[..at].chars().count().into()))
        }
        ("substring", [start] | [start, _]) => {
            let characters = characters();
            let start = count(start).filter(|start| *start <= characters.len());
            let length = arguments.get(1).map_or_else(
                || start.map(|start| characters.len() - start),
                |length| {
                    count(length)
                        .filter(|length| start.is_some_and(|start| length + start <= characters.len()))
                },
            );
            match (start, length) {
                (Some(start), Some(length)) => {
                    Ok(characters[start..start + length].iter().collect::<String>().into())
                }
                _ => Err(format!("the text has only {} characters", characters.len())),
            }
        }
        ("tochararray", []) => parts(text.split("").filter(|part| !part.is_empty())),
        ("replace", [Value::Text(from), Value::Text(to)]) if !from.is_empty() => {
            let added = text.matches(from.as_str()).count().saturating_mul(to.len());
            if added.saturating_add(text.len()) > MAX_TEXT {
                Err("this text becomes too long".to_owned())
            } else {
                Ok(text.replace(from.as_str(), to).into())
            }
        }
        _ => return None,
    })
}

/// Returns the parts of a text as a list.
pub(crate) fn parts<'t>(parts: impl Iterator<Item = &'t str>) -> Result<Value, String> {
    let mut values = Vec::new();
    for part in parts {
        if values.len() == MAX_ITEMS {
            return Err("this text has too many parts".to_owned());
        }
        values.push(Value::from(part));
    }
    Ok(Value::List(values))
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
        Value::Block(_) => "a script block".to_owned(),
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
