//! Binds the options of `mailhaul batch new --name B --auto-start` that clap has matched.

use clap::ArgMatches;
use mailhaul_mail::Secret;
use mailhaul_shell::Value as Given;
use serde_json::{Map, Value};

use super::{
    Bound, World,
    convert::{Words, boolean, from_given, split},
    credential, secret_in_file, secret_text,
};
use crate::{
    entry::Entry,
    failure::Failure,
    kind::Kind,
    output::Output,
    parameter::{IDENTITY, Parameter, kebab},
};

/// Ids of the options of every operation, or of those that change something.
pub(crate) const OUTPUT: &str = "Output";
pub(crate) const WHAT_IF: &str = "WhatIf";
pub(crate) const CONFIRM: &str = "Confirm";

/// Builds a request from the options after the verb.
pub fn options(entry: &Entry, matches: &ArgMatches, world: &dyn World) -> Result<Bound, Failure> {
    let mut request = Map::new();
    for parameter in entry.parameters_for_people() {
        if let Some(value) = value(parameter, matches, world)? {
            request.insert(parameter.name.clone(), value);
        }
    }
    let changes = entry.verb().changes();
    let output = matches.get_one::<String>(OUTPUT).and_then(|it| Output::of(it));
    let confirm = if changes { matches.get_one::<String>(CONFIRM) } else { None };
    Ok(Bound {
        request: Value::Object(request),
        what_if: changes && matches.get_flag(WHAT_IF),
        confirm: confirm.and_then(|it| boolean(it)),
        output,
    })
}

fn value(parameter: &Parameter, matches: &ArgMatches, world: &dyn World) -> Result<Option<Value>, Failure> {
    let id = parameter.name.as_str();
    let one = |id: &str| matches.get_one::<String>(id).cloned();
    let label = if id == IDENTITY { id.to_owned() } else { format!("--{}", parameter.option()) };
    let given = match &parameter.kind {
        Kind::Switch => return Ok(matches.get_flag(id).then_some(Value::Bool(true))),
        Kind::List(_) | Kind::Map => {
            let Some(texts) = matches.get_many::<String>(id) else { return Ok(None) };
            Given::List(texts.flat_map(|it| split(it)).map(Given::Text).collect())
        }
        Kind::Credential => {
            let Some(user) = one(id) else { return Ok(None) };
            if let Some((password, label)) = in_file(parameter, matches, world)? {
                return credential(&user, &password, &label).map(Some);
            }
            Given::Text(user)
        }
        Kind::Secret => {
            if let Some((secret, label)) = in_file(parameter, matches, world)? {
                return secret_text(&secret, &label).map(Some);
            }
            match one(id) {
                Some(text) if parameter.clearable && text.eq_ignore_ascii_case("$null") => Given::Null,
                Some(text) if text.is_empty() => Given::Bool(true),
                Some(text) => Given::Text(text),
                None => return Ok(None),
            }
        }
        _ => match one(id) {
            Some(text) if id == IDENTITY && text.trim().is_empty() => {
                return Err(Failure::invalid(format_args!("{label} must not be empty")));
            }
            Some(text) if parameter.clearable && text.eq_ignore_ascii_case("$null") => Given::Null,
            Some(text) => Given::Text(text),
            None => return Ok(None),
        },
    };
    from_given(parameter, &given, &label, Words::Commas, world).map(Some)
}

/// Reads a secret from the file that an option names; returns it with that option.
fn in_file(
    parameter: &Parameter,
    matches: &ArgMatches,
    world: &dyn World,
) -> Result<Option<(Secret, String)>, Failure> {
    let Some(id) = parameter.secret_file() else { return Ok(None) };
    let Some(path) = matches.get_one::<String>(&id) else { return Ok(None) };
    let label = format!("--{}", kebab(&id));
    Ok(Some((secret_in_file(world, path, &label)?, label)))
}
