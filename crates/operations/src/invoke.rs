//! `mailhaul invoke OPERATION`: JSON in, JSON out, for other programs.

use serde_json::{Value, json};

use crate::{client::Client, failure::Failure, http::VALUE, operations::Operations, steps::StepUse};

/// Mark that Windows PowerShell 5.1 writes before what it sends to a program.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Runs the operation with this name and this JSON request (empty is `{}`).
///
/// `on_step` receives the steps of an operation whose caller must act while it runs.
///
/// The answer is `{"Value": [...]}`. A failure has the form of [`Failure::to_json`].
pub async fn invoke<C: Send + Sync + 'static>(
    operations: &Operations<C>,
    client: &Client,
    operation: &str,
    request: &[u8],
    on_step: impl FnMut(&Value),
) -> Result<Value, Failure> {
    let entry = operations.find(operation)?;
    let request = request.strip_prefix(BYTE_ORDER_MARK).unwrap_or(request);
    let request = match request.trim_ascii() {
        [] => json!({}),
        text => serde_json::from_slice(text)
            .map_err(|error| Failure::invalid(format_args!("the request is not JSON: {error}")))?,
    };
    let results = match entry.steps() {
        StepUse::Instructions => client.call_in_steps(entry, request, on_step).await?,
        StepUse::None | StepUse::Progress => client.call(entry, request).await?,
    };
    Ok(json!({ VALUE: results }))
}
