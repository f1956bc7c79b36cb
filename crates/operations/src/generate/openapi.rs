//! Generates the `OpenAPI` 3.1 document of the HTTP interface.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    entry::Entry,
    failure::FailureKind,
    http::{JSON, LINES, NEXT_LINK, TOTAL_COUNT, VALUE, template, ways},
    kind::Kind,
    operations::Operations,
    parameter::{IDENTITY, Parameter},
    steps::StepUse,
    verb::Verb,
};

impl<C: Send + Sync + 'static> Operations<C> {
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
                path[method] = operation(entry, with_identity, &mut generator);
            }
        }
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
                "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            },
        })
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
    let schema = json!({ "type": "object", "properties": properties, "required": [VALUE] });
    let mut content = json!({ JSON: { "schema": schema } });
    if entry.steps() != StepUse::None {
        let description = "With \"Accept: application/x-ndjson\": one JSON object with Step in each line, as each step ends. \
                           The last line is the answer, or the Error.";
        content[LINES] = json!({ "schema": { "type": "string", "description": description } });
    }
    json!({ "description": "Done.", "content": content })
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
                },
                "required": ["Code", "Message"],
            },
        },
        "required": ["Error"],
    })
}
