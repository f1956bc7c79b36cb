//! Values that the prompt proposes: words of a list, and names that the service knows.

use std::time::Duration;

use mailhaul_operations::{Client, Entry, Kind, Operations, Parameter};
use serde_json::{Value, json};
use tokio::{net::UnixStream, runtime::Handle, task::block_in_place, time::timeout};

use crate::{
    context::Context,
    data_directory::{self, DataPlace},
};

/// Longest wait for the service. A key that is pressed must have an effect soon.
const PATIENCE: Duration = Duration::from_secs(1);

/// Returns the values for a parameter, or for a property of users and batches if `command` is empty.
pub(super) fn values(
    data: &DataPlace,
    operations: &Operations<Context>,
    command: &str,
    parameter: Option<&str>,
) -> Vec<String> {
    if command.is_empty() {
        let sources = ["Get-MigrationUser", "Get-MigrationBatch"];
        let entries = sources.iter().filter_map(|source| operations.entry(source));
        return entries
            .filter_map(|entry| find(entry, parameter))
            .flat_map(|found| words(&found.kind))
            .collect();
    }
    let Some(entry) = operations.entry(command) else { return Vec::new() };
    let Some(parameter) = find(entry, parameter) else { return Vec::new() };
    let words = words(&parameter.kind);
    if !words.is_empty() {
        return words;
    }
    let Some(source) = source(entry, &parameter.name).and_then(|source| operations.entry(source)) else {
        return Vec::new();
    };
    // The line editor waits for the answer in this thread.
    block_in_place(|| Handle::current().block_on(timeout(PATIENCE, names(data, source))))
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Finds a parameter by its name or a unique beginning of it; without a name, the positional one.
pub(super) fn find<'e>(entry: &'e Entry, name: Option<&str>) -> Option<&'e Parameter> {
    let Some(name) = name else { return entry.parameters_for_people().find(|known| known.positional) };
    let exact = entry.parameters_for_people().find(|known| known.name.eq_ignore_ascii_case(name));
    let begins = |known: &&Parameter| {
        known.name.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    exact.or_else(|| {
        let mut candidates = entry.parameters_for_people().filter(begins);
        let first = candidates.next();
        if candidates.next().is_none() { first } else { None }
    })
}

fn words(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Choice(values) => values.iter().map(|value| value.name.clone()).collect(),
        Kind::Boolean => ["$true", "$false"].map(ToOwned::to_owned).to_vec(),
        Kind::List(inner) => words(inner),
        _ => Vec::new(),
    }
}

/// Returns the command whose results are named by a parameter.
fn source(entry: &Entry, parameter: &str) -> Option<&'static str> {
    match parameter {
        "BatchId" => return Some("Get-MigrationBatch"),
        "SourceEndpoint" | "TargetEndpoint" | "Endpoint" => return Some("Get-MigrationEndpoint"),
        "Identity" => {}
        _ => return None,
    }
    let (_, noun) = entry.name().split_once("-Migration")?;
    [
        ("Batch", "Get-MigrationBatch"),
        ("Endpoint", "Get-MigrationEndpoint"),
        ("User", "Get-MigrationUser"),
        ("SkippedItem", "Get-MigrationUser"),
        ("FolderPlan", "Get-MigrationUser"),
        ("Node", "Get-MigrationNode"),
    ]
    .into_iter()
    .find(|(beginning, _)| noun.starts_with(beginning))
    .map(|(_, source)| source)
}

/// Asks the running service for the first page of names. Without a service there are none.
async fn names(data: &DataPlace, source: &Entry) -> Option<Vec<String>> {
    let socket = data_directory::socket(&data.directory);
    UnixStream::connect(&socket).await.ok()?;
    let client = Client::unix(socket);
    let page = client.pages(source, json!({})).ok()?.next().await.ok()??;
    let name = |result: &Value| result.get("Identity").and_then(Value::as_str).map(ToOwned::to_owned);
    Some(page.iter().filter_map(name).collect())
}
