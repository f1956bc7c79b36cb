//! Parameters in the query of a URL.

use form_urlencoded::Serializer;
use serde_json::{Map, Value};

use crate::{bind::from_text, entry::Entry, failure::Failure, kind::Kind, parameter::IDENTITY};

/// Parses a query into a request. A parameter with several values is repeated.
pub(super) fn from_query(entry: &Entry, query: &str) -> Result<Map<String, Value>, Failure> {
    let mut request = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let Some(parameter) = entry.parameters().iter().find(|it| it.name.eq_ignore_ascii_case(&name)) else {
            return Err(entry.unknown(&name, |it| format!("\"{it}\"")));
        };
        // A switch may have no value.
        let alone = text.is_empty() && matches!(parameter.kind, Kind::Switch);
        let value =
            if alone { Value::Bool(true) } else { from_text(&parameter.kind, &text, &parameter.name)? };
        match (request.get_mut(&parameter.name), value) {
            (None, value) => {
                request.insert(parameter.name.clone(), value);
            }
            (Some(Value::Array(values)), Value::Array(more)) => values.extend(more),
            _ => return Err(Failure::invalid(format_args!("{} was given twice", parameter.name))),
        }
    }
    Ok(request)
}

/// Writes a request as a query, without the identity, which is in the path.
pub(crate) fn to_query(request: &Map<String, Value>) -> Result<String, Failure> {
    let mut query = Serializer::new(String::new());
    for (name, value) in request.iter().filter(|(name, _)| *name != IDENTITY) {
        match value {
            Value::Array(values) => {
                for value in values {
                    query.append_pair(name, &text(name, value)?);
                }
            }
            one => {
                query.append_pair(name, &text(name, one)?);
            }
        }
    }
    Ok(query.finish())
}

fn text(name: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(Failure::invalid(format_args!("{name} does not fit into the query of a URL"))),
    }
}
