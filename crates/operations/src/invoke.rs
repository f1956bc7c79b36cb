//! `mailhaul invoke OPERATION`: JSON in, JSON out, for other programs.

use serde_json::{Value, json};

use crate::{client::Client, failure::Failure, http::VALUE, operations::Operations};

/// Carries out the operation of this name with the request in this JSON text (nothing is `{}`). The answer is
/// `{"Value": [...]}`; a failure is written as [`Failure::to_json`] has it.
pub async fn invoke<C: Send + Sync + 'static>(
    operations: &Operations<C>,
    client: &Client,
    operation: &str,
    request: &[u8],
) -> Result<Value, Failure> {
    let entry = operations.find(operation)?;
    let request = match request.trim_ascii() {
        [] => json!({}),
        text => serde_json::from_slice(text)
            .map_err(|error| Failure::invalid(format_args!("the request is not JSON: {error}")))?,
    };
    let results = client.call(entry, request).await?;
    Ok(json!({ VALUE: results }))
}
