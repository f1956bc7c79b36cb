//! Binds cmdlet arguments, such as `-Name IMAPBatch1 -AutoStart`, by PowerShell's rules.

use mailhaul_shell::{Argument, Value as Given};
use serde_json::{Map, Value};

use super::{
    Bound, Refusal, World,
    convert::{Words, boolean, from_given},
    credential,
    names::{Meaning, meaning},
    secret_in_file, secret_text,
};
use crate::{
    entry::Entry,
    failure::Failure,
    kind::Kind,
    output::Output,
    parameter::{IDENTITY, Parameter},
};

/// Origin of the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Program arguments: every value is text, commas separate several, and `-Output` is known.
    CommandLine,
    /// Shell, whose values have types.
    Shell,
}

/// Binds the arguments of a cmdlet. `input` is the object of a pipeline, which supplies the
/// identity.
pub fn cmdlet(
    entry: &Entry,
    arguments: &[Argument],
    input: Option<&Given>,
    form: Form,
    world: &dyn World,
) -> Result<Bound, Refusal> {
    let mut binder = Binder {
        entry,
        words: if form == Form::CommandLine { Words::Commas } else { Words::One },
        world,
        values: Vec::new(),
        files: Vec::new(),
        what_if: None,
        confirm: None,
        output: None,
    };
    let mut position = entry.parameters().iter().find(|it| it.positional);
    let mut left = Vec::new();
    let mut rest = arguments.iter().enumerate().peekable();
    while let Some((index, argument)) = rest.next() {
        let (name, joined) = match argument {
            Argument::Parameter { name, value } => (name, value.as_ref()),
            Argument::Value(value) => {
                left.push((index, value));
                continue;
            }
        };
        let blamed = |failure| Refusal { failure, argument: Some(index), conceals: false };
        let meaning = meaning(entry, name, form == Form::CommandLine).map_err(blamed)?;
        let value = match (joined, meaning.is_switch()) {
            (Some(value), _) => value.clone(),
            (None, true) => Given::Bool(true),
            (None, false) => match rest.next_if(|(_, it)| matches!(it, Argument::Value(_))) {
                Some((_, Argument::Value(value))) => value.clone(),
                _ if meaning.is_secret() => Given::Bool(true),
                _ => {
                    let failure = Failure::invalid(format_args!("-{name} needs a value"));
                    return Err(blamed(if form == Form::CommandLine {
                        failure.with_advice(EATEN)
                    } else {
                        failure
                    }));
                }
            },
        };
        if let Meaning::Parameter(parameter) = meaning {
            position = position.filter(|it| it.name != parameter.name);
        }
        binder.take(meaning, value, index).map_err(blamed)?;
    }
    for (index, value) in left {
        let blamed = |failure| Refusal { failure, argument: Some(index), conceals: false };
        let Some(parameter) = position.take() else {
            let text = format!("{} takes no further value without a parameter name", entry.name());
            return Err(blamed(Failure::invalid(text)));
        };
        binder.take(Meaning::Parameter(parameter), value.clone(), index).map_err(blamed)?;
    }
    if let Some(input) = input {
        binder.take_input(input).map_err(|failure| Refusal { failure, argument: None, conceals: false })?;
    }
    binder.finish()
}

struct Binder<'a> {
    entry: &'a Entry,
    words: Words,
    world: &'a dyn World,
    /// Each with its value and the argument's index.
    values: Vec<(&'a Parameter, Given, usize)>,
    /// Files that contain secrets.
    files: Vec<(&'a Parameter, String, usize)>,
    what_if: Option<bool>,
    confirm: Option<bool>,
    output: Option<Output>,
}

impl<'a> Binder<'a> {
    fn take(&mut self, meaning: Meaning<'a>, value: Given, index: usize) -> Result<(), Failure> {
        let twice = |name: &str| Err(Failure::invalid(format_args!("-{name} was given twice")));
        match meaning {
            Meaning::Parameter(parameter) => {
                if self.values.iter().any(|(other, ..)| other.name == parameter.name) {
                    return twice(&parameter.name);
                }
                self.values.push((parameter, value, index));
            }
            Meaning::SecretFile(parameter) => {
                let name = parameter.secret_file().unwrap_or_default();
                let Given::Text(path) = value else {
                    return Err(Failure::invalid(format_args!("-{name} must be the name of a file")));
                };
                if self.files.iter().any(|(other, ..)| other.name == parameter.name) {
                    return twice(&name);
                }
                self.files.push((parameter, path, index));
            }
            Meaning::WhatIf if self.what_if.is_some() => return twice("WhatIf"),
            Meaning::WhatIf => self.what_if = Some(switch("WhatIf", &value)?),
            Meaning::Confirm if self.confirm.is_some() => return twice("Confirm"),
            Meaning::Confirm => self.confirm = Some(switch("Confirm", &value)?),
            Meaning::Output if self.output.is_some() => return twice("Output"),
            Meaning::Output => {
                let output = if let Given::Text(text) = &value { Output::of(text) } else { None };
                self.output = Some(output.ok_or_else(|| {
                    Failure::invalid(format_args!("-Output must be one of {}", Output::names().join(", ")))
                })?);
            }
        }
        Ok(())
    }

    /// Takes the identity from a pipeline's object, or from its text.
    fn take_input(&mut self, input: &Given) -> Result<(), Failure> {
        let name = self.entry.name();
        let Some(identity) = self.entry.identity() else {
            return Err(Failure::invalid(format_args!("{name} takes no pipeline input")));
        };
        if self.values.iter().any(|(parameter, ..)| parameter.name == IDENTITY) {
            return Err(Failure::invalid(format_args!(
                "{name} has -{IDENTITY}, and the pipeline supplies another one"
            )));
        }
        let value = match input {
            Given::Text(_) | Given::Number(_) => input,
            Given::Object(object) => object.get(IDENTITY).unwrap_or(&Given::Null),
            _ => &Given::Null,
        };
        if *value == Given::Null {
            return Err(Failure::invalid(format_args!("{name} needs pipeline objects with {IDENTITY}")));
        }
        self.values.push((identity, value.clone(), usize::MAX));
        Ok(())
    }

    fn finish(self) -> Result<Bound, Refusal> {
        let mut request = Map::new();
        for (parameter, given, index) in &self.values {
            let blamed = |failure| Refusal {
                failure,
                argument: (*index != usize::MAX).then_some(*index),
                conceals: parameter.kind == Kind::Secret,
            };
            let label = format!("-{}", parameter.name);
            let file = self.files.iter().find(|(other, ..)| other.name == parameter.name);
            let value = match (file, given) {
                (Some((_, path, _)), Given::Text(user)) if parameter.kind == Kind::Credential => {
                    let label = format!("-{}", parameter.secret_file().unwrap_or_default());
                    secret_in_file(self.world, path, &label).and_then(|it| credential(user, &it, &label))
                }
                (Some(_), _) if parameter.kind == Kind::Secret => Err(Failure::invalid(format_args!(
                    "either {label} or {label}File can be given, not both"
                ))),
                _ => from_given(parameter, given, &label, self.words, self.world),
            };
            let value = value.map_err(blamed)?;
            if parameter.name == IDENTITY && value.as_str().is_some_and(|it| it.trim().is_empty()) {
                return Err(blamed(Failure::invalid(format_args!("{label} must not be empty"))));
            }
            request.insert(parameter.name.clone(), value);
        }
        for (parameter, path, index) in &self.files {
            if request.contains_key(&parameter.name) {
                continue;
            }
            let label = format!("-{}", parameter.secret_file().unwrap_or_default());
            let value = match parameter.kind {
                Kind::Secret => {
                    secret_in_file(self.world, path, &label).and_then(|it| secret_text(&it, &label))
                }
                _ => Err(Failure::invalid(format_args!("{label} needs -{}, the user name", parameter.name))),
            };
            let value =
                value.map_err(|failure| Refusal { failure, argument: Some(*index), conceals: false })?;
            request.insert(parameter.name.clone(), value);
        }
        let missing: Vec<String> = self
            .entry
            .parameters()
            .iter()
            .filter(|it| it.required && !request.contains_key(&it.name))
            .map(|it| format!("-{}", it.name))
            .collect();
        if !missing.is_empty() {
            let text = format!("{} needs {}", self.entry.name(), missing.join(", "));
            return Err(Refusal { failure: Failure::invalid(text), argument: None, conceals: false });
        }
        Ok(Bound {
            request: Value::Object(request),
            what_if: self.what_if.unwrap_or(false),
            confirm: self.confirm,
            output: self.output,
        })
    }
}

/// Advice where a shell such as bash replaced `$true` or `$false` by nothing.
const EATEN: &str =
    "A shell such as bash replaces $true and $false by nothing: write '$true' in single quotes, or true.";

fn switch(name: &str, value: &Given) -> Result<bool, Failure> {
    let is = match value {
        Given::Bool(is) => Some(*is),
        Given::Text(text) => boolean(text),
        _ => None,
    };
    is.ok_or_else(|| {
        let failure = Failure::invalid(format_args!("-{name} must be true or false"));
        if matches!(value, Given::Text(text) if text.is_empty()) {
            failure.with_advice(EATEN)
        } else {
            failure
        }
    })
}
