//! `mailhaul login ENDPOINT`: signs in with a browser, and stores the refresh token at the endpoint.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use clap::Args;
use mailhaul_operations::{Client, Failure, Operations};
use serde_json::{Value, json};

use super::command::with_advice;
use crate::{
    context::Context, data_directory::DataPlace, exit::Exit, output::text,
    serve::service_connection::ServiceConnection,
};

/// Options of `mailhaul login`.
#[derive(Args, Debug)]
pub(crate) struct LoginOptions {
    /// Name or GUID of the endpoint
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
}

/// Waits until the operator has signed in.
pub(crate) async fn run(
    options: LoginOptions,
    data: &DataPlace,
    operations: &Arc<Operations<Context>>,
) -> Result<Exit> {
    let connection = ServiceConnection::open(data, operations).await?;
    let ended = tokio::select! {
        ended = login(operations, &connection.client, &options.endpoint) => ended,
        _ = tokio::signal::ctrl_c() => {
            text::print_error("sign-in cancelled; nothing was changed");
            // A sign-in of this process would wait until its code expires.
            return Ok(Exit::Interrupted);
        }
    };
    connection.close().await;
    ended.map_err(|failure| anyhow!(Exit::Operation(failure.kind.exit_code())).context(with_advice(&failure)))
}

async fn login(operations: &Operations<Context>, client: &Client, identity: &str) -> Result<Exit, Failure> {
    let entry = operations.find("New-MigrationEndpointSignIn")?;
    let results = client.call_in_steps(entry, json!({ "Identity": identity }), show).await?;
    let owner = results.first().and_then(|result| result["SignedInAs"].as_str());
    let owner = owner.map(|owner| format!(" as {owner}")).unwrap_or_default();
    text::print(format_args!(
        "signed in{owner}; the endpoint \"{identity}\" opens the mailboxes that this account may open"
    ));
    Ok(Exit::Synced)
}

/// Prints what the operator must do.
fn show(step: &Value) {
    let (Some(address), Some(code)) = (step["VerificationUrl"].as_str(), step["UserCode"].as_str()) else {
        return;
    };
    let expires = step["ExpiresAt"].as_str().unwrap_or_default();
    text::print(format_args!("Open   {address}"));
    text::print(format_args!("Type   {code}"));
    text::print(format_args!(
        "and sign in with the account that may open the mailboxes. The code expires at {expires}."
    ));
}
