//! Converts one value from text or from a shell value to JSON.

use mailhaul_shell::{Value as Given, american_date};
use serde_json::{Map, Value, json};

use super::{World, credential, file, secret_text};
use crate::{
    check::{choice, in_range, must_be},
    failure::Failure,
    kind::Kind,
    parameter::{IDENTITY, Parameter, kebab},
    values::{DateTime, TimeSpan, encode},
};

/// Characters of an invalid value that an error shows.
const SHOWN: usize = 60;

/// Separation of several values in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// By commas; `\,` is a comma. For command lines.
    Commas,
    /// None: a text is one value.
    One,
}

/// Converts the value of a parameter. `label` is the parameter as the user wrote it.
pub(crate) fn from_given(
    parameter: &Parameter,
    given: &Given,
    label: &str,
    words: Words,
    world: &dyn World,
) -> Result<Value, Failure> {
    if *given == Given::Null {
        return if parameter.clearable {
            Ok(Value::Null)
        } else {
            Err(Failure::invalid(format_args!("{label} cannot be $null")))
        };
    }
    match (&parameter.kind, given) {
        (Kind::Bytes, Given::Bytes(octets)) => Ok(encode(octets).into()),
        (Kind::Bytes, Given::Text(path)) => {
            Ok(encode(&zeroize::Zeroizing::new(file(world, path, label)?)).into())
        }
        (Kind::Bytes, _) => {
            Err(Failure::invalid(format_args!("{label} must be the content or the name of a file")))
        }
        (Kind::Credential, Given::Credential { user, password }) => credential(user, password, label),
        (Kind::Credential, Given::Text(user)) => credential(user, &world.password(parameter, user)?, label),
        (Kind::Credential, _) => {
            Err(Failure::invalid(format_args!("{label} must be a user's name or a credential")))
        }
        (Kind::Secret, Given::Secret(secret)) => secret_text(secret, label),
        (Kind::Secret, Given::Bool(true)) => secret_text(&world.secret(parameter)?, label),
        (Kind::Secret, _) => Err(secret_in_clear(parameter, label)),
        (kind, given) => plain(kind, given, label, words),
    }
}

/// Refuses a secret as plain text: command lines are visible to other users, and scripts are saved.
fn secret_in_clear(parameter: &Parameter, label: &str) -> Failure {
    let file = parameter.secret_file().unwrap_or_default();
    let variable = parameter.secret_variable().unwrap_or_default();
    let file = if label.starts_with("--") { format!("--{}", kebab(&file)) } else { format!("-{file}") };
    Failure::invalid(format_args!("{label} takes no plain text, because other users could read it")).with_advice(format_args!(
        "Give {file}, or {label} without a value; then the secret comes from {variable} or a prompt. In the shell, give (Read-Host -AsSecureString)."
    ))
}

/// Converts kinds that need no file and no terminal.
fn plain(kind: &Kind, given: &Given, label: &str, words: Words) -> Result<Value, Failure> {
    match (kind, given) {
        (Kind::List(kind), Given::List(values)) => values
            .iter()
            .map(|it| plain(kind, it, label, words))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        (Kind::List(kind), Given::Text(text)) if words == Words::Commas => split(text)
            .iter()
            .map(|it| from_text(kind, it, label))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        (Kind::List(kind), one) => Ok(Value::Array(vec![plain(kind, one, label, words)?])),
        (Kind::Map, Given::Object(object)) => {
            let entry = |(name, value)| Ok((String::from(name), plain(&Kind::Text, value, label, words)?));
            object.iter().map(entry).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        (Kind::Map, Given::List(values)) => {
            let pairs = values.iter().map(|it| plain(&Kind::Text, it, label, words));
            let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
            map(pairs.iter().filter_map(Value::as_str), label)
        }
        (Kind::Map, Given::Text(text)) if words == Words::Commas => {
            map(split(text).iter().map(String::as_str), label)
        }
        (Kind::Map, Given::Text(text)) => map([text.as_str()], label),
        // Scripts for Exchange write dates in the American form.
        (Kind::DateTime, Given::Text(text)) => match american_date(text) {
            Some(local) => Ok(json!(DateTime::Local(local))),
            None => from_text(kind, text, label),
        },
        (_, Given::Text(text)) => from_text(kind, text, label),
        (Kind::Switch | Kind::Boolean, Given::Bool(is)) => Ok((*is).into()),
        (Kind::Integer { least, most }, Given::Number(number)) if in_range(number, *least, *most) => {
            Ok(Value::Number(number.clone()))
        }
        (Kind::Limit, Given::Number(number)) if number.is_u64() => Ok(Value::Number(number.clone())),
        // Names may look like numbers.
        (Kind::Text, Given::Number(number)) => Ok(number.to_string().into()),
        // An object stands for its identity.
        (Kind::Text, Given::Object(object)) => match object.get(IDENTITY) {
            Some(Given::Text(identity)) => Ok(identity.clone().into()),
            _ => Err(Failure::invalid(format_args!(
                "{label} must be a text, not an object without {IDENTITY}"
            ))),
        },
        (_, Given::Number(number)) => Err(wrong(kind, &number.to_string(), label)),
        (_, Given::Bool(is)) => Err(wrong(kind, if *is { "$true" } else { "$false" }, label)),
        _ => Err(Failure::invalid(format_args!("{label} must be {}", must_be(kind)))),
    }
}

/// Converts a text to a value of this kind.
pub(crate) fn from_text(kind: &Kind, text: &str, label: &str) -> Result<Value, Failure> {
    let value = match kind {
        Kind::Switch | Kind::Boolean => boolean(text).map(Value::Bool),
        Kind::Integer { least, most } => {
            text.trim().parse().ok().filter(|number| in_range(number, *least, *most)).map(Value::Number)
        }
        Kind::Limit => match text.trim().parse::<u64>() {
            Ok(number) => Some(number.into()),
            // Only the operation knows the allowed words.
            Err(_) => (!text.starts_with('-')).then(|| text.into()),
        },
        Kind::Text | Kind::Continuation => Some(text.into()),
        Kind::Choice(choices) => choice(choices, text.trim()).map(|it| it.name.as_str().into()),
        Kind::DateTime => {
            text.parse::<DateTime>().ok().or_else(|| DateTime::from_american(text)).map(|it| json!(it))
        }
        Kind::TimeSpan => text.parse::<TimeSpan>().ok().map(|it| json!(it)),
        Kind::List(kind) => return from_text(kind, text, label).map(|it| Value::Array(vec![it])),
        Kind::Map => return map([text], label),
        Kind::Bytes | Kind::Credential | Kind::Secret => None,
    };
    value.ok_or_else(|| wrong(kind, text, label))
}

fn wrong(kind: &Kind, text: &str, label: &str) -> Failure {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    Failure::invalid(format_args!("{label} must be {}; it is \"{}\"", must_be(kind), shown.escape_debug()))
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "$true" | "true" | "1" => Some(true),
        "$false" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn map<'a>(pairs: impl IntoIterator<Item = &'a str>, label: &str) -> Result<Value, Failure> {
    let mut map = Map::new();
    for pair in pairs {
        match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                if map.insert(name.to_owned(), value.into()).is_some() {
                    return Err(Failure::invalid(format_args!(
                        "{label} has \"{}\" twice",
                        name.escape_debug()
                    )));
                }
            }
            _ => return Err(Failure::invalid(format_args!("{label} must be written name=value"))),
        }
    }
    Ok(Value::Object(map))
}

/// Splits a text at commas. Empty parts are dropped.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let value = match letter {
            ',' => {
                values.push(String::new());
                continue;
            }
            '\\' => letters.next_if_eq(&',').unwrap_or('\\'),
            other => other,
        };
        if let Some(last) = values.last_mut() {
            last.push(value);
        }
    }
    values.retain(|it| !it.is_empty());
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate() {
        for (text, values) in [
            ("A,B", &["A", "B"][..]),
            (r"Smith\, John,B", &["Smith, John", "B"]),
            (r"C:\a,\\,b\", &[r"C:\a", r"\,b\"]),
            (",,", &[]),
            ("", &[]),
        ] {
            assert_eq!(split(text), values, "{text}");
        }
    }
}
