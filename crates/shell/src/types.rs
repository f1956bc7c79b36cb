//! Names of types, for `-is`.

use crate::{
    members::type_name,
    times,
    value::{Form, Value},
};

/// True if a value is of the type with this name.
pub(crate) fn is_type(value: &Value, name: &str) -> Result<bool, String> {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_prefix("system.").unwrap_or(&lower);
    let plain = plain.strip_prefix("management.automation.").unwrap_or(plain);
    Ok(match plain {
        "string" => matches!(value, Value::Text(text) if times::exact_moment(text).is_none()),
        "int" | "int32" | "long" | "int64" => matches!(value, Value::Number(number) if !number.is_f64()),
        "double" | "decimal" | "float" => matches!(value, Value::Number(number) if number.is_f64()),
        "bool" | "boolean" | "switch" => matches!(value, Value::Bool(_)),
        "array" | "object[]" | "string[]" | "collections.ilist" => matches!(value, Value::List(_)),
        "datetime" => matches!(value, Value::Text(text) if times::exact_moment(text).is_some()),
        "timespan" => matches!(value, Value::Text(text) if times::long_span(text).is_some()),
        "hashtable" | "collections.hashtable" | "collections.idictionary" => {
            matches!(value, Value::Object(object) if *object.form() == Form::Table)
        }
        "pscustomobject" | "psobject" | "psnoteproperty" => {
            matches!(value, Value::Object(object) if *object.form() != Form::Table)
        }
        "scriptblock" => matches!(value, Value::Block(_)),
        "errorrecord" | "exception" => {
            matches!(value, Value::Object(object) if *object.form() == Form::Error)
        }
        "object" => *value != Value::Null,
        _ if type_name(value).eq_ignore_ascii_case(plain) => true,
        _ => return Err(format!("the type [{name}] is not known here")),
    })
}
