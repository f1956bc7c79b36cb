//! Entry of the list: an operation without its types.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::{
    caller::Role,
    failure::{Failure, FailureKind, did_you_mean},
    kind::Kind,
    operation::{Noun, Operation},
    parameter::{IDENTITIES, IDENTITY, IF_REVISION, NAME, Parameter, of_request},
    steps::StepUse,
    verb::Verb,
};

/// Entry of the list of operations.
pub struct Entry {
    pub(crate) verb: Verb,
    pub(crate) noun: Noun,
    pub(crate) role: Role,
    about: &'static str,
    view: &'static [&'static str],
    result: String,
    pub(crate) confirm: bool,
    steps: StepUse,
    name: String,
    parameters: Vec<Parameter>,
    pub(crate) response: fn(&mut SchemaGenerator) -> Schema,
}

impl Entry {
    pub(crate) fn of<C, O: Operation<C>>() -> Result<Self, String> {
        let name = format!("{}-{}", O::VERB, O::NOUN.cmdlet);
        let parameters = of_request::<O::Request>().map_err(|error| format!("{name}: {error}"))?;
        if !O::VERB.form().in_body
            && let Some(odd) = parameters.iter().find(|it| !it.fits_query())
        {
            return Err(format!("{name}: the parameter {} does not fit into the query of a URL", odd.name));
        }
        if O::VERB.changes() && parameters.iter().any(|it| it.kind == Kind::Continuation) {
            return Err(format!("{name}: only what changes nothing can be continued"));
        }
        Ok(Self {
            verb: O::VERB,
            noun: O::NOUN,
            role: O::ROLE,
            about: O::ABOUT,
            view: O::VIEW,
            result: O::Response::schema_name().into_owned(),
            confirm: O::CONFIRM,
            steps: O::STEPS,
            name,
            parameters,
            response: |generator| generator.subschema_for::<O::Response>(),
        })
    }

    /// Name of the cmdlet, such as `New-MigrationBatch`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn verb(&self) -> Verb {
        self.verb
    }

    pub fn noun(&self) -> Noun {
        self.noun
    }

    /// Minimum role of the caller.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Use of the operation's steps.
    pub fn steps(&self) -> StepUse {
        self.steps
    }

    /// Description in one sentence.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Columns of a table of results; empty for all.
    pub fn view(&self) -> &'static [&'static str] {
        self.view
    }

    /// Name of the type of one result.
    pub(crate) fn result(&self) -> &str {
        &self.result
    }

    /// Parameters, in the order of the request's fields.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Parameters that a user can give.
    pub fn parameters_for_people(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|it| it.is_for_people())
    }

    /// Finds a parameter by its exact name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|it| it.name == name)
    }

    /// Names of the properties of one result.
    pub(crate) fn properties(&self) -> Vec<String> {
        let inlined = SchemaSettings::draft2020_12().for_serialize().with(|it| it.inline_subschemas = true);
        let schema = (self.response)(&mut inlined.into_generator());
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(Map::keys).cloned().collect()
    }

    pub(crate) fn identity(&self) -> Option<&Parameter> {
        self.parameter(IDENTITY)
    }

    /// Adds the parameter that is wrong: a message about one begins with its name.
    pub(crate) fn placed(&self, failure: Failure) -> Failure {
        if failure.kind != FailureKind::Invalid {
            return failure;
        }
        let message = failure.message.trim_start_matches('-');
        let first = message.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        match self.parameter(first) {
            Some(parameter) => failure.at(&parameter.name),
            None => failure,
        }
    }

    /// Failure for an unknown parameter; `dashed` writes names like the caller.
    pub(crate) fn unknown(&self, written: &str, dashed: impl Fn(&str) -> String) -> Failure {
        let known = self.parameters_for_people().map(|it| it.name.as_str());
        Failure::invalid(format_args!("{} has no parameter {}", self.name, dashed(written)))
            .advised(did_you_mean(written, known, &dashed))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Object of a request, as the caller names it.
pub(crate) fn object(request: &Value) -> Option<String> {
    [IDENTITY, NAME].into_iter().find_map(|name| request.get(name)?.as_str().map(str::to_owned))
}

/// Parameters that select the objects of a request for many, as text; `None` for any other request.
pub(crate) fn selection(entry: &Entry, request: &Value) -> Option<String> {
    entry.parameter(IDENTITIES)?;
    let selection = shown_settings(entry, request);
    if selection.is_empty() { None } else { Some(Value::Object(selection).to_string()) }
}

/// Settings of a request that can be shown beside those of the object.
pub(crate) fn shown_settings(entry: &Entry, request: &Value) -> Map<String, Value> {
    let is_shown = |name: &str| {
        let kind = entry.parameter(name).map(|it| &it.kind);
        ![IDENTITY, IF_REVISION].contains(&name)
            && kind.is_some_and(|it| !matches!(it, Kind::Secret | Kind::Credential | Kind::Bytes))
    };
    let all = request.as_object().into_iter().flatten();
    all.filter(|(name, _)| is_shown(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}
