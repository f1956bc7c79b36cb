//! Client connection to the running service, or to the operations in this process.

use std::sync::Arc;

use anyhow::Result;
use mailhaul_operations::{Caller, Client, Operations, Role};
use tokio::net::UnixStream;

use super::local_service::LocalService;
use crate::{
    context::Context,
    data_directory::{self, DataPlace},
    output::text,
};

/// Runs operations: in the service of the data directory if it runs, else in this process.
pub(crate) struct ServiceConnection {
    pub(crate) client: Client,
    /// `None` if the service runs the operations.
    local: Option<LocalService>,
    data: DataPlace,
}

impl ServiceConnection {
    /// Connects to the service of this data directory, or opens the directory.
    pub(crate) async fn open(data: &DataPlace, operations: &Arc<Operations<Context>>) -> Result<Self> {
        let socket = data_directory::socket(&data.directory);
        if UnixStream::connect(&socket).await.is_ok() {
            return Ok(Self { client: Client::unix(socket), local: None, data: data.clone() });
        }
        let local = LocalService::new(Context::open(data).await?, operations.clone());
        let caller = Caller { name: user_name(), role: Role::Admin, is_local: true };
        Ok(Self { client: Client::local(local.router(), caller), local: Some(local), data: data.clone() })
    }

    /// True if the service runs, so that mail moves.
    pub(crate) fn is_service(&self) -> bool {
        self.local.is_none()
    }

    /// Prints a note if no service runs.
    pub(crate) fn note_if_no_service(&self) {
        if !self.is_service() {
            let data = self.data.directory.display();
            text::print_error(format_args!("note: no mail is moved until `mailhaul serve` runs on {data}"));
        }
    }

    /// Waits for running operations, and closes the data directory.
    pub(crate) async fn close(self) {
        if let Some(local) = self.local {
            local.service.finish().await;
            local.context.store.clone().close().await;
        }
    }
}

/// Returns the caller's name for the audit log.
fn user_name() -> String {
    let from = |variable: &str| std::env::var(variable).ok().filter(|it| !it.is_empty());
    from("USER").or_else(|| from("LOGNAME")).unwrap_or_else(|| "local".to_owned())
}
