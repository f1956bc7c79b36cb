//! `mailhaul invoke OPERATION`: a request as JSON on standard input, the answer as JSON on standard output.

use std::{io, sync::Arc};

use anyhow::{Context as _, Result};
use mailhaul_operations::{Operations, invoke};
use zeroize::Zeroizing;

use super::steps;
use crate::{
    context::Context, data_directory::DataPlace, exit::Exit, output::text,
    serve::service_connection::ServiceConnection,
};

/// Runs the operation, and prints its answer or its failure.
pub(crate) async fn run(
    operations: &Arc<Operations<Context>>,
    operation: &str,
    data: &DataPlace,
) -> Result<Exit> {
    let request = Zeroizing::new(io::read_to_string(io::stdin()).context("standard input cannot be read")?);
    let connection = ServiceConnection::open(data, operations).await?;
    let answer = invoke(operations, &connection.client, operation, request.as_bytes(), steps::print).await;
    connection.close().await;
    match answer {
        Ok(answer) => {
            text::print_json(&answer.to_string());
            Ok(Exit::Synced)
        }
        Err(failure) => {
            text::print_json(&failure.to_json().to_string());
            Ok(Exit::Operation(failure.kind.exit_code()))
        }
    }
}
