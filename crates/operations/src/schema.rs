//! Reads JSON schemas in the form of schemars.

use serde_json::{Value, json};

use crate::{
    kind::{AllowedValue, Kind},
    values::{CLEARABLE, format},
};

/// Parameter type of a schema.
pub(crate) fn kind(schema: &Value) -> Result<Kind, String> {
    let (schema, nullable) = without_null(schema);
    match schema.get("format").and_then(Value::as_str) {
        Some(format::BYTES) => return Ok(Kind::Bytes),
        Some(format::CONTINUATION) => return Ok(Kind::Continuation),
        Some(format::CREDENTIAL) => return Ok(Kind::Credential),
        Some(format::DATE_TIME) => return Ok(Kind::DateTime),
        Some(format::SECRET) => return Ok(Kind::Secret),
        Some(format::TIME_SPAN) => return Ok(Kind::TimeSpan),
        _ => {}
    }
    if let Some(choices) = choices(&schema) {
        return Ok(Kind::Choice(choices));
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match types.as_slice() {
        ["boolean"] if nullable => Ok(Kind::Boolean),
        ["boolean"] if schema.get("default") == Some(&Value::Bool(false)) => Ok(Kind::Switch),
        ["boolean"] => Ok(Kind::Boolean),
        ["integer"] => Ok(integer(&schema)),
        ["integer", "string"] | ["string", "integer"] => Ok(Kind::Limit),
        ["string"] => Ok(Kind::Text),
        ["array"] => match kind(schema.get("items").unwrap_or(&Value::Null))? {
            Kind::List(_) | Kind::Map | Kind::Bytes | Kind::Credential | Kind::Secret => {
                Err("is a list of unsupported elements".to_owned())
            }
            one => Ok(Kind::List(Box::new(one))),
        },
        ["object"] if schema.pointer("/additionalProperties/type") == Some(&json!("string")) => Ok(Kind::Map),
        _ => Err(format!("has a type that command lines do not support: {schema}")),
    }
}

/// Returns the schema without null, and true if null was allowed.
fn without_null(schema: &Value) -> (Value, bool) {
    let mut schema = schema.clone();
    let Some(object) = schema.as_object_mut() else { return (schema, false) };
    let mut nullable = false;
    if let Some(Value::Array(types)) = object.get_mut("type") {
        let before = types.len();
        types.retain(|it| it != "null");
        nullable = types.len() < before;
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        let before = values.len();
        values.retain(|it| !it.is_null());
        nullable |= values.len() < before;
    }
    if let Some(Value::Array(forms)) = object.get("anyOf") {
        let rest: Vec<&Value> = forms.iter().filter(|it| it.get("type") != Some(&json!("null"))).collect();
        if let ([Value::Object(one)], true) = (rest.as_slice(), rest.len() < forms.len()) {
            let one = one.clone();
            object.remove("anyOf");
            for (name, value) in one {
                // The field's comment takes precedence over its type's.
                object.entry(name).or_insert(value);
            }
            nullable = true;
        }
    }
    (schema, nullable)
}

/// Values of an enum; those without a comment share one subschema.
fn choices(schema: &Value) -> Option<Vec<AllowedValue>> {
    let one = |schema: &Value| -> Option<Vec<AllowedValue>> {
        let choice =
            |name: &Value| Some(AllowedValue { name: name.as_str()?.to_owned(), help: help(schema) });
        match (schema.get("const"), schema.get("enum")) {
            (Some(name), _) => Some(vec![choice(name)?]),
            (None, Some(Value::Array(names))) => {
                names.iter().map(|name| Some(AllowedValue { help: String::new(), ..choice(name)? })).collect()
            }
            _ => None,
        }
    };
    match schema.get("oneOf") {
        Some(Value::Array(forms)) => {
            forms.iter().map(one).collect::<Option<Vec<_>>>().map(|groups| groups.concat())
        }
        _ => one(schema),
    }
}

fn integer(schema: &Value) -> Kind {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int8") => (i8::MIN.into(), i8::MAX.unsigned_abs().into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.unsigned_abs().into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX),
        _ => (i64::MIN, i64::MAX.unsigned_abs()),
    };
    let bound = |name| schema.get(name).filter(|it| it.is_i64() || it.is_u64());
    Kind::Integer {
        least: bound("minimum").and_then(Value::as_i64).map_or(least, |it| it.max(least)),
        most: bound("maximum").and_then(Value::as_u64).map_or(most, |it| it.min(most)),
    }
}

/// Default to show in the help.
pub(crate) fn default(schema: &Value) -> Option<Value> {
    let said = match schema.get("default")? {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    said.then(|| schema.get("default").cloned()).flatten()
}

/// The comment, with each paragraph on one line.
pub(crate) fn help(schema: &Value) -> String {
    let text = |name| schema.get(name).and_then(Value::as_str);
    let lines = [text("title"), text("description")].into_iter().flatten();
    let paragraphs =
        lines.flat_map(|it| it.split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Schema for the `OpenAPI` document: null is allowed only if it clears a setting.
pub(crate) fn of_input(schema: &Value) -> Value {
    let mut shown = if schema.get(CLEARABLE).is_some() { schema.clone() } else { without_null(schema).0 };
    if let Some(object) = shown.as_object_mut() {
        object.remove(CLEARABLE);
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
    }
    shown
}
