//! Steps of an operation on the terminal, while it runs.

use std::io::IsTerminal as _;

use mailhaul_operations::{Client, Entry, Failure, Output, StepUse};
use serde_json::Value;

use crate::output::text;

/// Runs the operation, and prints its steps to stderr.
///
/// Steps that only show how far it is are printed to a terminal, and not beside JSON.
pub(crate) async fn call(
    client: &Client,
    entry: &Entry,
    request: Value,
    output: Output,
) -> Result<Vec<Value>, Failure> {
    let is_shown = match entry.steps() {
        StepUse::None => false,
        StepUse::Progress => output != Output::Json && std::io::stderr().is_terminal(),
        StepUse::Instructions => true,
    };
    if is_shown {
        client.call_in_steps(entry, request, print).await
    } else {
        client.call(entry, request).await
    }
}

/// Prints a step: its name, its result and what there is to know.
pub(crate) fn print(step: &Value) {
    let shown = |name: &str| step[name].as_str().unwrap_or_default();
    text::print_error(format_args!("{:<14}  {:<8}  {}", shown("Step"), shown("Result"), shown("Detail")));
}
