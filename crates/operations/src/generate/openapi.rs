//! Generates the `OpenAPI` 3.1 document of the HTTP interface.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    entry::Entry,
    failure::{FailureKind, PRECONDITION_FAILED},
    http::{CSV, JSON, LINES, NEXT_LINK, TOTAL_COUNT, VALUE, template, ways},
    kind::Kind,
    operation::{CHANGED_COUNT, REFUSED_COUNT},
    operations::Operations,
    parameter::{IDENTITIES, IDENTITY, IF_REVISION, Parameter},
    steps::StepUse,
    verb::Verb,
};

impl<C: Send + Sync + 'static> Operations<C> {
    /// True if objects of the entry's noun have a revision that requests can expect.
    fn is_versioned(&self, entry: &Entry) -> bool {
        let can_expect = |it: &&Entry| it.noun() == entry.noun() && it.parameter(IF_REVISION).is_some();
        entry.parameter(IF_REVISION).is_some()
            || (entry.verb() == Verb::Get && self.entries().iter().any(|it| can_expect(&it)))
    }

    /// Document for this version of the program.
    pub fn openapi(&self, version: &str) -> Value {
        let mut generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|it| it.definitions_path = "/components/schemas".into())
            .into_generator();
        let mut paths = Map::new();
        for entry in self.entries() {
            for with_identity in ways(entry) {
                let path = paths.entry(template(entry, with_identity)).or_insert_with(|| json!({}));
                let method = entry.verb().form().method.to_ascii_lowercase();
                let mut described = operation(entry, with_identity, &mut generator);
                if self.is_versioned(entry) {
                    conditions(entry, &mut described);
                }
                path[method] = described;
            }
        }
        paths.extend((self.routes)());
        let mut schemas = generator.take_definitions(true);
        schemas.insert("Error".to_owned(), error());
        let failures: Map<String, Value> = FailureKind::all()
            .map(|kind| {
                let content = json!({ JSON: { "schema": { "$ref": "#/components/schemas/Error" } } });
                (kind.code().to_owned(), json!({ "description": kind.meaning(), "content": content }))
            })
            .collect();
        json!({
            "openapi": "3.1.0",
            "info": { "title": "mailhaul", "version": version },
            "servers": [{ "url": "/" }],
            "security": [{ "bearer": [] }],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": failures,
                "securitySchemes": security_schemes(),
            },
        })
    }
}

/// Tokens of callers, and both halves of a session of the web console.
fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-mailhaul" },
        "key": { "type": "apiKey", "in": "header", "name": "Mailhaul-Key" },
    })
}

/// Describes the headers of conditional requests.
fn conditions(entry: &Entry, described: &mut Value) {
    let text = json!({ "type": "string" });
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": text });
    let parameter = if entry.verb() == Verb::Get {
        let tag =
            json!({ "description": "Tag of one object, for If-Match and If-None-Match.", "schema": text });
        described["responses"]["200"]["headers"] = json!({ "ETag": tag });
        described["responses"]["304"] = json!({ "description": "The caller has the object already." });
        header("If-None-Match", "ETag of an earlier answer; 304 if the object is the same.")
    } else {
        let content = json!({ JSON: { "schema": { "$ref": "#/components/schemas/Error" } } });
        let description = "Another caller changed the object; the code is Conflict.";
        described["responses"][PRECONDITION_FAILED.to_string()] =
            json!({ "description": description, "content": content });
        header("If-Match", "ETag or Revision that the object must have; the same as IfRevision.")
    };
    match described.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => described["parameters"] = json!([parameter]),
    }
}

fn operation(entry: &Entry, with_identity: bool, generator: &mut SchemaGenerator) -> Value {
    let form = entry.verb().form();
    let all = if with_identity || ways(entry).count() == 1 { "" } else { "All" };
    let mut described = json!({
        "operationId": format!("{}{}{all}", form.name, entry.noun().cmdlet),
        "summary": entry.about(),
        "tags": [entry.noun().cmdlet],
        "x-cmdlet": entry.name(),
        "x-role": format!("{:?}", entry.role()),
    });
    let rest: Vec<&Parameter> = entry.parameters().iter().filter(|it| it.name != IDENTITY).collect();
    let mut parameters = Vec::new();
    if with_identity && let Some(identity) = entry.identity() {
        parameters.push(parameter(identity, "path"));
    }
    if form.in_body {
        if !rest.is_empty() {
            described["requestBody"] = body(&rest);
        }
    } else {
        parameters.extend(rest.iter().map(|it| parameter(it, "query")));
    }
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    let mut responses = Map::new();
    let status = if entry.verb() == Verb::New { "201" } else { "200" };
    responses.insert(status.to_owned(), answer(entry, generator));
    for kind in FailureKind::all() {
        let reference = format!("#/components/responses/{}", kind.code());
        responses.insert(kind.status().to_string(), json!({ "$ref": reference }));
    }
    described["responses"] = responses.into();
    described
}

fn parameter(parameter: &Parameter, place: &str) -> Value {
    let mut schema = parameter.schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("description");
    }
    json!({
        "name": parameter.name,
        "in": place,
        "required": place == "path" || parameter.required,
        "description": parameter.help,
        "schema": schema,
    })
}

fn body(parameters: &[&Parameter]) -> Value {
    let properties: Map<String, Value> =
        parameters.iter().map(|it| (it.name.clone(), it.schema.clone())).collect();
    let required: Vec<&str> = parameters.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    json!({ "required": !required.is_empty(), "content": { JSON: { "schema": schema } } })
}

fn answer(entry: &Entry, generator: &mut SchemaGenerator) -> Value {
    let results = json!({ "type": "array", "items": (entry.response)(generator) });
    let mut properties = json!({ VALUE: results });
    if entry.parameters().iter().any(|it| it.kind == Kind::Continuation) {
        let description = "URL of the next page, if there is one.";
        properties[NEXT_LINK] =
            json!({ "type": "string", "format": "uri-reference", "description": description });
    }
    if entry.parameters().iter().any(|it| it.name == "Offset") {
        let description = "Number of results of all pages, if Offset or SortBy was given.";
        properties[TOTAL_COUNT] = json!({ "type": "integer", "description": description });
    }
    if entry.parameter(IDENTITIES).is_some() {
        add_counts(&mut properties);
    }
    let schema = json!({ "type": "object", "properties": properties, "required": [VALUE] });
    let mut content = json!({ JSON: { "schema": schema } });
    if matches!(entry.verb(), Verb::Get | Verb::Export) {
        // With Accept: text/csv, all results row by row.
        content[CSV] = json!({ "schema": { "type": "string" } });
    }
    if entry.steps() != StepUse::None {
        let description = "With \"Accept: application/x-ndjson\": one JSON object with Step in each line, as each step ends. \
                           The last line is the answer, or the Error.";
        content[LINES] = json!({ "schema": { "type": "string", "description": description } });
    }
    json!({ "description": "Done.", "content": content })
}

/// Adds the properties of an answer about many objects.
fn add_counts(properties: &mut Value) {
    let text = |description: &str| json!({ "type": "string", "description": description });
    properties[CHANGED_COUNT] = json!({
        "type": "integer",
        "description": "Without Identity: number of objects for which it was done. Value is empty then.",
    });
    properties[REFUSED_COUNT] =
        json!({ "type": "integer", "description": "Number of objects for which it was refused." });
    let refusal = json!({
        "type": "object",
        "properties": {
            IDENTITY: text("Name of the object."),
            "Code": text("For machines."),
            "Message": text("One sentence."),
            "Advice": { "type": ["string", "null"], "description": "Next step for the caller." },
        },
        "required": [IDENTITY, "Code", "Message"],
    });
    properties["Refusals"] =
        json!({ "type": "array", "items": refusal, "description": "The refused objects; at most 1,000." });
}

fn error() -> Value {
    json!({
        "type": "object",
        "properties": {
            "Error": {
                "type": "object",
                "properties": {
                    "Code": { "type": "string", "description": "For machines." },
                    "Message": { "type": "string", "description": "One sentence." },
                    "Advice": { "type": ["string", "null"], "description": "Next step for the caller." },
                    "Parameter": { "type": "string", "description": "Parameter that is wrong, if it is known." },
                    "Rows": {
                        "type": "array",
                        "items": { "type": "object" },
                        "description": "Errors of its file, as Errors of Test-MigrationBatch; at most 1,000.",
                    },
                    "Revision": {
                        "type": "string",
                        "description": "With the status 412: current revision of the object, which another caller changed.",
                    },
                    "ChangedBy": { "type": ["string", "null"], "description": "Caller of the last change." },
                    "ChangedTime": { "type": ["string", "null"], "description": "Time of the last change." },
                    "Current": { "type": "object", "description": "The object as it is now." },
                    "Values": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": { "Parameter": { "type": "string" }, "Given": {}, "Current": {} },
                            "required": ["Parameter", "Given", "Current"],
                        },
                        "description": "Parameters of the request that differ from the object, with both values.",
                    },
                },
                "required": ["Code", "Message"],
            },
        },
        "required": ["Error"],
    })
}
