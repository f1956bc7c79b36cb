//! `mailhaul console`: prints an address that opens the web console without a token.

use std::path::Path;

use anyhow::{Result, anyhow};
use mailhaul_operations::{Client, Failure};
use serde_json::Value;

use super::command::with_advice;
use crate::{
    data_directory::{self, DataPlace},
    exit::Exit,
    output::text,
    serve::session::routes::TICKET_PATH,
};

/// Asks the service for a ticket over its socket, and prints the address.
pub(crate) async fn run(data: &DataPlace) -> Result<Exit> {
    match address(&data_directory::socket(&data.directory)).await {
        Ok(address) => {
            text::print(format_args!("{address}"));
            text::print_error("The address opens the console once, within 60 seconds.");
            Ok(Exit::Synced)
        }
        Err(failure) => {
            Err(anyhow!(Exit::Operation(failure.kind.exit_code())).context(with_advice(&failure)))
        }
    }
}

async fn address(socket: &Path) -> Result<String, Failure> {
    if !socket.exists() {
        return Err(Failure::unavailable("the service does not run on this data directory")
            .with_advice("Start it: mailhaul serve --listen 127.0.0.1:34080"));
    }
    let tickets = Client::unix(socket).post(TICKET_PATH).await?;
    let address = tickets.first().and_then(|it| it["Address"].as_str());
    address
        .map(str::to_owned)
        .ok_or_else(|| Failure::internal(format_args!("no address: {}", Value::from(tickets.clone()))))
}
