//! Supported .NET types, such as `[System.IO.File]::ReadAllBytes(...)`, and casts.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::stopwatch::stopwatch;
use crate::{
    arithmetic,
    error::Fault,
    host::Host,
    limits::MAX_TEXT,
    number, paths, text, times,
    value::{Form, Value},
};

type Evaluated<T> = Result<T, Fault>;

/// Evaluates `[type_name]::member` or `[type_name]::member(arguments)`.
pub(super) fn call<H: Host>(
    host: &H,
    at: usize,
    type_name: &str,
    member: &str,
    arguments: Option<&[Value]>,
) -> Evaluated<Value> {
    let name = plain(type_name);
    match (name.as_str(), member.to_ascii_lowercase().as_str(), arguments) {
        ("io.file", "readallbytes", Some([Value::Text(path)])) => read(host, at, path).map(Value::Bytes),
        ("io.file", "readalltext", Some([Value::Text(path)])) => read_text(host, at, path).map(Value::Text),
        ("io.file", "readalllines", Some([Value::Text(path)])) => {
            Ok(Value::List(read_text(host, at, path)?.lines().map(Value::from).collect()))
        }
        ("io.file", "exists", Some([Value::Text(path)])) => Ok(read(host, at, path).is_ok().into()),
        ("convert", "tobase64string", Some([Value::Bytes(octets)])) => {
            Ok(Value::Text(BASE64_STANDARD.encode(octets)))
        }
        ("convert", "frombase64string", Some([Value::Text(text)])) => BASE64_STANDARD
            .decode(text.trim())
            .map(Value::Bytes)
            .map_err(|error| Fault::value(at, format!("this is not base64: {error}"))),
        ("datetime", "now" | "utcnow", None) => Ok(host.now().to_string().into()),
        ("datetime", "today", None) => Ok(times::moment_property(host.now(), "Date").unwrap_or_default()),
        ("datetime", "parse" | "parseexact", Some([Value::Text(text), ..])) => {
            cast(at, "datetime", Value::Text(text.clone()))
        }
        ("datetime", "minvalue", None) => Ok("0001-01-01T00:00:00Z".into()),
        ("timespan", from, Some([amount])) if from.starts_with("from") => span(at, &from[4..], amount),
        ("environment", "newline", None) => Ok("\n".into()),
        ("environment", "username", None) => Ok(host.environment("USER").map_or(Value::Null, Value::Text)),
        ("diagnostics.stopwatch", "startnew", Some([])) => Ok(stopwatch(Some(host.now()))),
        ("diagnostics.stopwatch", "new", Some([])) => Ok(stopwatch(None)),
        ("io.path", member, Some(arguments)) => file_name(at, member, arguments),
        ("guid", "empty", None) => Ok("00000000-0000-0000-0000-000000000000".into()),
        ("pscustomobject" | "collections.arraylist", "new", Some([]))
        | ("collections.generic.list", "new", _) => Ok(Value::List(Vec::new())),
        (list, "new", _) if list.starts_with("collections.generic.list[") => Ok(Value::List(Vec::new())),
        ("math", member, Some(arguments)) => math(at, member, arguments),
        ("string", member, Some(arguments)) => string(at, member, arguments),
        ("string", "empty", None) => Ok("".into()),
        ("int" | "int32", "maxvalue", None) => Ok(i64::from(i32::MAX).into()),
        ("datetime", "maxvalue", None) => Ok("9999-12-31T23:59:59Z".into()),
        _ => Err(unknown(at, type_name, member)),
    }
}

fn unknown(at: usize, type_name: &str, member: &str) -> Fault {
    let form = "one of [System.IO.File]::ReadAllBytes(path) and ReadAllText(path), [System.IO.Path], \
                [Convert]::ToBase64String(bytes) and FromBase64String(text), [System.Text.Encoding]::UTF8.GetBytes(text), \
                [math], [string], [timespan] and [DateTime]::UtcNow";
    Fault::instead(at, format!("[{type_name}]::{member} in this form is"), form)
}

/// Members of types, by type. The arguments are checked when they are known.
const MEMBERS: [(&str, &[&str]); 11] = [
    ("io.file", &["readallbytes", "readalltext", "readalllines", "exists"]),
    (
        "io.path",
        &["getfilename", "getfilenamewithoutextension", "getextension", "getdirectoryname", "combine"],
    ),
    ("convert", &["tobase64string", "frombase64string"]),
    ("datetime", &["now", "utcnow", "today", "parse", "parseexact", "minvalue", "maxvalue"]),
    ("timespan", &["fromdays", "fromhours", "fromminutes", "fromseconds"]),
    ("environment", &["newline", "username"]),
    ("guid", &["empty"]),
    ("diagnostics.stopwatch", &["startnew", "new"]),
    ("pscustomobject", &["new"]),
    ("math", &["round", "floor", "ceiling", "truncate", "abs", "sqrt", "pow", "min", "max"]),
    ("string", &["isnullorempty", "isnullorwhitespace", "join", "format", "compare", "empty"]),
];

/// Refuses a member that no type has here, before the script runs.
pub(crate) fn check_static(at: usize, type_name: &str, member: &str) -> Result<(), Fault> {
    let (name, lower) = (plain(type_name), member.to_ascii_lowercase());
    let is_known = MEMBERS.iter().any(|(known, members)| *known == name && members.contains(&lower.as_str()))
        || (name.starts_with("collections.") && lower == "new")
        || (["int", "int32"].contains(&name.as_str()) && lower == "maxvalue")
        || encoding(type_name, member).is_some();
    if is_known { Ok(()) } else { Err(unknown(at, type_name, member)) }
}

fn read<H: Host>(host: &H, at: usize, path: &str) -> Evaluated<Vec<u8>> {
    let path = paths::local(path).map_err(|message| Fault::value(at, message))?;
    host.read_file(&path)
        .map_err(|error| Fault::value(at, format!("the file {path} cannot be read: {error}")))
}

fn read_text<H: Host>(host: &H, at: usize, path: &str) -> Evaluated<String> {
    text::decode(&read(host, at, path)?)
        .ok_or_else(|| Fault::value(at, format!("the file {path} is not UTF-8 text")))
}

fn span(at: usize, unit: &str, amount: &Value) -> Evaluated<Value> {
    let seconds = match unit {
        "days" => 86_400.0,
        "hours" => 3600.0,
        "minutes" => 60.0,
        "seconds" => 1.0,
        _ => return Err(Fault::unsupported(at, format!("[timespan]::From{unit} is"))),
    };
    let amount = arithmetic::number(amount).map_err(|message| Fault::value(at, message))?;
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
    let nanoseconds = (amount.as_f64().unwrap_or_default() * seconds * 1e9) as i128;
    Ok(Value::Text(times::show_span(nanoseconds)))
}

/// Evaluates `[System.IO.Path]::GetFileName(...)` and its like.
fn file_name(at: usize, member: &str, arguments: &[Value]) -> Evaluated<Value> {
    let text = |value: &Value| text::interpolate(value);
    let result = match (member, arguments) {
        ("getfilename", [path]) => paths::leaf(&text(path)).to_owned(),
        ("getfilenamewithoutextension", [path]) => {
            let path = text(path);
            let leaf = paths::leaf(&path);
            leaf.rsplit_once('.').map_or(leaf, |(stem, _)| stem).to_owned()
        }
        ("getextension", [path]) => {
            let path = text(path);
            let leaf = paths::leaf(&path);
            leaf.rfind('.').map_or(String::new(), |dot| leaf[dot..].to_owned())
        }
        ("getdirectoryname", [path]) => paths::parent(&text(path)).to_owned(),
        ("combine", [first, rest @ ..]) => {
            rest.iter().fold(text(first), |path, part| paths::joined(&path, &text(part)))
        }
        _ => {
            return Err(Fault::unsupported(
                at,
                format!("[System.IO.Path]::{member} with these arguments is"),
            ));
        }
    };
    Ok(Value::Text(result))
}

/// Evaluates `[math]::Round(...)` and its like.
fn math(at: usize, member: &str, arguments: &[Value]) -> Evaluated<Value> {
    let mut numbers = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let number = arithmetic::number(argument).map_err(|message| Fault::value(at, message))?;
        numbers.push(number.as_f64().unwrap_or_default());
    }
    let result = match (member, numbers.as_slice()) {
        ("round", [value]) => value.round_ties_even(),
        ("round", [value, digits]) if (0.0..=15.0).contains(digits) => {
            let factor = 10_f64.powf(digits.trunc());
            (value * factor).round_ties_even() / factor
        }
        ("floor", [value]) => value.floor(),
        ("ceiling", [value]) => value.ceil(),
        ("truncate", [value]) => value.trunc(),
        ("abs", [value]) => value.abs(),
        ("sqrt", [value]) => value.sqrt(),
        ("pow", [value, power]) => value.powf(*power),
        ("min", [one, other]) => one.min(*other),
        ("max", [one, other]) => one.max(*other),
        _ => return Err(Fault::unsupported(at, format!("[math]::{member} with these arguments is"))),
    };
    number::tidy(result).map(Value::Number).ok_or_else(|| Fault::value(at, "the result is no number"))
}

/// Evaluates `[string]::IsNullOrEmpty(...)` and its like.
fn string(at: usize, member: &str, arguments: &[Value]) -> Evaluated<Value> {
    match (member, arguments) {
        ("isnullorempty", [value]) => Ok(text::interpolate(value).is_empty().into()),
        ("isnullorwhitespace", [value]) => Ok(text::interpolate(value).trim().is_empty().into()),
        ("join", [separator, rest @ ..]) => {
            let list = match rest {
                [Value::List(values)] => values.clone(),
                several => several.to_vec(),
            };
            let joined = arithmetic::joined(Value::List(list), &text::interpolate(separator), MAX_TEXT);
            joined.map(Value::Text).map_err(|message| Fault::value(at, message))
        }
        ("format", [pattern, rest @ ..]) => {
            let shown = crate::number_format::format_text(&text::interpolate(pattern), rest);
            shown.map(Value::Text).map_err(|message| Fault::value(at, message))
        }
        ("compare", [one, other]) => {
            let order = text::interpolate(one).to_lowercase().cmp(&text::interpolate(other).to_lowercase());
            Ok(Value::from(order as i64))
        }
        _ => Err(Fault::unsupported(at, format!("[string]::{member} with these arguments is"))),
    }
}

/// Encoding of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Ascii,
}

/// Returns the encoding `[System.Text.Encoding]::UTF8` or `::ASCII`.
pub(super) fn encoding(type_name: &str, member: &str) -> Option<Encoding> {
    if plain(type_name) != "text.encoding" {
        return None;
    }
    match member.to_ascii_lowercase().as_str() {
        "utf8" => Some(Encoding::Utf8),
        "ascii" => Some(Encoding::Ascii),
        _ => None,
    }
}

/// Evaluates a method of an encoding.
pub(super) fn encode(at: usize, encoding: Encoding, method: &str, arguments: &[Value]) -> Evaluated<Value> {
    match (method.to_ascii_lowercase().as_str(), arguments) {
        // PowerShell would write a question mark for each other letter.
        ("getbytes", [Value::Text(text)]) if encoding == Encoding::Ascii && !text.is_ascii() => {
            Err(Fault::value(at, "this text is not ASCII; write [System.Text.Encoding]::UTF8"))
        }
        ("getbytes", [Value::Text(text)]) => Ok(Value::Bytes(text.clone().into_bytes())),
        ("getstring", [Value::Bytes(octets)]) => match String::from_utf8(octets.clone()) {
            Ok(text) => Ok(Value::Text(text)),
            Err(_) => Err(Fault::value(at, "these bytes are not UTF-8 text")),
        },
        _ => Err(Fault::unsupported(at, format!("the method {method} of an encoding in this form is"))),
    }
}

/// Evaluates `[type_name]value`.
pub(super) fn cast(at: usize, type_name: &str, value: Value) -> Evaluated<Value> {
    let no = |what: &str| Fault::value(at, format!("`{}` is not a {what}", text::show(&value)));
    let name = plain(type_name);
    if let Some(element) = name.strip_suffix("[]") {
        return cast_elements(at, element, value);
    }
    match (name.as_str(), &value) {
        ("string", _) => Ok(Value::Text(text::interpolate(&value))),
        ("bool" | "boolean" | "switch", _) => Ok(Value::Bool(value.is_true())),
        ("pscustomobject" | "psobject" | "management.automation.psobject", Value::Object(object)) => {
            let mut object = object.clone();
            // The name of a type is no property.
            object.remove("PSTypeName");
            let form = if *object.form() == Form::Table { Form::Plain } else { object.form().clone() };
            Ok(Value::Object(object.with_form(form)))
        }
        ("hashtable" | "ordered" | "collections.hashtable", Value::Object(object)) => {
            Ok(Value::Object(object.clone().with_form(Form::Table)))
        }
        ("int" | "int32" | "long" | "int64" | "uint32" | "uint64" | "int16" | "byte", _) => {
            whole(&value).ok_or_else(|| no("whole number"))
        }
        ("double" | "decimal" | "float" | "single", _) => {
            arithmetic::number(&value).map(Value::Number).map_err(|_| no("number"))
        }
        ("datetime", Value::Text(text)) => match times::moment(text) {
            Some(moment) => Ok(moment.to_string().into()),
            None => Err(no(
                "date in a form that is known here, such as '2026-12-31 18:00' or '12/31/2026 6:00 PM'",
            )),
        },
        ("timespan", Value::Text(text)) => match times::span(text) {
            Some(_) => Ok(value),
            None => Err(no("time span of the form d.hh:mm:ss")),
        },
        ("array" | "collections.arraylist" | "collections.ilist", _) => Ok(list(value)),
        (name, _) if name.starts_with("collections.generic.list[") => Ok(list(value)),
        ("void", _) => Ok(Value::Null),
        ("char", Value::Number(code)) => {
            let c = code.as_u64().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
            c.map(|c| c.to_string().into()).ok_or_else(|| no("character"))
        }
        (
            "object" | "consolecolor" | "guid" | "mailaddress" | "net.mail.mailaddress" | "version" | "uri",
            _,
        )
        | ("char", Value::Text(_))
        | ("scriptblock", Value::Block(_))
        | ("pscredential" | "management.automation.pscredential", Value::Credential { .. } | Value::Null)
        | ("securestring" | "security.securestring", Value::Secret(_) | Value::Null) => Ok(value),
        (
            "pscustomobject" | "psobject" | "hashtable" | "ordered" | "datetime" | "timespan" | "char"
            | "scriptblock" | "pscredential" | "securestring",
            _,
        ) => Err(no(type_name)),
        _ => Err(Fault::unsupported(at, format!("the type [{type_name}] is"))),
    }
}

fn cast_elements(at: usize, element: &str, value: Value) -> Evaluated<Value> {
    match (element, value) {
        ("byte", value @ Value::Bytes(_)) => Ok(value),
        ("byte", value) => {
            let mut octets = Vec::new();
            for value in value.into_stream() {
                let octet = match &value {
                    Value::Number(number) => number.as_u64().and_then(|number| u8::try_from(number).ok()),
                    _ => None,
                };
                octets.push(
                    octet.ok_or_else(|| {
                        Fault::value(at, format!("`{}` is not a byte[]", text::show(&value)))
                    })?,
                );
            }
            Ok(Value::Bytes(octets))
        }
        ("object", value) => Ok(list(value)),
        (element, value) => {
            let values = value.into_stream().into_iter().map(|value| cast(at, element, value));
            values.collect::<Evaluated<Vec<_>>>().map(Value::List)
        }
    }
}

fn list(value: Value) -> Value {
    Value::List(if let Value::Object(object) = value {
        vec![Value::Object(object)]
    } else {
        value.into_stream()
    })
}

/// Rounds to a whole number, halves to the even one.
fn whole(value: &Value) -> Option<Value> {
    let number = arithmetic::number(value).ok()?;
    if !number.is_f64() {
        return Some(Value::Number(number));
    }
    let rounded = number::tidy(number.as_f64()?.round_ties_even())?;
    if rounded.is_f64() { None } else { Some(Value::Number(rounded)) }
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
            ("datetime", json!("12/31/2026 6:00 PM"), json!("2026-12-31T18:00:00Z")),
            ("int", json!(2.5), json!(2)),
            ("int[]", json!(["1", 2]), json!([1, 2])),
            ("array", json!("x"), json!(["x"])),
            ("pscustomobject", json!({ "a": 1 }), json!({ "a": 1 })),
        ] {
            assert_eq!(cast(0, type_name, value.into()).ok(), Some(result.into()), "{type_name}");
        }
        for (type_name, value) in [
            ("int", json!("five")),
            ("datetime", json!("31.12.2026")),
            ("byte[]", json!("abc")),
            ("regex", json!("a")),
        ] {
            assert!(cast(0, type_name, value.into()).is_err(), "{type_name}");
        }
    }

    #[test]
    fn text_becomes_bytes() {
        let utf8 = encoding("System.Text.Encoding", "utf8").unwrap();
        assert_eq!(encoding("System.Text.Encoding", "Unicode"), None);
        assert_eq!(encode(0, utf8, "GetBytes", &["é".into()]).ok(), Some(Value::Bytes(vec![0xC3, 0xA9])));
        assert!(encode(0, utf8, "GetBytes", &[]).is_err());
        let ascii = encoding("Text.Encoding", "ASCII").unwrap();
        assert_eq!(encode(0, ascii, "GetBytes", &["a".into()]).ok(), Some(Value::Bytes(vec![b'a'])));
        assert!(encode(0, ascii, "GetBytes", &["é".into()]).is_err());
    }
}
