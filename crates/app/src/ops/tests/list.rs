//! The list of operations: facts that must hold for each.

use mailhaul_operations::Verb;
use serde_json::Value;

use crate::ops::operations;

/// Properties of the operation's response, from the OpenAPI description.
fn properties(description: &Value, operation: &str) -> Vec<String> {
    let methods = description["paths"].as_object().unwrap().values().filter_map(Value::as_object);
    let operation_id = operation.replace('-', "");
    let found = methods.flat_map(|it| it.values()).find(|it| it["operationId"] == operation_id.as_str());
    let found = found.unwrap_or_else(|| panic!("{operation} is not described"));
    let responses = found["responses"].as_object().unwrap();
    let (_, response) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
    let reference = response.to_string();
    let name = reference.rsplit_once("#/components/schemas/").unwrap().1.split('"').next().unwrap();
    let schema = &description["components"]["schemas"][name];
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn tables_show_properties_that_there_are() {
    let operations = operations();
    let description = operations.openapi("0");
    for entry in operations.entries() {
        let properties = properties(&description, entry.name());
        for column in entry.view() {
            assert!(properties.iter().any(|it| it == column), "{}: {column} of {properties:?}", entry.name());
        }
    }
}

#[test]
fn every_parameter_has_help_and_what_is_secret_is_never_shown() {
    let operations = operations();
    let description = operations.openapi("0");
    for entry in operations.entries() {
        for parameter in entry.parameters_for_people() {
            assert!(
                parameter.help.ends_with('.'),
                "{} -{}: {}",
                entry.name(),
                parameter.name,
                parameter.help
            );
        }
        for property in properties(&description, entry.name()) {
            assert!(!property.contains("Password"), "{}: {property}", entry.name());
        }
    }
}

#[test]
fn viewers_change_nothing() {
    use mailhaul_operations::Role;
    for entry in operations().entries() {
        assert!(entry.role() > Role::Viewer || !entry.verb().changes(), "{}", entry.name());
        let takes_secrets = entry.parameters().iter().any(|it| it.secret_file().is_some());
        assert!(entry.role() > Role::Viewer || !takes_secrets, "{}", entry.name());
        assert_eq!(entry.verb().asks(), matches!(entry.verb(), Verb::Stop | Verb::Remove));
    }
}
