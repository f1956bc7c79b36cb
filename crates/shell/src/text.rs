//! Formats values as text.

use mailhaul_mail::for_screen;
use serde_json::Number;

use crate::{
    number,
    value::{Form, Object, Value},
};

/// Formats a value within a line.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is) => if *is { "True" } else { "False" }.to_owned(),
        Value::Number(number) => show_number(number),
        Value::Text(text) => text.clone(),
        Value::Bytes(octets) => format!("({} bytes)", octets.len()),
        Value::List(values) => format!("{{{}}}", join(values, ", ")),
        Value::Object(object) if matches!(object.form(), Form::Error | Form::Screen) => own_text(object),
        Value::Object(object) => {
            let entries: Vec<String> =
                object.iter().map(|(name, value)| format!("{name}={}", show(value))).collect();
            format!("@{{{}}}", entries.join("; "))
        }
        Value::Credential { user, .. } => format!("(credential of {user})"),
        Value::Secret(_) => "(secret)".to_owned(),
        Value::Block(block) => block.text().to_owned(),
    }
}

/// Returns the text that an error, or text for the screen, consists of.
fn own_text(object: &Object) -> String {
    let inner = ["Text", "Message", "Exception"].iter().find_map(|name| object.get(name));
    inner.map(show).unwrap_or_default()
}

/// Formats a value within quoted text, where the elements of a list are separated by blanks.
pub(crate) fn interpolate(value: &Value) -> String {
    match value {
        Value::List(values) => join(values, " "),
        value => show(value),
    }
}

fn join(values: &[Value], separator: &str) -> String {
    values.iter().map(show).collect::<Vec<_>>().join(separator)
}

fn show_number(number: &Number) -> String {
    let whole = if number.is_f64() { number.as_f64().and_then(number::tidy) } else { None };
    whole.as_ref().unwrap_or(number).to_string()
}

/// Decodes a file: UTF-8, or UTF-16 with its mark.
pub fn decode(content: &[u8]) -> Option<String> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<u16>>()).ok()
    };
    match content {
        [0xFF, 0xFE, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => units(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        all => String::from_utf8(all.to_vec()).ok(),
    }
}

/// Replaces characters that would control the terminal. Line ends are kept.
///
/// Names of folders and subjects of messages are untrusted.
pub(crate) fn harmless_on_screen(text: &str) -> String {
    for_screen(text).into_owned()
}

/// Returns a hint for the end of an error about a wrong name.
pub(crate) fn did_you_mean<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(wrong, known).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// Returns the most similar known name.
pub(crate) fn nearest<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // The comparison is slow for long texts, and no name is this long.
    if wrong.len() > 64 {
        return None;
    }
    let wrong = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &wrong), name))
        .filter(|(distance, name)| distance * 3 <= name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

    use super::*;

    #[test]
    fn values_look_as_in_powershell() {
        let object = Object::from_iter([("a", Value::from(1_u64)), ("b", Value::from(true))]);
        for (value, shown) in [
            (Value::Null, ""),
            (Value::from(false), "False"),
            (Value::from(serde_json::json!(2.0)), "2"),
            (Value::from(serde_json::json!(0.25)), "0.25"),
            (Value::Bytes(vec![0; 3]), "(3 bytes)"),
            (Value::List(vec!["a".into(), Value::Null, object.into()]), "{a, , @{a=1; b=True}}"),
            (Value::Credential { user: "ann".into(), password: Secret::new("x") }, "(credential of ann)"),
            (Value::Secret(Secret::new("x")), "(secret)"),
        ] {
            assert_eq!(show(&value), shown);
        }
        assert_eq!(interpolate(&Value::List(vec!["a".into(), "b".into()])), "a b");
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(harmless_on_screen("a\x1B[2Jb\r\nc\td\u{9b}"), "a\u{FFFD}[2Jb\nc\td\u{FFFD}");
    }

    #[test]
    fn near_names_are_found() {
        let known = ["Get-MigrationBatch", "Get-MigrationUser"];
        assert_eq!(did_you_mean("get-migrationbacth", known), "; did you mean Get-MigrationBatch?");
        assert_eq!(did_you_mean("dir", known), "");
    }
}
