//! Supported .NET types, such as `[System.IO.File]::ReadAllBytes(...)`, and casts.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{error::Fault, flow::EvalResult, host::Host, number, text, times, value::Value};

/// Evaluates `[type_name]::member` or `[type_name]::member(arguments)`.
pub(super) fn call<H: Host>(
    host: &H,
    at: usize,
    type_name: &str,
    member: &str,
    arguments: Option<&[Value]>,
) -> EvalResult<Value> {
    let name = plain(type_name);
    match (name.as_str(), member.to_ascii_lowercase().as_str(), arguments) {
        ("io.file", "readallbytes", Some([Value::Text(path)])) => read(host, at, path).map(Value::Bytes),
        ("io.file", "readalltext", Some([Value::Text(path)])) => {
            let content = String::from_utf8(read(host, at, path)?);
            let content =
                content.map_err(|_| Fault::value(at, format!("the file {path} is not UTF-8 text")))?;
            Ok(Value::Text(content.strip_prefix('\u{FEFF}').map(ToOwned::to_owned).unwrap_or(content)))
        }
        ("convert", "tobase64string", Some([Value::Bytes(octets)])) => {
            Ok(Value::Text(BASE64_STANDARD.encode(octets)))
        }
        ("convert", "frombase64string", Some([Value::Text(text)])) => BASE64_STANDARD
            .decode(text.trim())
            .map(Value::Bytes)
            .map_err(|error| Fault::value(at, format!("this is not base64: {error}"))),
        ("datetime", "now" | "utcnow", None) => Ok(host.now().to_string().into()),
        _ => Err(Fault::unsupported(
            at,
            format!(
                "[{type_name}]::{member} in this form is; there are [System.IO.File]::ReadAllBytes(path) and \
                 ReadAllText(path), [Convert]::ToBase64String(bytes) and FromBase64String(text), \
                 [System.Text.Encoding]::UTF8.GetBytes(text) and [DateTime]::UtcNow; this one is"
            ),
        )),
    }
}

fn read<H: Host>(host: &H, at: usize, path: &str) -> EvalResult<Vec<u8>> {
    host.read_file(path).map_err(|error| Fault::value(at, format!("the file {path} cannot be read: {error}")))
}

/// True for the encoding UTF-8.
pub(super) fn is_utf8(type_name: &str, member: &str) -> bool {
    plain(type_name) == "text.encoding" && member.eq_ignore_ascii_case("UTF8")
}

/// Evaluates a method of the encoding UTF-8.
pub(super) fn encode(at: usize, method: &str, arguments: &[Value]) -> EvalResult<Value> {
    match (method.to_ascii_lowercase().as_str(), arguments) {
        ("getbytes", [Value::Text(text)]) => Ok(Value::Bytes(text.clone().into_bytes())),
        ("getstring", [Value::Bytes(octets)]) => match String::from_utf8(octets.clone()) {
            Ok(text) => Ok(Value::Text(text)),
            Err(_) => Err(Fault::value(at, "these bytes are not UTF-8 text")),
        },
        _ => Err(Fault::unsupported(at, format!("the method {method} of an encoding in this form is"))),
    }
}

/// Evaluates `[type_name]value`.
pub(super) fn cast(at: usize, type_name: &str, value: Value) -> EvalResult<Value> {
    let shown = || text::interpolate(&value);
    let no = |what: &str| Fault::value(at, format!("`{}` is not a {what}", text::show(&value)));
    match (plain(type_name).as_str(), &value) {
        ("string", _) => Ok(Value::Text(shown())),
        ("bool" | "boolean", _) => Ok(Value::Bool(value.is_true())),
        ("switch", Value::Bool(_))
        | ("byte[]", Value::Bytes(_))
        | ("pscustomobject" | "hashtable", Value::Object(_)) => Ok(value),
        ("int" | "int32" | "long" | "int64" | "double" | "decimal", Value::Bool(is)) => {
            Ok(u64::from(*is).into())
        }
        ("int" | "int32" | "long" | "int64", Value::Number(_) | Value::Text(_)) => {
            let number = number::parse(shown().trim()).ok_or_else(|| no("number"))?;
            if number.is_f64() { Err(no("whole number")) } else { Ok(Value::Number(number)) }
        }
        ("double" | "decimal", Value::Number(_) | Value::Text(_)) => {
            number::parse(shown().trim()).map(Value::Number).ok_or_else(|| no("number"))
        }
        ("datetime", Value::Text(text)) => match times::moment(text) {
            Some(moment) => Ok(moment.to_string().into()),
            None => Err(no("date of the form 2026-12-31T18:00:00Z")),
        },
        ("timespan", Value::Text(text)) => match times::span(text) {
            Some(_) => Ok(value),
            None => Err(no("time span of the form d.hh:mm:ss")),
        },
        ("string[]", _) => {
            let texts = value.into_stream().iter().map(|value| text::interpolate(value).into()).collect();
            Ok(Value::List(texts))
        }
        ("object[]" | "array", _) => Ok(Value::List(value.into_stream())),
        ("byte[]" | "switch" | "pscustomobject" | "hashtable" | "datetime" | "timespan", _) => {
            Err(no(type_name))
        }
        ("int" | "int32" | "long" | "int64" | "double" | "decimal", _) => Err(no("number")),
        _ => Err(Fault::unsupported(at, format!("the type [{type_name}] is"))),
    }
}

/// Returns the name in lower case and without `System.`, which is optional.
fn plain(type_name: &str) -> String {
    let name = type_name.to_ascii_lowercase();
    name.strip_prefix("system.").map(ToOwned::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn casts() {
        for (type_name, value, result) in [
            ("string", json!(5), json!("5")),
            ("System.Int32", json!(" 5 "), json!(5)),
            ("double", json!("1.5"), json!(1.5)),
            ("bool", json!("x"), json!(true)),
            ("string[]", json!(1), json!(["1"])),
            ("datetime", json!("2026-11-02"), json!("2026-11-02T00:00:00Z")),
            ("timespan", json!("24:00:00"), json!("24:00:00")),
            ("pscustomobject", json!({ "a": 1 }), json!({ "a": 1 })),
        ] {
            assert_eq!(cast(0, type_name, value.into()).ok(), Some(result.into()), "{type_name}");
        }
        for (type_name, value) in [
            ("int", json!("five")),
            ("int", json!(1.5)),
            ("datetime", json!("12/31/2026")),
            ("byte[]", json!("abc")),
            ("regex", json!("a")),
        ] {
            assert!(cast(0, type_name, value.into()).is_err(), "{type_name}");
        }
    }

    #[test]
    fn text_becomes_bytes() {
        assert!(is_utf8("System.Text.Encoding", "utf8") && !is_utf8("System.Text.Encoding", "Unicode"));
        assert_eq!(encode(0, "GetBytes", &["é".into()]).ok(), Some(Value::Bytes(vec![0xC3, 0xA9])));
        assert!(encode(0, "GetBytes", &[]).is_err());
    }
}
